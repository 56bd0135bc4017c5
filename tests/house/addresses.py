"""Every address of the platform, as the URL resolver knows it, and things that fill them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver

from payments.acquiring.models import Payment
from payments.acquiring.tokens import checkout_token
from tests.cast import Shop, order
from tests.compliance.people import hire

ONLY_POST: Final = frozenset({
    "identity:passkey-ask", "identity:passkey", "identity:stepup-passkey-ask",
    "identity:stepup-passkey", "identity:new-passkey", "identity:passkey-enrol-ask",
    "identity:passkey-enrol", "identity:remove-passkey", "identity:recovery-codes",
    "identity:replace-authenticator", "identity:send-code", "identity:phone", "identity:signout",
    "identity:end-session", "set_language", "merchants:revoke", "api:payment-close",
    "api:event-replay", "inbound:notify", "admin:logout", "admin:compliance_approval_decide",
    "admin:compliance_user_link", "admin:merchants_screeninghit_decide", "desk:export",
    "desk:file", "desk:proof",
})  # fmt: skip


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver."""

    name: str
    pattern: str
    names: tuple[str, ...] = field(default=())


def addresses() -> Iterator[Address]:
    """Every named pattern of the platform; the sandbox is not part of it."""
    yield from _walk(get_resolver().url_patterns, "", "")


def _walk(patterns: list[URLPattern | URLResolver], before: str, space: str) -> Iterator[Address]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from _walk(one.url_patterns, route, inner)
        elif one.name:
            yield Address(space + one.name, route, tuple(one.pattern.converters))
        elif route in {"healthz", "readyz"}:
            yield Address(route, route)


def things_of(tea: Shop) -> dict[str, str]:
    """What the names in addresses stand for: things of the tea shop that exist."""
    payment = order(tea)
    key = tea.merchant.api_keys.get()
    lin = hire("lin", has_device=False)
    return {
        "payment": payment.id, "event": "evt_00000000000000000000000000",
        "token": checkout_token(payment.id), "key": key.public_id, "channel_code": "first",
        "object_id": str(Payment.objects.get().pk), "id": str(lin.user.pk),
        "number": "stp_00000000000000000000000000", "content_type_id": "1",
        "file": "doc_00000000000000000000000000", "passkey": "1",
        "erasure": "ers_00000000000000000000000000", "kind": "signin",
        "secret": "x", "row": "1",
        "person": str(lin.user.pk),
    }  # fmt: skip


def path_of(address: Address, things: dict[str, str]) -> str:
    path = re.sub(r"\^?\(\?P<app_label>[^)]*\)/?\$?", "payments/", address.pattern)
    for name in address.names:
        path = re.sub(rf"<(?:\w+:)?{name}>", things[name], path)
    return "/" + path
