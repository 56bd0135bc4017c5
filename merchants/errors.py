"""The refusals of this storey. Each has a stable code; a face turns it into words and a status."""

from typing import Any, ClassVar

from compliance.audit.actor import Actor


class MerchantRefusal(Exception):
    """Base of every expected no. `facts` are safe to show to the caller."""

    code: ClassVar[str] = "refused"

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code


class AccessRefused(MerchantRefusal):
    """The caller is nobody we know, or may not do this. Its `code` says which."""

    def __init__(self, code: str, *, by: Actor | None = None, **facts: Any) -> None:
        super().__init__(**facts)
        self.by = by
        """Whose key it was, where that is known; for the trail, not for the caller."""
        self.code = code  # type: ignore[misc]
        self.args = (code,)


class IllegalMove(MerchantRefusal):
    """A state machine was asked for a move that is not in its table."""

    code = "illegal_move"
