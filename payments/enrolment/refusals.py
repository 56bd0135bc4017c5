"""The refusals of this room. A page turns a code into words."""

from typing import Any

from payments.errors import Refusal


class EnrolmentRefused(Refusal):
    """A rule said no; `code` says which, and `facts` name fields, never what they hold."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)
