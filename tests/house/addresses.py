"""Every address of the platform, as the URL resolver knows it, and things that fill them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from compliance.audit.actor import SYSTEM
from compliance.numbers import new_number
from merchants.access import by_member
from merchants.accounts.register import add_member, invite_member
from merchants.accounts.states import Role
from merchants.accounts.team_requests import ask_to_invite
from merchants.onboarding.applying import open_application
from merchants.support.asking import open_ticket
from payments.acquiring.models import Payment
from payments.acquiring.tokens import checkout_token
from payments.callbacks.endpoints import EndpointWish, make_endpoint
from payments.callbacks.models import Callback, Event
from tests.cast import NOON, Shop, order
from tests.compliance.people import hire

ONLY_POST: Final = frozenset({
    "identity:passkey-ask", "identity:passkey", "identity:stepup-passkey-ask",
    "identity:stepup-passkey", "identity:new-passkey", "identity:passkey-enrol-ask",
    "identity:passkey-enrol", "identity:remove-passkey", "identity:recovery-codes",
    "identity:replace-authenticator", "identity:send-code", "identity:phone", "identity:signout",
    "identity:end-session", "set_language", "merchants:revoke", "merchants:decide",
    "merchants:key-networks", "merchants:key-end", "merchants:key-rotate", "merchants:key-end-old",
    "merchants:notices-read", "merchants:notice", "identity:remove-phone",
    "merchants:member-role", "merchants:member-remove", "merchants:member-invite",
    "merchants:ticket-act", "admin:merchants_ticket_act",
    "merchants:application-begin", "merchants:application-withdraw",
    "merchants:application-remove", "merchants:application-file", "merchants:application-read",
    "admin:merchants_application_verdicts", "admin:merchants_application_decide",
    "admin:merchants_application_reveal", "admin:merchants_application_risk",
    "admin:merchants_renewal_decide", "admin:merchants_merchant_conduct",
    "api:payment-close", "api:payment-refunds", "payments_portal:refund",
    "payments_portal:refund-decide", "admin:payments_payment_refund",
    "admin:payments_callback_resend", "admin:payments_endpoint_disable", "payments_portal:resend",
    "payments_portal:default-secret", "payments_portal:endpoint-rotate",
    "payments_portal:endpoint-switch", "payments_portal:endpoint-test",
    "api:event-replay", "inbound:notify", "admin:logout", "admin:compliance_approval_decide",
    "admin:compliance_user_link", "admin:compliance_job_run",
    "admin:merchants_screeninghit_decide", "desk:export",
    "desk:file", "desk:proof", "admin:payments_difference_take", "admin:payments_difference_assign",
    "admin:payments_difference_resolve", "admin:payments_bill_download",
    "admin:payments_bill_again", "admin:payments_enrolment_act", "admin:payments_channel_deed",
    "desk:report-act", "desk:report-file", "payments_portal:ask", "payments_portal:close",
    "admin:payments_payment_ask", "admin:payments_payment_close", "payments_portal:export",
    "admin:payments_payment_export",
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
    of_tea: dict[str, Any] = {"merchant_id": tea.merchant.pk, "actor": SYSTEM, "at": NOON}
    for owner in (lin, hire("mei", has_device=False)):
        add_member(user=owner.user, role=Role.OWNER, **of_tea)
    invited = invite_member(
        username="wen", display_name="Wen", email="wen@example.com", role=Role.READ_ONLY, **of_tea
    )
    asked = ask_to_invite(
        access=by_member(lin.user, None, address=""), maker=lin.user, username="tao",
        display_name="Tao", email="tao@example.com", role=Role.FINANCE, reason="joins", at=NOON,
    )  # fmt: skip
    asked_us = open_ticket(
        access=by_member(lin.user, None, address=""), by=lin.user, subject="Callbacks",
        text="Where are they?", at=NOON,
    )  # fmt: skip
    told = tell_of(tea)
    open_application(merchant=tea.merchant, actor=SYSTEM, at=NOON)
    return {
        "payment": payment.id, "event": told.event.public_id,
        "endpoint": told.url.rpartition("/")[2], "callback": str(told.pk),
        "token": checkout_token(payment.id), "key": key.public_id, "channel_code": "first",
        "object_id": str(Payment.objects.get().pk), "id": str(lin.user.pk),
        "number": "stp_00000000000000000000000000", "content_type_id": "1",
        "refund": "ref_00000000000000000000000000",
        "file": "doc_00000000000000000000000000", "passkey": "1",
        "erasure": "ers_00000000000000000000000000", "kind": "signin",
        "notice": "ntc_00000000000000000000000000",
        "section": "licence", "slug": "paying", "ticket": asked_us.public_id,
        "secret": "x", "row": "1", "member": str(invited.pk), "approval": asked.public_id,
        "person": str(lin.user.pk), "bill": "bil_00000000000000000000000000", "deed": "void",
        "gateway": "first", "version": "1",
    }  # fmt: skip


def tell_of(tea: Shop) -> Callback:
    """A callback of the tea shop to an endpoint, whose number its address ends with."""
    wish = EndpointWish(label="shop", url="https://tea.example/")
    endpoint, _ = make_endpoint(merchant_id=tea.merchant.pk, wish=wish, actor=SYSTEM, at=NOON)
    event = Event.objects.create(
        public_id=new_number("evt_"), merchant=tea.merchant, livemode=False, type="payment.paid",
        data={"id": "pay_x", "amount": 1, "currency": "CNY"}, subject="pay_x", created_at=NOON,
    )  # fmt: skip
    return Callback.objects.create(
        event=event, merchant=tea.merchant, endpoint=endpoint, due_at=NOON, created_at=NOON,
        url=f"https://tea.example/{endpoint.public_id}",
    )  # fmt: skip


def path_of(address: Address, things: dict[str, str]) -> str:
    path = re.sub(r"\^?\(\?P<app_label>[^)]*\)/?\$?", "payments/", address.pattern)
    for name in address.names:
        path = re.sub(rf"<(?:\w+:)?{name}>", things[name], path)
    return "/" + path
