"""What a person asked a list for, read from the address. Whatever makes no sense is left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.http import urlencode

from payments.acquiring.states import PaymentState

NUMBER_CHARACTERS_MAX: Final = 64
KEY_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One page of payments."""

    status: str
    number: str
    before: int

    @property
    def is_plain(self) -> bool:
        """Whether this is the list's first page, with nothing left out."""
        return not (self.status or self.number or self.before)

    def page(self, before: int) -> str:
        """The same list from a key on, as an address; "" for key 0."""
        if not before:
            return ""
        asked: dict[str, str | int] = {"status": self.status, "q": self.number, "before": before}
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    @property
    def newest(self) -> str:
        """The same list from the top."""
        return f"?{urlencode({'status': self.status})}" if self.status else "?"


def wanted_in(asked: Mapping[str, str]) -> Wanted:
    """Read a list's address."""
    status = asked.get("status", "")
    return Wanted(
        status=status if status in PaymentState.values else "",
        number=asked.get("q", "").replace("\0", "").strip()[:NUMBER_CHARACTERS_MAX],
        before=key_in(asked),
    )


def key_in(asked: Mapping[str, str]) -> int:
    """The key to go on from; 0 starts at the top."""
    text = asked.get("before", "")
    is_key = text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS_MAX
    return int(text) if is_key else 0
