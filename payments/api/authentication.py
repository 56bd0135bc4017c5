"""Who is calling: an API key, as `Authorization: Bearer sk_…`."""

from dataclasses import dataclass
from typing import Final, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from compliance.identity.address import agent_of, client_address
from compliance.limits import spend
from compliance.trace import note
from merchants.access import MerchantAccess, by_api_key, by_recent_api_key

SCHEME: Final = "bearer"
CALLS_AT_ONCE: Final = 10
"""A process tells the shared count of so many calls of a key at once."""


@dataclass(frozen=True, slots=True)
class Program:
    """A merchant's program; what stands where a signed-in person would."""

    access: MerchantAccess
    is_authenticated: bool = True


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key with one prepared statement. Nobody is anonymous here.

    Raises AccessRefused, or TooMany for a key that is used too often.
    """

    def authenticate(self, request: Request) -> tuple[Program, MerchantAccess]:
        """The program and what it may do."""
        scheme, _, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != SCHEME:
            bearer = ""
        find = by_recent_api_key if _is_confirmed_later(request) else by_api_key
        plain = request._request  # noqa: SLF001
        access = find(bearer.strip(), address=client_address(plain), agent=agent_of(plain))
        note(key=access.actor.id, merchant=access.merchant)
        spend("api", access.actor.id, lot=CALLS_AT_ONCE)
        return Program(access), access


def _is_confirmed_later(request: Request) -> bool:
    view = (request.parser_context or {}).get("view")
    return request.method in getattr(view, "confirms_key_on", ())


def access_of(request: Request) -> MerchantAccess:
    """What the caller of an authenticated request may do."""
    return cast("MerchantAccess", request.auth)
