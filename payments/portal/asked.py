"""What a person asked a list for, read from the address. Whatever makes no sense is left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.http import urlencode

from merchants.access import MerchantAccess
from payments.acquiring.pages import Place, Slice
from payments.acquiring.sieve import Sieve, read_sieve

NUMBER_CHARACTERS_MAX: Final = 64
KEY_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One page of payments."""

    sieve: Sieve
    number: str
    place: Place

    @property
    def is_plain(self) -> bool:
        """Whether this is the list's first page, with nothing left out."""
        return self.sieve.is_empty and not self.number and self.place.is_first

    @property
    def asked(self) -> dict[str, str]:
        """What the list is narrowed by, as fields."""
        return self.sieve.asked()

    def at(self, **place: int) -> str:
        """The same list at another place, as an address; "" for key 0."""
        if not all(place.values()):
            return ""
        asked: dict[str, str | int] = {**self.asked, **place}
        if self.number:
            asked["q"] = self.number
        return f"?{urlencode(asked)}"


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a page leads: addresses, "" where there is nothing to go to."""

    first: str
    newer: str
    older: str
    last: str


def wanted_in(asked: Mapping[str, str], access: MerchantAccess) -> Wanted:
    """Read a list's address."""
    place = Place(key_in(asked), key_in(asked, "after"), is_last=bool(key_in(asked, "end")))
    return Wanted(
        sieve=read_sieve(asked, livemode=access.livemode),
        number=asked.get("q", "").replace("\0", "").strip()[:NUMBER_CHARACTERS_MAX],
        place=place,
    )


def ways_from(wanted: Wanted, page: Slice) -> Ways:
    """The links below a page."""
    return Ways(
        first=wanted.at() if page.newer and not wanted.place.is_first else "",
        newer=wanted.at(after=page.newer),
        older=wanted.at(before=page.older),
        last=wanted.at(end=1) if page.older else "",
    )


def key_in(asked: Mapping[str, str], name: str = "before") -> int:
    """The key to go on from; 0 starts at the top."""
    text = asked.get(name, "")
    is_key = text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS_MAX
    return int(text) if is_key else 0
