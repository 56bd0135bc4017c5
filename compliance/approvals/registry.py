"""The kinds of requests. Each room registers its own when its application is ready."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.judges import STAFF, Judge
from compliance.approvals.pages import Page, no_page
from compliance.audit.actor import Actor
from compliance.identity.models import User

Facts = Mapping[str, Any]
"""JSON: texts, whole numbers, truths, lists and objects of these. Secrets only sealed."""

LASTS: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an executing verb is handed: exactly what was asked for, and who agreed last."""

    number: str
    subject: tuple[str, str]
    payload: Facts
    reason: str
    merchant: str
    maker: User
    actor: Actor
    at: datetime


def one_person(payload: Facts) -> int:
    """The threshold of most kinds: one other person must agree."""
    return 1


def nobody_concerned(payload: Facts) -> Collection[str]:
    """Most requests are not about a member of the staff."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of request.

    `look` says how the target stands now: it is shown beside the request, and another answer at
    execution makes the request stale. `execute` runs in the transaction of the last vote, once;
    what must reach the outside goes into an outbox. It may return facts to keep.
    """

    name: str
    label: str | Promise
    maker: str
    checker: str
    """Abilities, as the judge knows them."""
    look: Callable[[tuple[str, str], Facts], Facts]
    execute: Callable[[Order], Facts | None]
    judge: Judge = STAFF
    needed: Callable[[Facts], int] = one_person
    """How many must agree. 0: within the maker's own limit, so it is executed at once."""
    concerns: Callable[[Facts], Collection[str]] = nobody_concerned
    """The `person_ref` of people whom it is about: none of them decides it."""
    refusals: tuple[type[Exception], ...] = ()
    """What `execute` raises when a rule says no. The request then goes on waiting."""
    explain: Callable[[Exception], str] = str
    """Such a refusal in words for people."""
    lasts: timedelta = LASTS
    page: Page = no_page
    """Where the staff read about the subject."""
    words: Mapping[str, str | Promise] = field(default_factory=dict)
    """What the names in `payload` and `look` are called on pages, in the order of the pages. One
    that the page tells in another way is called "".
    """
    values: Mapping[str, Mapping[str, str | Promise]] = field(default_factory=dict)
    """What codes among the values are called, by name."""


_kinds: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    """Make a kind known, once, from an application's `ready`."""
    if _kinds.get(kind.name, kind) is not kind:
        raise ImproperlyConfigured(f"two kinds of requests are called {kind.name}")
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind of that name. Raises ApprovalRefused: unknown."""
    if name not in _kinds:
        raise ApprovalRefused("unknown", kind=name)
    return _kinds[name]


def find_kind(name: str) -> Kind | None:
    """The kind of that name, or None once no room registers it any more."""
    return _kinds.get(name)


def kinds() -> list[Kind]:
    """All of them, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
