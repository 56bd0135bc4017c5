"""Money as an integer count of a currency's smallest unit, never a float."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from payments.errors import CurrencyMismatch, CurrencyUnknown, MoneyMalformed

EXPONENTS: Final[dict[str, int]] = {
    "CNY": 2, "HKD": 2, "USD": 2, "EUR": 2, "GBP": 2, "SGD": 2, "AUD": 2, "CAD": 2,
    "JPY": 0, "KRW": 0,
}  # fmt: skip
"""Decimal places of the currencies the platform knows (ISO 4217)."""

SIGNS: Final[dict[str, str]] = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}

_PLAIN_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency. `minor` counts fen for CNY, cents for USD, yen for JPY."""

    minor: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise MoneyMalformed(text=repr(self.minor))
        if self.currency not in EXPONENTS:
            raise CurrencyUnknown(currency=str(self.currency))

    @classmethod
    def parse(cls, text: str, currency: str = "CNY") -> Self:
        """Read a gateway's decimal string ("88.8", "88.80"). Raises MoneyMalformed."""
        if currency not in EXPONENTS:
            raise CurrencyUnknown(currency=currency)
        if not _PLAIN_DECIMAL.fullmatch(text):
            raise MoneyMalformed(text=text)
        scaled = Decimal(text).scaleb(EXPONENTS[currency])
        if scaled != scaled.to_integral_value():
            raise MoneyMalformed(text=text)
        return cls(int(scaled), currency)

    @property
    def decimal(self) -> str:
        """The amount with all its places and no sign or grouping: "1234.50"."""
        places = EXPONENTS[self.currency]
        return f"{Decimal(self.minor).scaleb(-places):.{places}f}"

    @property
    def text(self) -> str:
        """The amount as a person reads it: "¥1,234.50", "HKD 12.00"."""
        places = EXPONENTS[self.currency]
        digits = f"{abs(Decimal(self.minor).scaleb(-places)):,.{places}f}"
        sign = SIGNS.get(self.currency, f"{self.currency} ")
        return f"{'-' if self.minor < 0 else ''}{sign}{digits}"

    def __str__(self) -> str:
        return self.text

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(ours=self.currency, theirs=other.currency)

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: "Money") -> bool:
        return other < self

    def __ge__(self, other: "Money") -> bool:
        return other <= self

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Share the amount by non-negative weights; the parts always add up to the whole.

        What does not divide goes, one minor unit each, to the largest remainders.
        Raises MoneyMalformed when no weight is positive.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise MoneyMalformed(text=f"weights {list(weights)}")
        size, sign = abs(self.minor), -1 if self.minor < 0 else 1
        shares = [size * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % total), i))
        for i in by_remainder[: size - sum(shares)]:
            shares[i] += 1
        return [Money(sign * share, self.currency) for share in shares]
