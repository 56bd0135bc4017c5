"""The refusals of this storey: a rule said no. Each has a stable code and the facts behind it.

A face turns a refusal into words; nobody else does. Faults (something broke) are not here.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """Base of every expected no. `facts` are safe to show to the caller."""

    code: ClassVar[str] = "refused"

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class MoneyMalformed(Refusal):
    """Not an amount: a fraction of the smallest unit, a float, or no number at all."""

    code = "amount_malformed"


class CurrencyUnknown(Refusal):
    """A currency code that the platform does not know."""

    code = "currency_unknown"


class CurrencyMismatch(Refusal):
    """Two currencies met in one sum or comparison."""

    code = "currency_mismatch"


class IllegalMove(Refusal):
    """A state machine was asked for a move that is not in its table."""

    code = "illegal_move"
