"""Erases what is over: seen first, asked for, agreed to by somebody else, done in steps, proven."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.registry import Facts, Kind, Order, register
from compliance.approvals.request import request_approval
from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.identity.roles import Ability
from compliance.numbers import new_number
from compliance.retention.classes import RetentionClass, classes, find_class
from compliance.retention.models import Erasure
from compliance.retention.states import ErasureState

KIND: Final = "retention.erase"
STEP: Final = 20
ONE_REQUEST_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Due:
    """A class and how much of it is over. `count` is None where nobody asks for it."""

    kept: RetentionClass
    count: int | None

    @property
    def days(self) -> int:
        """The term in full days."""
        return self.kept.term.days if self.kept.term else 0


def look_through(*, at: datetime) -> Sequence[Due]:
    """Every class and what of it is due; nothing is changed."""
    return [Due(one, len(_due(one, at)) if one.due is not None else None) for one in classes()]


def request_erasure(*, name: str, reason: str, maker: User, actor: Actor, at: datetime) -> Approval:
    """Ask that everything of a class whose time is over is destroyed. Raises ApprovalRefused."""
    kept = find_class(name)
    things = _due(kept, at) if kept else []
    if kept is None or not things:
        raise ApprovalRefused("no_change")
    return request_approval(
        kind=KIND, subject=("retention", name), reason=reason, maker=maker, actor=actor, at=at,
        payload={"class": name, "count": len(things), "digest": _digest(things),
                 "until": at.isoformat()},
    )  # fmt: skip


def go_on(*, at: datetime) -> int:
    """Erase some of what was agreed to; how many things. Called every minute, safe to run at once
    and after a crash: what is gone already is passed over.
    """
    gone, fault = 0, None
    for row in Erasure.objects.filter(state=ErasureState.RUNNING).order_by("pk"):
        try:
            gone += _step(row.pk, at=at)
        except OSError as error:  # A storage that is away for one does not stop the others.
            fault = error
    if fault is not None:
        raise fault
    return gone


def certificate_of(row: Erasure) -> tuple[str, str]:
    """The certificate and its SHA-256."""
    return row.certificate, hashlib.sha256(row.certificate.encode()).hexdigest()


def _step(pk: int, *, at: datetime) -> int:
    row = Erasure.objects.get(pk=pk)
    kept = find_class(row.class_name)
    if kept is None or kept.erase is None:
        return 0
    things = row.things[row.erased : row.erased + STEP]
    actor = Actor("system", "", "retention")
    if things:
        # Outside the lock: a storage is asked. Whoever does the same at once finds them gone.
        kept.erase(things, actor, at, row.reason)
    with transaction.atomic():
        locked = Erasure.objects.select_for_update().get(pk=pk)
        if locked.state != ErasureState.RUNNING or locked.erased != row.erased:
            return 0
        locked.erased += len(things)
        locked.save(update_fields=["erased"])
        if locked.erased == len(locked.things):
            locked.move(ErasureState.DONE, at=at, certificate=_certificate(locked, kept, at))
            digest = certificate_of(locked)[1]
            facts = {"class": row.class_name, "count": locked.erased, "certificate": digest}
            record(actor, "retention.erased", subject=("erasure", row.public_id), facts=facts,
                   reason=row.reason, at=at)  # fmt: skip
    return len(things)


def _certificate(row: Erasure, kept: RetentionClass, at: datetime) -> str:
    told = {
        "erasure": row.public_id, "request": row.request, "class": row.class_name,
        "basis": str(kept.basis), "count": len(row.things), "things": row.things,
        "things_sha256": _digest(row.things), "asked_by": row.asked_by,
        "agreed_by": row.agreed_by, "reason": row.reason,
        "agreed_at": row.created_at.isoformat(), "finished_at": at.isoformat(),
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1)


def _due(kept: RetentionClass, at: datetime) -> list[str]:
    cutoff = kept.cutoff(at)
    if kept.due is None or cutoff is None:
        return []
    return sorted(kept.due(cutoff))[:ONE_REQUEST_MAX]


def _digest(things: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(things).encode()).hexdigest()


def _look(subject: tuple[str, str], payload: Facts) -> Facts:
    """What was due when it was asked for: something erased or held back since makes it stale."""
    kept = find_class(subject[1])
    things = _due(kept, datetime.fromisoformat(payload["until"])) if kept else []
    return {"count": len(things), "digest": _digest(things)}


def _execute(order: Order) -> None:
    kept = find_class(order.subject[1])
    things = _due(kept, datetime.fromisoformat(order.payload["until"])) if kept else []
    Erasure.objects.create(
        public_id=new_number("ers_", at=order.at), request=order.number,
        class_name=order.subject[1], things=things, asked_by=order.maker.username,
        agreed_by=order.actor.label, reason=order.reason, created_at=order.at,
    )  # fmt: skip


def register_kinds() -> None:
    """Called once, when the application is ready."""
    register(
        Kind(
            name=KIND, label=gettext_lazy("Erase what is kept longer than its term"),
            maker=Ability.RETENTION_REQUEST, checker=Ability.RETENTION_APPROVE,
            look=_look, execute=_execute,
            page=lambda _name: reverse("desk:retention"),
            words={
                "class": gettext_lazy("class"), "count": gettext_lazy("how many"),
                "digest": gettext_lazy("fingerprint of the list"),
                "until": gettext_lazy("due at"),
            },
        )
    )  # fmt: skip
