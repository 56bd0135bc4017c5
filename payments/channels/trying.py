"""Tries a configuration: one real, signed question to the gateway, and what came of it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from payments.channels.base import Done, OrderKey, Outcome, Rejected, Trade, Unknown
from payments.channels.configuring import connection_of, find_version
from payments.channels.registry import connect, dialects


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`result` is `works`, `refused` (our keys or numbers are wrong there) or `no_answer`; `code`
    and `told` are the gateway's own words.
    """

    result: str
    code: str = ""
    told: str = ""


def try_version(*, code: str, number: int, actor: Actor, at: datetime) -> Trial:
    """Ask the gateway about an order that does not exist. No money can move by it.

    The call is made outside of transactions. Raises ChannelRefused, BadCredential, HostNotAllowed.
    """
    version = find_version(code, number)
    dialect = dialects()[version.channel.gateway]
    gateway = connect(dialect, connection_of(version))
    order = OrderKey(
        number=f"test{secrets.token_hex(10)}",
        product=next(iter(dialect.methods[0].products.values())),
        created_at=at.replace(microsecond=0),
        expires_at=at.replace(microsecond=0) + timedelta(minutes=5),
    )
    trial = _read(gateway.query(order))
    with transaction.atomic():
        record(
            actor, "channel.tested", subject=("channel", code), at=at,
            facts={"version": number, "result": trial.result, "code": trial.code[:64]},
        )  # fmt: skip
    return trial


def _read(outcome: Outcome[Trade]) -> Trial:
    match outcome:
        case Rejected(code=code, message=message, is_our_fault=True):
            return Trial(result="refused", code=code, told=message)
        case Unknown(reason=reason):
            return Trial(result="no_answer", code=reason)
        case Done() | Rejected():
            return Trial(result="works")
