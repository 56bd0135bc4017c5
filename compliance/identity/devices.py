"""Second factors: an authenticator app per person, enrolled once and asked at every sign-in."""

import base64
import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.models import Authenticator, Phone, RecoverySheet, SentCode, User
from compliance.identity.sessions import end_other_sessions, end_sessions
from compliance.identity.states import Ending

SECRET_BYTES: Final = 20
OFFER_LASTS: Final = timedelta(minutes=15)
"""After this time an enrolment that was begun starts over with another secret."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a code: the device that accepted it, or how long no code is looked at."""

    device: Device | None
    wait_seconds: int = 0


def has_device(user: User) -> bool:
    """Whether the person has enrolled a second factor: an authenticator app or a passkey."""
    found: bool = (
        Authenticator.objects.filter(user=user, confirmed=True).exists()
        or WebAuthnCredential.objects.filter(user=user, confirmed=True).exists()
    )
    return found


def enrolled_among(users: Collection[int]) -> frozenset[int]:
    """Those of the people, by row, who have enrolled a second factor."""
    apps = Authenticator.objects.filter(user__in=users, confirmed=True)
    keys = WebAuthnCredential.objects.filter(user__in=users, confirmed=True)
    return frozenset(apps.values_list("user", flat=True)) | frozenset(
        keys.values_list("user", flat=True)
    )


def has_authenticator(user: User) -> bool:
    """Whether the person has an authenticator app."""
    found: bool = Authenticator.objects.filter(user=user, confirmed=True).exists()
    return found


def enrolled_since(user: User) -> list[str]:
    """When each second factor of a person was enrolled, the oldest first."""
    apps = Authenticator.objects.filter(user=user, confirmed=True)
    keys = WebAuthnCredential.objects.filter(user=user, confirmed=True)
    times = [*apps.values_list("created_at", flat=True), *keys.values_list("created_at", flat=True)]
    return [time.isoformat(timespec="seconds") for time in sorted(times)]


def is_enrolled_without(device: WebAuthnCredential) -> bool:
    """Whether the person would still have a second factor without this passkey."""
    others = WebAuthnCredential.objects.filter(user=device.user, confirmed=True)
    return has_authenticator(device.user) or others.exclude(pk=device.pk).exists()


@transaction.atomic
def remove_all_devices(*, user: User, actor: Actor, at: datetime) -> None:
    """Take every second factor of a person away, recovery codes too. Their sessions end, and the
    next sign-in enrols anew.
    """
    end_sessions(user=user, why=Ending.SECOND_FACTOR, actor=actor, at=at)
    for devices in (Authenticator, WebAuthnCredential, RecoverySheet, SentCode, Phone):
        devices.objects.filter(user=user).delete()
    _tell("second_factor.removed", user, actor=actor, at=at)


@transaction.atomic
def offer_device(*, user: User, at: datetime) -> Authenticator:
    """The authenticator that the person is about to enrol; the same one while they try."""
    User.objects.select_for_update().get(pk=user.pk)
    offered: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=False).first()
    if offered is not None and offered.created_at > at - OFFER_LASTS:
        return offered
    if offered is not None:
        offered.delete()
    return _make(user, base64.b32encode(os.urandom(SECRET_BYTES)).decode(), at=at)


@transaction.atomic
def add_device(*, user: User, secret: str, actor: Actor, at: datetime) -> Authenticator:
    """Enrol an authenticator whose secret (base32) is known already: demo data and recovery."""
    device = _make(user, secret, at=at)
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    _tell("second_factor.enrolled", user, actor=actor, at=at)
    return device


def show_code(*, user: User, code: str, actor: Actor, at: datetime) -> Shown:
    """Check a code at sign-in. A wrong one delays the next try, twice as long each time."""
    return _check(user, code, is_enrolling=False, actor=actor, at=at)


def confirm_device(*, user: User, code: str, actor: Actor, at: datetime) -> Shown:
    """End an enrolment by the first code. A person who has a device already gets no second one."""
    if has_device(user):
        return Shown(None)
    return _check(user, code, is_enrolling=True, actor=actor, at=at)


@transaction.atomic
def replace_device(*, user: User, code: str, session: str, actor: Actor, at: datetime) -> Shown:
    """End the enrolment of another app by its first code; the app until now goes, and the person's
    other sessions end. The caller has asked for the second factor.
    """
    before = Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
    offered = Authenticator.objects.select_for_update().filter(user=user, confirmed=False).first()
    if offered is None:
        return Shown(None)
    is_allowed, why = offered.verify_is_allowed()
    if not is_allowed:
        wait = why["locked_until"] - at if why else timedelta(seconds=1)
        return Shown(None, wait_seconds=max(1, int(wait.total_seconds()) + 1))
    if not offered.verify_token(code):
        _tell("second_factor.refused", user, actor=actor, at=at)
        return Shown(None)
    if before is not None:
        before.delete()
    offered.confirmed = True
    offered.save(update_fields=["confirmed"])
    end_other_sessions(user=user, key=session, why=Ending.SECOND_FACTOR, actor=actor, at=at)
    _tell("second_factor.enrolled", user, actor=actor, at=at)
    return Shown(offered)


def enrolment_address(device: Authenticator) -> str:
    """What the QR code holds, for an authenticator app."""
    issuer = settings.OTP_TOTP_ISSUER
    query = urlencode({"secret": device.secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(device.user.get_username())}?{query}"


@transaction.atomic
def _check(user: User, code: str, *, is_enrolling: bool, actor: Actor, at: datetime) -> Shown:
    # The row's lock makes two requests with one code queue up, and the second finds it used.
    device = (
        Authenticator.objects.select_for_update(of=("self",))
        .filter(user=user, confirmed=not is_enrolling)
        .first()
    )
    if device is None:
        return Shown(None)
    is_allowed, why = device.verify_is_allowed()
    if not is_allowed:
        wait = why["locked_until"] - at if why else timedelta(seconds=1)
        return Shown(None, wait_seconds=max(1, int(wait.total_seconds()) + 1))
    if not device.verify_token(code):
        _tell("second_factor.refused", user, actor=actor, at=at)
        return Shown(None)
    if is_enrolling:
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        _tell("second_factor.enrolled", user, actor=actor, at=at)
    return Shown(device)


def _make(user: User, secret: str, *, at: datetime) -> Authenticator:
    device = Authenticator(user=user, name="authenticator", confirmed=False, created_at=at)
    device.keep_secret(secret)
    device.save()
    return device


def _tell(action: str, user: User, *, actor: Actor, at: datetime) -> None:
    record(actor, action, subject=("user", str(user.pk)), facts={"username": user.username}, at=at)
