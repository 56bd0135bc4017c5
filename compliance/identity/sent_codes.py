"""Codes that are sent to a mailbox or a phone: second factors for the day without the app.

A code belongs to one person, one purpose and one session, lasts ten minutes, and dies with the
fifth wrong try. One by e-mail does not do where the first factor came by e-mail too: a mailbox
alone must not open an account.
"""

import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.devices import has_device
from compliance.identity.email_models import EmailChange
from compliance.identity.errors import PhoneMissing
from compliance.identity.letters import write_letter, write_sms
from compliance.identity.links import LASTS as LASTS_OF_LINKS
from compliance.identity.models import MailedLink, Phone, SentCode, User
from compliance.identity.sessions import digest_of
from compliance.identity.states import CodeMeans, LinkKind
from compliance.limits import spend
from compliance.numbers import new_number
from compliance.protection.fields import keyed_digests
from compliance.protection.masking import Kind, masked

LASTS: Final = timedelta(minutes=10)
TRIES_MAX: Final = 5
MAILBOX_RESTS: Final = timedelta(hours=24)
"""After a password by e-mail no second factor comes by e-mail for so long."""
ADDRESS_RESTS: Final = LASTS_OF_LINKS[LinkKind.EMAIL_UNDO]
_DIGEST: Final = "sent code"
SIGN_IN: Final = "signin"
PHONE: Final = "phone"


def means_of(user: User, *, is_by_mail: bool, at: datetime) -> Collection[CodeMeans]:
    """How a code can reach the person at sign-in. `is_by_mail`: a link stood for the password."""
    if not has_device(user):
        return []  # They enrol a second factor of their own first.
    reset = MailedLink.objects.filter(
        user=user, kind=LinkKind.PASSWORD, is_used=True, ended_at__gt=at - MAILBOX_RESTS
    )
    # Nor to an address so new that the old one may still take the account back.
    is_new = EmailChange.objects.filter(
        user=user, changed_at__gt=at - ADDRESS_RESTS, undone_at__isnull=True
    )
    is_out = is_by_mail or reset.exists() or is_new.exists()
    means = [] if is_out else [CodeMeans.EMAIL]
    has_phone = Phone.objects.filter(user=user, confirmed_at__isnull=False).exists()
    if settings.SMS_SENDER and has_phone:
        means.append(CodeMeans.SMS)
    return means


def shown_phone(user: User) -> str:
    """The person's confirmed number, masked; "" without one."""
    row = Phone.objects.filter(user=user, confirmed_at__isnull=False).first()
    return masked(row.number_sealed.open(), kind=Kind.PHONE) if row else ""


def send_code(
    *, user: User, means: CodeMeans, purpose: str, session: str, actor: Actor, at: datetime
) -> None:
    """Send a new code; the one before dies. Raises TooMany.

    The caller has asked `means_of`.
    """
    doers = [str(user.pk)]
    if means == CodeMeans.SMS:
        # Many accounts together must not flood one phone either.
        doers.append(f"phone {_number(user, is_offered=purpose == PHONE)}")
    for doer in doers:
        for limit in ("sent_code.minute", "sent_code.hour", "sent_code.day"):
            spend(limit, doer)
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction.atomic():
        SentCode.objects.update_or_create(
            user=user,
            defaults={
                "name": "sent code", "confirmed": True, "means": means, "purpose": purpose,
                "session": digest_of(session), "digest": _digests(user, purpose, code)[0],
                "tries": 0, "created_at": at, "used_at": None,
            },
        )  # fmt: skip
        if means == CodeMeans.SMS:
            write_sms(user, code, is_offered=purpose == PHONE, until=at + LASTS, at=at)
        else:
            write_letter(user, "code", code=code, until=at + LASTS, at=at)
        facts = {"username": user.username, "means": str(means.value), "purpose": purpose}
        record(actor, "code.sent", subject=("user", str(user.pk)), facts=facts, at=at)


@transaction.atomic
def take_code(
    *, user: User, purpose: str, session: str, code: str, actor: Actor, at: datetime
) -> SentCode | None:
    """Use a code up. None: wrong, late, used, tried too often, or for something else."""
    row: SentCode | None = SentCode.objects.select_for_update().filter(user=user).first()
    if row is None or row.used_at is not None or row.purpose != purpose:
        return None
    is_here = bytes(row.session) == digest_of(session)
    if not is_here or at - row.created_at >= LASTS or row.tries >= TRIES_MAX:
        return None
    known = _digests(user, purpose, code)
    if any(hmac.compare_digest(bytes(row.digest), digest) for digest in known):
        row.used_at = at
        row.save(update_fields=["used_at"])
        return row
    row.tries += 1
    row.save(update_fields=["tries"])
    facts = {"username": user.username, "means": str(row.means)}
    record(actor, "second_factor.refused", subject=("user", str(user.pk)), facts=facts, at=at)
    return None


@transaction.atomic
def offer_phone(*, user: User, number: str, at: datetime) -> None:
    """Keep a number that is still to be confirmed. The caller has asked for the second factor.

    A code that went to another number confirms this one no more.
    """
    SentCode.objects.filter(user=user, purpose=PHONE, used_at__isnull=True).update(used_at=at)
    Phone.objects.filter(user=user, confirmed_at__isnull=True).delete()
    Phone.objects.create(
        public_id=new_number("phn_", at=at), user=user, number_sealed=number, created_at=at
    )


@transaction.atomic
def confirm_phone(*, user: User, session: str, code: str, actor: Actor, at: datetime) -> bool:
    """Take the offered number with the code that was sent to it, in place of the one before."""
    offered = Phone.objects.filter(user=user, confirmed_at__isnull=True).first()
    if offered is None or not take_code(
        user=user, purpose=PHONE, session=session, code=code, actor=actor, at=at
    ):
        return False
    Phone.objects.filter(user=user, confirmed_at__isnull=False).delete()
    offered.confirmed_at = at
    offered.save(update_fields=["confirmed_at"])
    facts = {"username": user.username, "phone": shown_phone(user)}
    record(actor, "person.phone_changed", subject=("user", str(user.pk)), facts=facts, at=at)
    write_letter(user, "phone_changed", phone=shown_phone(user), when=at, at=at)
    return True


@transaction.atomic
def remove_phone(*, user: User, actor: Actor, at: datetime) -> None:
    """Forget the person's phone, the confirmed one and one that was offered. Raises PhoneMissing.

    The caller has asked for the second factor. Codes on their way to it open nothing any more.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    shown = shown_phone(user)
    if not shown:
        raise PhoneMissing
    SentCode.objects.filter(user=user, means=CodeMeans.SMS, used_at__isnull=True).update(used_at=at)
    Phone.objects.filter(user=user).delete()
    facts = {"username": user.username, "phone": shown}
    record(actor, "person.phone_removed", subject=("user", str(user.pk)), facts=facts, at=at)
    write_letter(user, "phone_removed", phone=shown, when=at, at=at)


def _number(user: User, *, is_offered: bool) -> str:
    row = Phone.objects.filter(user=user, confirmed_at__isnull=is_offered).first()
    return row.number_sealed.open() if row else ""


def _digests(user: User, purpose: str, code: str) -> list[bytes]:
    return keyed_digests(f"{user.pk}:{purpose}:{code.strip()}".encode(), purpose=_DIGEST)
