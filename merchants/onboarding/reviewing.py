"""The reviewers' desk: a word on each field and paper, back to the applicant, or no."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.models import User
from compliance.identity.people import joined
from compliance.identity.roles import Ability, may
from compliance.protection.vault.states import FileState
from merchants.access import people_who_may
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus
from merchants.days import day_of
from merchants.onboarding.models import Application, Verdict
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.refusals import ApplicationNotFound, VerdictRefused
from merchants.onboarding.states import ApplicationState
from merchants.onboarding.words import REASONS

TEXT_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Word:
    """A reviewer's word on one field or paper."""

    target: str
    is_right: bool
    reason: str = ""
    told: str = ""
    note: str = ""


@transaction.atomic
def give_verdicts(
    *, application: str, words: Sequence[Word], by: User, actor: Actor, at: datetime
) -> int:
    """Keep what a reviewer says of fields and papers in this round; how many words were kept.

    A later word on the same takes the place of an earlier one. Raises ApplicationNotFound, or
    VerdictRefused: ability_missing, own_merchant, not_in_review, target_unknown, reason_missing,
    words_missing, or paper_waits: nobody finds a paper right that nobody could look at.
    """
    row = lock_for_review(application, by)
    standing = standing_of(row, on=day_of(at))
    known = targets_of(standing)
    unseen = {one.file.public_id for one in standing.documents if one.file.state != FileState.CLEAN}
    for word in words:
        _require_sound(word, known, unseen)
        Verdict.objects.update_or_create(
            application=row, round=row.round, target=word.target,
            defaults={
                "is_right": word.is_right, "reason": "" if word.is_right else word.reason,
                "told": word.told.strip()[:TEXT_MAX], "note": word.note.strip()[:TEXT_MAX],
                "by": by, "at": at,
            },
        )  # fmt: skip
    record(
        actor, "application.verdicts_given", subject=("application", row.public_id),
        facts={
            "round": row.round,
            "right": sorted(word.target for word in words if word.is_right),
            "wrong": sorted(f"{word.target}: {word.reason}" for word in words if not word.is_right),
        },
        at=at,
    )  # fmt: skip
    return len(words)


@transaction.atomic
def ask_for_changes(
    *, application: str, told: str, by: User, actor: Actor, at: datetime
) -> Application:
    """Send it back: the applicant mends what was rejected, and only that, and submits again.

    Raises ApplicationNotFound, or VerdictRefused (nothing_rejected among them).
    """
    row = lock_for_review(application, by)
    wrong = row.verdicts.filter(round=row.round, is_right=False)
    if not wrong.exists():
        raise VerdictRefused("nothing_rejected")
    return _send_back(
        row, ApplicationState.NEEDS_CHANGES, "application_changes", told=told, actor=actor, at=at
    )


@transaction.atomic
def reject_application(
    *, application: str, told: str, by: User, actor: Actor, at: datetime
) -> Application:
    """Say no for good. The applicant reads why, and may begin another application.

    Raises ApplicationNotFound, or VerdictRefused (words_missing among them).
    """
    row = lock_for_review(application, by)
    if not told.strip():
        raise VerdictRefused("words_missing")
    return _send_back(
        row, ApplicationState.REJECTED, "application_rejected", told=told, actor=actor, at=at
    )


def _require_sound(word: Word, known: Mapping[str, str], unseen: Collection[str]) -> None:
    if word.target not in known:
        raise VerdictRefused("target_unknown", target=word.target[:64])
    if word.is_right and word.target in unseen:
        raise VerdictRefused("paper_waits", target=word.target)
    if not word.is_right and word.reason not in REASONS:
        raise VerdictRefused("reason_missing", target=word.target)
    if word.reason == "other" and not word.told.strip():
        raise VerdictRefused("words_missing", target=word.target)


def targets_of(standing: Standing) -> Mapping[str, str]:
    """What a word is given on: fields as "section.field", papers by the number of their file; with
    the section, or "documents".
    """
    fields = {
        f"{name}.{field.name}": name
        for name, part in standing.parts.items()
        for field in part.section.fields
    }
    return fields | {one.file.public_id: "documents" for one in standing.documents}


def lock_for_review(application: str, by: User) -> Application:
    """The application, locked, for somebody who may review it.

    Nobody reviews the application of a merchant that they belong to, with whatever account.
    Raises ApplicationNotFound, or VerdictRefused: ability_missing, own_merchant, not_in_review.
    """
    row = Application.objects.select_for_update().filter(public_id=application).first()
    if row is None:
        raise ApplicationNotFound
    if not may(by, Ability.MERCHANTS_REQUEST):
        raise VerdictRefused("ability_missing")
    if row.merchant.members.filter(user__person_ref=by.person_ref).exists():
        raise VerdictRefused("own_merchant")
    if row.state != ApplicationState.IN_REVIEW:
        raise VerdictRefused("not_in_review", state=str(row.state))
    return row


def tell_owners(application: Application, letter: str, *, at: datetime) -> None:
    """Write to those who may act on the application. Called in the transaction of the deed."""
    merchant = application.merchant
    for owner in joined(people_who_may(APPLICATION_WRITE, merchant=merchant.public_id)):
        write_letter(
            owner, letter, at=at, merchant=merchant.public_id, business=merchant.name,
            told=application.told, number=application.public_id,
        )  # fmt: skip


def _send_back(
    row: Application, to: ApplicationState, letter: str, *, told: str, actor: Actor, at: datetime
) -> Application:
    row.move(to, at=at, told=told.strip()[:TEXT_MAX])
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=row.merchant_id)
    merchant.move(MerchantStatus.APPLICANT, at=at)
    tell_owners(row, letter, at=at)
    record(
        actor, f"application.{to.value}", subject=("application", row.public_id),
        facts={"round": row.round}, before={"state": str(ApplicationState.IN_REVIEW)},
        after={"state": str(to)}, reason=told.strip(), at=at,
    )  # fmt: skip
    return row
