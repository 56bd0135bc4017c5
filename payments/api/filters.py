"""Reads the query of a list call, and says everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import QueryDict

from merchants.access import MerchantAccess
from payments.acquiring.asking import AskInvalid, FieldError, is_order_no
from payments.acquiring.queries import PaymentFilter
from payments.acquiring.refund_facts import STATUSES
from payments.acquiring.refund_queries import RefundFilter
from payments.acquiring.states import PaymentState
from payments.api.cursors import CursorInvalid, key_of
from payments.callbacks.models import EventType
from payments.callbacks.queries import EventFilter

LIMIT_DEFAULT: Final = 20
LIMIT_MAX: Final = 100
# A "+" that was not percent-encoded arrives as a space.
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:[Zz]|([+ -]\d\d:\d\d))", re.ASCII
)


class _Wrong(ValueError):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins, and how long it may be."""

    before: int
    limit: int


_Reader = Callable[[str], Any]


def read_payment_query(query: QueryDict, access: MerchantAccess) -> tuple[PaymentFilter, Place]:
    """Which payments are wanted. Raises AskInvalid."""
    place, found = _read(
        query,
        access,
        of="payments",
        readers={
            "merchant_order_no": _order_no,
            "status": lambda text: _one_of(text, PaymentState.values, "status_unknown"),
            "created_after": _time,
            "created_before": _time,
        },
    )
    return PaymentFilter(**found), place


def read_event_query(query: QueryDict, access: MerchantAccess) -> tuple[EventFilter, Place]:
    """Which events are wanted. Raises AskInvalid."""
    place, found = _read(
        query,
        access,
        of="events",
        readers={
            "type": lambda text: _one_of(text, EventType.values, "type_unknown"),
            "created_after": _time,
        },
    )
    return EventFilter(**found), place


def read_refund_query(query: QueryDict, access: MerchantAccess) -> tuple[RefundFilter, Place]:
    """Which refunds are wanted. Raises AskInvalid."""
    place, found = _read(
        query,
        access,
        of="refunds",
        readers={
            "payment": _order_no,
            "merchant_refund_no": _order_no,
            "status": lambda text: _one_of(text, list(STATUSES), "status_unknown"),
            "created_after": _time,
            "created_before": _time,
        },
    )
    return RefundFilter(**found), place


def _read(
    query: QueryDict, access: MerchantAccess, *, of: str, readers: Mapping[str, _Reader]
) -> tuple[Place, dict[str, Any]]:
    every: dict[str, _Reader] = {
        **readers,
        "limit": _limit,
        "cursor": lambda text: _cursor(text, of, access),
    }
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, values in query.lists():
        if name not in every:
            errors.append(FieldError(name, "unknown_field"))
        elif len(values) > 1:
            errors.append(FieldError(name, "repeated"))
        elif values[0]:
            try:
                found[name] = every[name](values[0])
            except _Wrong as wrong:
                errors.append(FieldError(name, wrong.code, wrong.facts))
    if errors:
        raise AskInvalid(errors)
    return Place(found.pop("cursor", 0), found.pop("limit", LIMIT_DEFAULT)), found


def _order_no(text: str) -> str:
    if not is_order_no(text):
        raise _Wrong("order_no_malformed")
    return text


def _one_of(text: str, known: list[str], code: str) -> str:
    if text not in known:
        raise _Wrong(code, known=known)
    return text


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _Wrong("not_an_integer")
    if len(text) > len(str(LIMIT_MAX)) or not 1 <= int(text) <= LIMIT_MAX:
        raise _Wrong("out_of_range", min=1, max=LIMIT_MAX)
    return int(text)


def _time(text: str) -> datetime:
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise _Wrong("time_malformed")
    zone = (parts[2] or "+00:00").replace(" ", "+")
    try:
        return datetime.fromisoformat(parts[1].upper() + zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Wrong("time_malformed") from error


def _cursor(text: str, of: str, access: MerchantAccess) -> int:
    try:
        return key_of(text, of=of, access=access)
    except CursorInvalid as error:
        raise _Wrong("cursor_malformed") from error
