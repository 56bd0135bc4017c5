"""Sends the sandbox's notifications until acknowledged, on each gateway's own schedule."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from typing import Final

import httpx
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import SandboxMessage
from payments.channels.sandbox.speaker import Letter, Speaker
from payments.channels.sandbox.speakers import SPEAKERS

LEASE_SECONDS: Final = 60
"""A message claimed by a sender that died is sent again after this."""
OLD_SECONDS: Final = 600
THREADS: Final = 16
ANSWER_SECONDS: Final = 10


class Tamper(StrEnum):
    """How the control endpoint can have a notification spoiled."""

    SIGNATURE = "signature"
    AMOUNT = "amount"
    UNSIGNED = "unsigned"
    PROBE = "probe"
    """WeChat Pay's deliberate wrong signature; elsewhere a wrong signature like any other."""
    OTHER_KEY = "other_key"
    """Well signed, by a stranger's key."""
    OLD = "old"
    """Well signed, ten minutes ago."""


@dataclass(frozen=True, slots=True)
class _Sent:
    message: SandboxMessage
    answer: str
    is_accepted: bool


def deliver_due(limit: int = 50, *, transport: httpx.BaseTransport | None = None) -> int:
    """Claim due messages, post them at the same time, write down the answers. Returns how many.

    Safe to run in many processes at once.
    """
    claimed = _claim(limit, timezone.now())
    if not claimed:
        return 0
    letters = [(message, _write(message)) for message in claimed]
    with (
        httpx.Client(transport=transport, timeout=ANSWER_SECONDS, trust_env=False) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        for sent in pool.map(lambda pair: _post(client, *pair), letters):
            _note(sent, timezone.now())
    return len(claimed)


@transaction.atomic
def _claim(limit: int, at: datetime) -> list[SandboxMessage]:
    due = list(
        SandboxMessage.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(due_at__lte=at)
        .select_related("order", "refund__order")
        .order_by("due_at", "pk")[:limit]
    )
    for message in due:
        message.tries += 1
        message.due_at = at + timedelta(seconds=LEASE_SECONDS)
    SandboxMessage.objects.bulk_update(due, ["tries", "due_at"])
    return due


def _write(message: SandboxMessage) -> Letter | None:
    """The letter as the gateway would send it now, spoiled if somebody asked for that."""
    speaker, at = SPEAKERS[message.gateway], timezone.now()
    keys = keys_of(speaker)
    if message.tamper == Tamper.OTHER_KEY:
        keys = strangers_keys(message.gateway)
    if message.tamper == Tamper.OLD:
        at -= timedelta(seconds=OLD_SECONDS)
    if message.refund is not None:
        return speaker.refund_notice(message.refund, keys, notice_id=message.notice_id, at=at)
    letter = speaker.payment_notice(message.order, keys, notice_id=message.notice_id, at=at)
    if message.tamper in (Tamper.SIGNATURE, Tamper.AMOUNT, Tamper.UNSIGNED, Tamper.PROBE):
        return speaker.tamper(letter, message.tamper)
    return letter


@cache
def strangers_keys(gateway: str) -> dict[str, str]:
    """Keys of the right kind that nobody trusts."""
    return SPEAKERS[gateway].make_keys()


def _post(client: httpx.Client, message: SandboxMessage, letter: Letter | None) -> _Sent:
    """Runs in a thread of its own; touches no database."""
    if letter is None:
        return _Sent(message, "nothing to say", is_accepted=True)
    try:
        answer = client.post(message.url, content=letter.body, headers=dict(letter.headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _Sent(message, type(error).__name__, is_accepted=False)
    accepted = SPEAKERS[message.gateway].is_accepted(answer.status_code, answer.content)
    text = str(answer.status_code)
    if not accepted and answer.status_code == HTTPStatus.OK:
        text += " with the wrong body"
    return _Sent(message, text, is_accepted=accepted)


def _note(sent: _Sent, at: datetime) -> None:
    message, speaker = sent.message, SPEAKERS[sent.message.gateway]
    message.answer = sent.answer
    if sent.is_accepted or message.tries >= message.tries_max:
        message.due_at = None
    else:
        message.due_at = at + _gap(speaker, message.tries)
    message.save(update_fields=["answer", "due_at"])


def _gap(speaker: Speaker, tries: int) -> timedelta:
    seconds = speaker.retry_gaps[min(tries, len(speaker.retry_gaps)) - 1]
    return timedelta(seconds=seconds / max(settings.SANDBOX_SPEED, 1))
