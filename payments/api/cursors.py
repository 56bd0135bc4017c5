"""Where a next page begins: a row's key, sealed so that a caller can neither read nor make one."""

from typing import Final

from compliance.protection.errors import KeyUnknown, Tampered
from compliance.protection.fields import seal, unseal
from merchants.access import MerchantAccess

CHARACTERS_MAX: Final = 256


class CursorInvalid(ValueError):
    """Not a cursor that this merchant was given for this list."""


def cursor_of(key: int, *, of: str, access: MerchantAccess) -> str:
    """The cursor after the row with this key. Good for one list of one merchant and mode."""
    return seal(str(key), bound_to=_binding(of, access))


def key_of(cursor: str, *, of: str, access: MerchantAccess) -> int:
    """The row's key. Raises CursorInvalid."""
    if len(cursor) > CHARACTERS_MAX:
        raise CursorInvalid
    try:
        return int(unseal(cursor, bound_to=_binding(of, access)))
    except (KeyUnknown, Tampered) as error:
        raise CursorInvalid from error


def _binding(of: str, access: MerchantAccess) -> str:
    return f"cursor:{of}:{access.merchant}:{access.livemode}"
