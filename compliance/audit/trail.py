"""The only way to write an audit entry, in the transaction of the change that it tells of."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from compliance.audit.actor import Actor
from compliance.database import prepared


def entry_insert(*, subject_id: str = "%(audit_subject_id)s") -> str:
    """For a caller that writes the entry inside a larger statement; a FROM or WHERE may follow.

    Its values come from `entry_values`; `subject_id` names a column when only the statement knows
    the subject. To be called with constants.
    """
    return f"""
INSERT INTO compliance_auditentry
       (at, actor_kind, actor_id, actor_label, address, action, subject_kind, subject_id,
        facts, reason, person, role, agent, before, after)
SELECT %(audit_at)s, %(audit_actor_kind)s, %(audit_actor_id)s, %(audit_actor_label)s,
       %(audit_address)s, %(audit_action)s, %(audit_subject_kind)s, {subject_id},
       %(audit_facts)s::jsonb, %(audit_reason)s, %(audit_person)s::bigint, %(audit_role)s,
       %(audit_agent)s, %(audit_before)s::jsonb, %(audit_after)s::jsonb
"""


_ENTRY_INSERT: Final = entry_insert()

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def entry_values(
    actor: Actor,
    action: str,
    *,
    subject: tuple[str, str],
    facts: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    at: datetime,
) -> dict[str, object]:
    """The parameters of `entry_insert`. What a column cannot hold is cut, never refused."""
    return {
        "audit_at": at,
        "audit_actor_kind": actor.kind[:16],
        "audit_actor_id": _plain(actor.id, 64),
        "audit_actor_label": _plain(actor.label, 128),
        "audit_address": _plain(actor.address, 45),
        "audit_action": action[:64],
        "audit_subject_kind": subject[0][:32],
        "audit_subject_id": _plain(subject[1], 64),
        "audit_facts": _json(facts) if facts else "{}",
        "audit_reason": _plain(reason, 4096),
        "audit_person": actor.person,
        "audit_role": _plain(actor.role, 128),
        "audit_agent": cleaned(actor.agent, 200) if actor.agent else "",
        "audit_before": _json(before) if before else "{}",
        "audit_after": _json(after) if after else "{}",
    }


def record(
    actor: Actor,
    action: str,
    *,
    subject: tuple[str, str],
    facts: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> None:
    """Write that `actor` did `action` to `subject` (kind, public id).

    Must be called inside the transaction of the change. `facts`, and what the deed changed in
    `before` and `after`, are JSON without secrets: what is sensitive is masked, or named only.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            f"{action} is recorded outside the transaction of its change"
        )
    prepared(
        _ENTRY_INSERT,
        entry_values(
            actor,
            action,
            subject=subject,
            facts=facts,
            before=before,
            after=after,
            reason=reason,
            at=at or timezone.now(),
        ),
    )


def cleaned(text: str, length: int) -> str:
    """What strangers wrote, fit for a line: no characters that a reader cannot see."""
    text = text[:length]
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else REPLACEMENT for sign in text)


def _plain(text: str, length: int) -> str:
    """PostgreSQL's text holds neither NUL nor half of a surrogate pair."""
    return text.replace("\0", REPLACEMENT).encode(errors="replace").decode()[:length]


def _json(facts: Mapping[str, Any]) -> str:
    text = json.dumps(dict(facts), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if "u0000" in text:
        text = _ESCAPED_NUL.sub(rf"\1{REPLACEMENT}", text)
    return text.encode(errors="replace").decode()
