"""The refusals of this room."""

from typing import Any

from merchants.errors import MerchantRefusal


class ListRefused(MerchantRefusal):
    """A file is not loaded. Its `code` says why; `rows_wrong` names lines and columns."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)


class DecisionRefused(MerchantRefusal):
    """A hit is not decided by this person, in this way, or any more. Its `code` says which."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)
