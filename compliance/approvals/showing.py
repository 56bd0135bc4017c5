"""A request as people read it, in the admin and in the portal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from compliance.approvals.models import Approval
from compliance.approvals.registry import find_kind
from compliance.approvals.states import ApprovalState
from compliance.identity.stepup import Deed, Fact

TONES: Final = {
    ApprovalState.PENDING: "warn",
    ApprovalState.EXECUTED: "ok",
    ApprovalState.REJECTED: "bad",
    ApprovalState.VOID: "bad",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One name of a payload, with how it stood and what is asked for."""

    name: Any
    before: str
    after: str


def label_of(approval: Approval) -> str:
    """The kind in words; its bare name when no room registers it any more."""
    kind = find_kind(approval.kind)
    return str(kind.label) if kind else approval.kind


def page_about(approval: Approval) -> str:
    """The address of the staff's page about the subject; "" when there is none."""
    kind = find_kind(approval.kind)
    return kind.page(approval.subject_id) if kind else ""


def tone_of(approval: Approval) -> str:
    """The colour of its state."""
    return TONES.get(ApprovalState(approval.state), "neutral")


def lines_of(approval: Approval) -> list[Line]:
    """What is asked for beside how it stood, name by name.

    They come in the order of the kind's words. What the request does not speak of stays as it
    stood.
    """
    kind = find_kind(approval.kind)
    words = kind.words if kind else {}
    values = kind.values if kind else {}
    before, after = json.loads(approval.before), json.loads(approval.payload)
    places = {name: place for place, name in enumerate(words)}
    names = sorted(before | after, key=lambda name: (places.get(name, len(places)), name))

    def shown(name: str, value: object) -> str:
        return _shown(value, values.get(name, {}))

    return [
        Line(
            words.get(name, name),
            shown(name, before[name]) if name in before else "",
            shown(name, after.get(name, before.get(name))),
        )
        for name in names
        if words.get(name) != ""
    ]


def executing(approval: Approval, *, purpose: str, title: str, reason: str) -> Deed:
    """What somebody confirms with a second factor whose word may execute the request."""
    about = f"{approval.subject_kind} {approval.subject_id}"
    return Deed(
        purpose=purpose,
        title=title,
        facts=(
            Fact("request", _("Request"), approval.public_id),
            Fact("kind", _("Kind"), label_of(approval)),
            Fact("subject", _("Subject"), about),
            Fact("maker", _("Asked by"), str(approval.maker)),
            Fact("payload", _("Fingerprint"), approval.payload_sha256),
            Fact("reason", _("Reason"), reason or approval.reason),
        ),
    )


def _shown(value: object, told: Mapping[str, Any]) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_shown(part, told) for part in value) or "–"
    if isinstance(value, str):
        return str(told.get(value, value))
    return json.dumps(value, ensure_ascii=False)
