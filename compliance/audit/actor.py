"""Who did something: the name that every verb takes along and every audit entry keeps."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Actor:
    """A doer as known at the door. `kind` is user, api_key, gateway, customer or system."""

    kind: str
    id: str
    label: str
    address: str = ""
    person: int | None = None
    """The account of the human being, where there is one."""
    role: str = ""
    """In which role: the staff's, comma between them, or the place in a merchant's team."""
    agent: str = ""
    """What their program called itself, on one line: anybody may write anything."""


SYSTEM: Final = Actor(kind="system", id="", label="system")
"""The platform itself: tasks and commands that no person asked for."""
