"""What can happen to a merchant's application inside a gateway, and the reviewer who decides."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from payments.channels.sandbox.models import EnrolmentState, SandboxEnrolment, SandboxPicture
from payments.channels.sandbox.orders import GatewayRefusal, new_digits

REOPENED: Final = frozenset({EnrolmentState.REJECTED})
"""Only what was sent back may be handed in again."""

DECISIONS: Final[Mapping[str, EnrolmentState]] = {
    "review": EnrolmentState.AUDITING,
    "reject": EnrolmentState.REJECTED,
    "check": EnrolmentState.TO_BE_CONFIRMED,
    "sign": EnrolmentState.TO_BE_SIGNED,
    "open": EnrolmentState.SIGNING,
    "finish": EnrolmentState.FINISHED,
    "cancel": EnrolmentState.CANCELED,
    "odd": EnrolmentState.ODD,
}
"""What the control endpoint may have the reviewer do."""

_IDENTITY: Final = re.compile(r"[0-9]{17}[0-9X]")


class EnrolmentUnknown(GatewayRefusal):
    """No application has this number."""


class EnrolmentBusy(GatewayRefusal):
    """An application with this number is under way and cannot be handed in again."""


@transaction.atomic
def hand_in(
    *, gateway: str, merchant: str, number: str, gateway_number: str, fields: Sequence[str],
    at: datetime,
) -> SandboxEnrolment:  # fmt: skip
    """Take an application in; one that was sent back starts over under its old numbers."""
    row, is_new = SandboxEnrolment.objects.select_for_update().get_or_create(
        gateway=gateway, merchant=merchant, number=number,
        defaults={
            "gateway_number": gateway_number, "fields": list(fields), "created_at": at,
            "token": secrets.token_urlsafe(24),
        },
    )  # fmt: skip
    if is_new:
        return row
    if row.state not in REOPENED:
        raise EnrolmentBusy
    row.state, row.reasons, row.fields = EnrolmentState.AUDITING, {}, list(fields)
    row.times += 1
    row.save(update_fields=["state", "reasons", "fields", "times"])
    return row


def find(
    gateway: str, merchant: str, *, number: str = "", gateway_number: str = ""
) -> SandboxEnrolment:
    """An application by either number. Raises EnrolmentUnknown."""
    rows = SandboxEnrolment.objects.filter(gateway=gateway, merchant=merchant)
    row = rows.filter(**_named(number, gateway_number)).first()
    if row is None:
        raise EnrolmentUnknown
    return row


@transaction.atomic
def decide(
    *, gateway: str, number: str, decision: str, reasons: Mapping[str, str], at: datetime
) -> SandboxEnrolment:
    """The reviewer's word. Raises EnrolmentUnknown."""
    rows = SandboxEnrolment.objects.select_for_update().filter(gateway=gateway)
    row = rows.filter(number=number).first() or rows.filter(gateway_number=number).first()
    if row is None:
        raise EnrolmentUnknown
    row.state = DECISIONS[decision]
    row.reasons = dict(reasons) if row.state == EnrolmentState.REJECTED else {}
    if row.state == EnrolmentState.FINISHED and not row.sub_merchant:
        row.sub_merchant = _new_merchant(gateway, at)
    row.save(update_fields=["state", "reasons", "sub_merchant"])
    return row


def keep_picture(*, gateway: str, sha256: str) -> str:
    """A mark for a picture that came."""
    mark = secrets.token_urlsafe(48)
    SandboxPicture.objects.create(gateway=gateway, mark=mark, sha256=sha256)
    return mark


def has_picture(gateway: str, mark: object) -> bool:
    """Whether such a picture came before."""
    return (
        isinstance(mark, str) and SandboxPicture.objects.filter(gateway=gateway, mark=mark).exists()
    )


def is_identity(text: str) -> bool:
    """Whether it has the shape of an identity card's number."""
    return _IDENTITY.fullmatch(text) is not None


def sign_address(row: SandboxEnrolment) -> str:
    """The page on which the merchant signs."""
    return str(settings.BASE_URL) + reverse("sandbox:enrolment", args=[row.token])


def paths_of(members: Any, path: str = "") -> list[str]:
    """Where something is stated."""
    if isinstance(members, Mapping):
        pairs = [(f"{path}.{name}" if path else name, inner) for name, inner in members.items()]
    elif isinstance(members, list):
        pairs = [(path, inner) for inner in members]
    else:
        return [path]
    return list(dict.fromkeys(leaf for at, inner in pairs for leaf in paths_of(inner, at)))


def _named(number: str, gateway_number: str) -> dict[str, str]:
    return {"number": number} if number else {"gateway_number": gateway_number}


def _new_merchant(gateway: str, at: datetime) -> str:
    head = "2088" if gateway == "alipay" else "16"
    return head + new_digits(at, 20)[-(16 - len(head) if gateway == "alipay" else 8) :]
