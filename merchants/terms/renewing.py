"""A merchant hands in a new paper, and a reviewer accepts or refuses it."""

from collections.abc import Callable
from datetime import date, datetime

from django.db import IntegrityError, transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.models import User
from compliance.identity.roles import Ability, may
from compliance.numbers import new_number
from compliance.protection.vault.files import Upload, erase_file, take_in
from compliance.protection.vault.states import FileState
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.days import day_of
from merchants.errors import MerchantRefusal
from merchants.terms.models import Renewal, Term
from merchants.terms.states import RenewalState, TermKind
from merchants.terms.watch import begin_terms, look_at

PURPOSE = "renewal"

NextReview = Callable[[Merchant, Actor, datetime], date]
_next_review: list[NextReview] = []


def register_next_review(ask: NextReview) -> None:
    """Whoever grades merchants says when one confirms its data next; called once, at the start.

    `ask` is called in the transaction of the acceptance, under the merchant's lock.
    """
    _next_review[:] = [ask]


class RenewalRefused(MerchantRefusal):
    """A renewal cannot be asked for or decided. Its `code` says why."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)


def ask_for_renewal(
    *, access: MerchantAccess, by: User, term: int, upload: Upload, last_day: date | None,
    at: datetime,
) -> Renewal:  # fmt: skip
    """Hand in a new paper. Called outside transactions: it asks a scanner and a storage.

    Raises AccessRefused, FileRefused, or RenewalRefused: term_unknown, ends_too_early (not after
    the paper it replaces), waiting_already.
    """
    require(access, APPLICATION_WRITE)
    row = Term.objects.filter(
        pk=term, merchant_id=access.merchant_id, replaced_at__isnull=True
    ).first()
    if row is None or row.kind == TermKind.REVIEW:
        raise RenewalRefused("term_unknown")
    if row.renewals.filter(state=RenewalState.WAITING).exists():
        raise RenewalRefused("waiting_already")
    is_early = last_day is not None and (
        last_day < day_of(at) or row.last_day is None or last_day <= row.last_day
    )
    if is_early:
        raise RenewalRefused("ends_too_early")
    file = take_in(
        upload, purpose=PURPOSE, owner=("merchant", access.merchant), actor=access.actor, at=at
    )
    try:
        with transaction.atomic():
            renewal = Renewal.objects.create(
                public_id=new_number("ren_", at=at), term=row, file=file, last_day=last_day,
                asked_by=by, asked_at=at,
            )  # fmt: skip
            record(
                access.actor, "renewal.asked", subject=("merchant", access.merchant),
                facts={
                    "renewal": renewal.public_id, "kind": row.kind, "last_day": str(last_day or ""),
                    "file": file.public_id,
                },
                at=at,
            )  # fmt: skip
    except IntegrityError as error:
        # Somebody else was quicker: one renewal waits at a time.
        erase_file(file, actor=access.actor, at=at, reason="another renewal waits")
        if "renewal_one_waiting" not in str(error):
            raise
        raise RenewalRefused("waiting_already") from None
    return renewal


@transaction.atomic
def accept_renewal(*, renewal: str, by: User, actor: Actor, at: datetime) -> Renewal:
    """Let the new paper count. A merchant that was limited or stopped for the old one works again.

    Raises RenewalRefused: unknown, ability_missing, own_merchant, paper_waits; or IllegalMove.
    """
    merchant, row = _lock(renewal, by)
    if row.file is not None and row.file.state != FileState.CLEAN:
        raise RenewalRefused("paper_waits")
    if row.term.kind == TermKind.REVIEW:
        row.last_day = _next_review[0](merchant, actor, at)
        row.save(update_fields=["last_day"])
    row.move(RenewalState.ACCEPTED, by=by, reason="", at=at)
    begin_terms(
        merchant=merchant, terms=[Term(kind=row.term.kind, last_day=row.last_day)], actor=actor,
        at=at,
    )  # fmt: skip
    _tell("renewal.accepted", merchant, row, actor=actor, at=at)
    look_at(merchant_id=merchant.pk, actor=actor, at=at)
    return row


@transaction.atomic
def refuse_renewal(*, renewal: str, reason: str, by: User, actor: Actor, at: datetime) -> Renewal:
    """Send the new paper back with a reason. Raises RenewalRefused (reason_missing among them) or
    IllegalMove.
    """
    merchant, row = _lock(renewal, by)
    if not reason.strip():
        raise RenewalRefused("reason_missing")
    row.move(RenewalState.REFUSED, by=by, reason=reason.strip(), at=at)
    _tell("renewal.refused", merchant, row, actor=actor, at=at)
    return row


def _lock(renewal: str, by: User) -> tuple[Merchant, Renewal]:
    """The merchant's row first, as everybody who moves a merchant locks it."""
    found = Renewal.objects.filter(public_id=renewal).select_related("term").first()
    if found is None:
        raise RenewalRefused("unknown")
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=found.term.merchant_id)
    if not may(by, Ability.MERCHANTS_REQUEST):
        raise RenewalRefused("ability_missing")
    if merchant.members.filter(user__person_ref=by.person_ref).exists():
        raise RenewalRefused("own_merchant")
    row = (
        Renewal.objects.select_for_update(of=["self"])
        .select_related("term", "file", "asked_by")
        .get(pk=found.pk)
    )
    return merchant, row


def _tell(deed: str, merchant: Merchant, row: Renewal, *, actor: Actor, at: datetime) -> None:
    is_accepted = row.state == RenewalState.ACCEPTED
    if row.term.kind == TermKind.REVIEW:
        write_letter(
            row.asked_by, "confirmation_decided", at=at, merchant=merchant.public_id,
            business=merchant.name,
            is_accepted=is_accepted, next_day=row.last_day, reason=row.reason,
        )  # fmt: skip
    else:
        write_letter(
            row.asked_by, "renewal_decided", at=at, merchant=merchant.public_id,
            business=merchant.name,
            paper=TermKind(row.term.kind).label, is_accepted=is_accepted, reason=row.reason,
        )  # fmt: skip
    record(
        actor, deed, subject=("merchant", merchant.public_id),
        facts={"renewal": row.public_id, "kind": row.term.kind}, reason=row.reason, at=at,
    )  # fmt: skip
