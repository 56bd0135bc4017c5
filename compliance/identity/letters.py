"""E-mail to people: written in the transaction of what it tells, sent by a worker afterwards.

So nobody is told what did not happen, and nobody waits for a mail server. What a letter says is
sealed until it is sent, and then forgotten: it may hold a link that opens something.
"""

import logging
import smtplib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from compliance.identity.letter_kinds import find_letter_kind
from compliance.identity.models import Letter, Phone, User
from compliance.identity.notices import put_notice
from compliance.identity.sms import SmsNotSent, sms_sender
from compliance.identity.zones import platform_zone, zone_of
from compliance.numbers import new_number
from compliance.protection.fields import seal, unseal

log: Final = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=2)
TRIES_MAX: Final = 8
LOT: Final = 50
KEPT: Final = timedelta(days=30)
LANGUAGE: Final = "zh-hans"
"""Of people who chose none."""


def write_letter(
    user: User, template: str, *, at: datetime, until: datetime | None = None, to: str = "",
    merchant: str = "", page: str = "", **facts: object,
) -> None:  # fmt: skip
    """Write to a person in their language and time zone, and lay a notice before a member. Called
    inside the transaction of the deed.

    `template` names two files in templates/letters: the subject's line, an empty line, the text.
    After `until` the letter is of no use and is not sent any more. `to` is another address than the
    person's own: the one they had before. `merchant` is the number of whom it concerns, `page` the
    path where one acts on it, where that is not the one of the letter's kind. Names that are
    translated come as they are, not as text: the reader's language is another than the doer's.
    """
    kind = find_letter_kind(template)
    told = {"person": user, **facts}
    page = page or (reverse(kind.page) if kind and kind.page else "")
    # The staff have queues, and no notices.
    if kind and page and not user.is_staff:
        codes = [code for code, _name in settings.LANGUAGES]
        subjects = {code: _written(template, code, told, user)[0] for code in codes}
        put_notice(user, about=template, subjects=subjects, page=page, merchant=merchant, at=at)
    if kind and kind.is_optional and template in user.letters_off:
        return
    subject, body = _written(template, user.language, told, user)
    number = new_number("ltr_", at=at)
    Letter.objects.create(
        public_id=number,
        user=user,
        to=to or user.email,
        about=template,
        body_sealed=seal(f"{subject}\n\n{body}\n", bound_to=f"letter:{number}"),
        created_at=at,
        next_try_at=at,
        until=until,
    )


def write_letter_to_stranger(
    address: str, template: str, *, language: str, at: datetime, until: datetime | None = None,
    **facts: object,
) -> None:  # fmt: skip
    """Write to somebody who has no account. Called inside the transaction of the deed.

    The address is sealed with the text and forgotten with it.
    """
    subject, body = _written(template, language, facts)
    number = new_number("ltr_", at=at)
    Letter.objects.create(
        public_id=number, user=None, to="", about=template, created_at=at, next_try_at=at,
        until=until,
        body_sealed=seal(f"{address}\n\n{subject}\n\n{body}\n", bound_to=f"letter:{number}"),
    )  # fmt: skip


def _written(
    template: str, language: str, facts: Mapping[str, object], user: User | None = None
) -> tuple[str, str]:
    zone = zone_of(user) if user else platform_zone()
    with override(language or LANGUAGE), timezone.override(zone):
        written = render_to_string(f"letters/{template}.txt", dict(facts))
    subject, _empty, body = written.strip().partition("\n\n")
    return " ".join(subject.split()), body.strip()


def write_sms(user: User, code: str, *, is_offered: bool, at: datetime, until: datetime) -> None:
    """Write a code to a person's phone, or to the one that is still to be confirmed. Called inside
    the transaction of the deed.
    """
    number = new_number("ltr_", at=at)
    Letter.objects.create(
        public_id=number, user=user, to="", about="sms.offered" if is_offered else "sms",
        body_sealed=seal(code, bound_to=f"letter:{number}"), created_at=at, next_try_at=at,
        until=until,
    )  # fmt: skip


def send_letters(*, at: datetime) -> int:
    """Send what is due; how many were sent. Safe to run at once: each takes other rows.

    A letter is taken for two minutes before the mail server is asked, and no lock is held
    meanwhile. Who dies in between leaves it to be sent again: twice is better than never.
    """
    sent = 0
    for row in _take(at):
        if row.until is not None and row.until <= at:
            _end(row, is_sent=False, at=at)
            continue
        try:
            _send(row)
        except (OSError, smtplib.SMTPException, SmsNotSent) as error:
            log.warning("letter %s was not sent: %s", row.public_id, type(error).__name__)
            if row.tries >= TRIES_MAX:
                _end(row, is_sent=False, at=at)
            continue
        _end(row, is_sent=True, at=at)
        sent += 1
    return sent


def forget_old_letters(*, at: datetime) -> int:
    """Delete what is known of letters of weeks ago. Called once an hour."""
    gone, _each = Letter.objects.filter(created_at__lt=at - KEPT).delete()
    return gone


def _send(row: Letter) -> None:
    text = unseal(row.body_sealed, bound_to=f"letter:{row.public_id}")
    to = row.to
    if row.user is None:
        to, _empty, text = text.partition("\n\n")
    if to:
        subject, _empty, body = text.partition("\n\n")
        EmailMessage(subject, body, to=[to]).send()
        return
    is_offered = row.about == "sms.offered"
    phone = Phone.objects.filter(user=row.user, confirmed_at__isnull=is_offered).first()
    if phone is None:
        return
    try:
        sms_sender().send(number=phone.number_sealed.open(), code=text)
    except Exception as error:
        # A provider that is set up wrongly must not hold up the letters behind this one.
        raise SmsNotSent(type(error).__name__) from error


@transaction.atomic
def _take(at: datetime) -> list[Letter]:
    due = Letter.objects.filter(ended_at__isnull=True, next_try_at__lte=at).order_by("next_try_at")
    rows = list(due.select_for_update(skip_locked=True)[:LOT])
    for row in rows:
        row.tries += 1
        row.next_try_at = at + LEASE * 2 ** (row.tries - 1)
        row.save(update_fields=["tries", "next_try_at"])
    return rows


def _end(row: Letter, *, is_sent: bool, at: datetime) -> None:
    Letter.objects.filter(pk=row.pk).update(ended_at=at, is_sent=is_sent, body_sealed="")
