"""Who is calling: an API key, as `Authorization: Bearer sk_…`."""

from dataclasses import dataclass
from typing import Final, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from compliance.identity.address import client_address
from merchants.access import MerchantAccess, by_api_key

SCHEME: Final = "bearer"


@dataclass(frozen=True, slots=True)
class Program:
    """A merchant's program; what stands where a signed-in person would."""

    access: MerchantAccess
    is_authenticated: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key with one prepared statement. Raises AccessRefused; nobody is anonymous here."""

    def authenticate(self, request: Request) -> tuple[Program, MerchantAccess]:
        """The program and what it may do."""
        scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME:
            bearer = ""
        access = by_api_key(bearer.strip(), address=client_address(request._request))  # noqa: SLF001
        return Program(access), access


def access_of(request: Request) -> MerchantAccess:
    """What the caller of an authenticated request may do."""
    return cast("MerchantAccess", request.auth)
