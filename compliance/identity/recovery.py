"""Recovery codes: ten words on paper, each of which opens one sign-in when the phone is gone."""

import base64
import os
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.models import RecoverySheet, User
from compliance.protection.fields import keyed_digest, keyed_digests

CODES: Final = 10
CODE_BYTES: Final = 10
PURPOSE: Final = "recovery code"


@transaction.atomic
def make_codes(*, user: User, actor: Actor, at: datetime) -> list[str]:
    """New codes for a person, shown once; the old ones die. Only digests are kept.

    The caller has asked for the second factor.
    """
    User.objects.select_for_update().get(pk=user.pk)
    codes = [_new_code() for _ in range(CODES)]
    RecoverySheet.objects.update_or_create(
        user=user,
        defaults={
            "name": "recovery", "confirmed": True, "created_at": at,
            "digests": [_digest(user, code) for code in codes],
        },
    )  # fmt: skip
    facts = {"username": user.username, "codes": CODES}
    record(actor, "recovery_codes.made", subject=("user", str(user.pk)), facts=facts, at=at)
    return codes


def codes_left(user: User) -> int:
    """How many codes are still good."""
    sheet = RecoverySheet.objects.filter(user=user).first()
    return len(sheet.digests) if sheet else 0


@transaction.atomic
def use_code(*, user: User, code: str, actor: Actor, at: datetime) -> RecoverySheet | None:
    """Use a code up; None when it is none of the person's. They are told by letter."""
    typed = plain(code)
    sheet: RecoverySheet | None = (
        RecoverySheet.objects.select_for_update().filter(user=user).first()
    )
    if sheet is None or not typed:
        return None
    known = {
        digest.hex() for digest in keyed_digests(f"{user.pk}:{typed}".encode(), purpose=PURPOSE)
    }
    found = next((digest for digest in sheet.digests if digest in known), None)
    if found is None:
        return None
    sheet.digests.remove(found)
    sheet.save(update_fields=["digests"])
    left = len(sheet.digests)
    facts = {"username": user.username, "left": left}
    record(actor, "recovery_codes.used", subject=("user", str(user.pk)), facts=facts, at=at)
    write_letter(user, "recovery_used", left=left, when=at, at=at)
    return sheet


def plain(code: str) -> str:
    """A code as it was made: people type small letters, spaces and dashes as they like."""
    return "".join(sign for sign in code.upper() if sign.isalnum() and sign.isascii())


def _new_code() -> str:
    text = base64.b32encode(os.urandom(CODE_BYTES)).decode()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def _digest(user: User, code: str) -> str:
    return keyed_digest(f"{user.pk}:{plain(code)}".encode(), purpose=PURPOSE).hex()
