"""Who may open what: every address of the platform, asked by everybody who could ask.

The addresses come from the URL resolver. One that the table below does not name fails the build,
so that nobody adds a page without saying who may see it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.identity.roles import ABILITIES, ADMIN_PAGES, Ability
from compliance.identity.states import StaffRole
from merchants.accounts.abilities import OF_ROLE
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from merchants.screening.decide import DECIDING
from payments.admin.reconciliations import READERS
from tests.cast import NOON, Shop, open_shop
from tests.compliance.people import hire
from tests.house.addresses import ONLY_POST, Address, addresses, path_of, things_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

LET_IN: Final = "let in"
SENT_TO_SIGN_IN: Final = "sent to sign in"
REFUSED: Final = "refused"
NOT_THERE: Final = "not there"
NOTHING_SHOWN: Final = "nothing shown"
"""The admin looks for the row before it asks for the right; without a row it tells nothing."""


@dataclass(frozen=True)
class Visitor:
    """One who asks."""

    name: str
    member: Role | None = None
    is_of_other_shop: bool = False
    staff: StaffRole | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.name != "nobody"


VISITORS: Final = (
    Visitor("nobody"),
    Visitor("somebody"),  # Signed in, and without a role anywhere.
    *(Visitor(f"tea {role}", member=role) for role in Role),
    Visitor("books owner", member=Role.OWNER, is_of_other_shop=True),
    *(Visitor(str(role), staff=role) for role in StaffRole),
)

Rule = Callable[[Visitor], str]


def everybody(visitor: Visitor) -> str:
    return LET_IN


def signed_in(visitor: Visitor) -> str:
    return LET_IN if visitor.is_signed_in else SENT_TO_SIGN_IN


def own_wish(visitor: Visitor) -> str:
    """Nobody sees what somebody else is about to confirm."""
    return NOT_THERE if visitor.is_signed_in else SENT_TO_SIGN_IN


def own_session(visitor: Visitor) -> str:
    """Nobody ends somebody else's session."""
    return NOT_THERE if visitor.is_signed_in else SENT_TO_SIGN_IN


def program(visitor: Visitor) -> str:
    """An API key, which no person has: a session counts for nothing."""
    return REFUSED


def member(ability: str = "", *, of_tea: bool = False) -> Rule:
    """Members of a merchant whose role has the ability; things of the tea shop for its own only."""

    def rule(visitor: Visitor) -> str:
        if not visitor.is_signed_in:
            return SENT_TO_SIGN_IN
        if visitor.member is None or (ability and ability not in OF_ROLE[visitor.member]):
            return REFUSED
        return NOT_THERE if of_tea and visitor.is_of_other_shop else LET_IN

    return rule


def staff(ability: Ability | None = None) -> Rule:
    """Staff of the platform whose role has the ability."""

    def rule(visitor: Visitor) -> str:
        if not visitor.is_signed_in:
            return SENT_TO_SIGN_IN
        if visitor.staff is None or (ability and ability not in ABILITIES[visitor.staff]):
            return REFUSED
        return LET_IN

    return rule


def request_of_tea(visitor: Visitor) -> str:
    """A change of the tea shop's team: who cannot agree to it and did not ask is not told of it."""
    rule = member()(visitor)
    if rule != LET_IN:
        return rule
    is_owner = visitor.member is not None and "team.manage" in OF_ROLE[visitor.member]
    return LET_IN if is_owner and not visitor.is_of_other_shop else NOT_THERE


def application_of_tea(visitor: Visitor) -> str:
    """The other shop never applied, so its owner finds nothing there."""
    rule = member("application.write")(visitor)
    return NOT_THERE if rule == LET_IN and visitor.is_of_other_shop else rule


def reviewers(visitor: Visitor) -> str:
    """Who recommends a merchant, and who agrees."""
    rules = staff(Ability.MERCHANTS_REQUEST)(visitor), staff(Ability.MERCHANTS_APPROVE)(visitor)
    return LET_IN if LET_IN in rules else rules[0]


def no_refund(visitor: Visitor) -> str:
    """No refund has this number."""
    rule = member("refunds.write")(visitor)
    return NOT_THERE if rule == LET_IN else rule


def no_paper(visitor: Visitor) -> str:
    """No paper has this number."""
    rule = member("application.write")(visitor)
    return NOT_THERE if rule == LET_IN else rule


def no_notice(visitor: Visitor) -> str:
    """No notice has this number, and nobody sees another's."""
    rule = member("payments.read")(visitor)
    return NOT_THERE if rule == LET_IN else rule


def decider_of_hits(visitor: Visitor) -> str:
    """Who takes merchants on, or is of risk; the other staff only read."""
    abilities = ABILITIES[visitor.staff] if visitor.staff else frozenset()
    return LET_IN if abilities & set(DECIDING) else admin("nobody")(visitor)


def reader_of_bills(visitor: Visitor) -> str:
    """Whoever keeps the books or looks into them."""
    answers = {staff(ability)(visitor) for ability in READERS}
    return LET_IN if LET_IN in answers else answers.pop()


def a_secret(visitor: Visitor) -> str:
    """Whoever does not hold the link finds nothing, the staff and the asker's own team included."""
    return NOT_THERE


def certificate(visitor: Visitor) -> str:
    """There is none yet."""
    rule = staff(Ability.AUDIT_VIEW)(visitor)
    return NOT_THERE if rule == LET_IN else rule


def evidence(visitor: Visitor) -> str:
    """There is none to be seen, but not everybody is told so."""
    rule = staff(Ability.EVIDENCE_VIEW)(visitor)
    return LET_IN if rule == LET_IN else rule


def admin(permission: str = "") -> Rule:
    """Staff whose role has Django's permission for the page's model."""

    def rule(visitor: Visitor) -> str:
        if visitor.staff is None:
            return REFUSED if visitor.is_signed_in else SENT_TO_SIGN_IN
        return LET_IN if not permission or has(visitor.staff, permission) else REFUSED

    return rule


def door_of_admin(visitor: Visitor) -> str:
    """Where the admin sends those whom it does not know; people without a staff role end there."""
    return REFUSED if visitor.is_signed_in and visitor.staff is None else LET_IN


def has(role: StaffRole, permission: str) -> bool:
    """Whether the table of admin pages gives a permission like "payments.view_payment"."""
    application, _, codename = permission.partition(".")
    return bool({permission, f"{application}.{codename.partition('_')[0]}"} & ADMIN_PAGES[role])


RIGHTS: Final[dict[str, Rule]] = {
    "home": everybody, "api-docs": everybody, "healthz": everybody,
    "readyz": everybody, "set_language": everybody,
    "help:index": everybody, "help:page": everybody, "help:ask": everybody,
    "help:ticket": a_secret, "admin:merchants_ticket_act": staff(Ability.TICKETS_ANSWER),
    "merchants:tickets": member("tickets.read"),
    "merchants:ticket": member("tickets.read", of_tea=True),
    "merchants:ticket-new": member("tickets.write"),
    "merchants:ticket-act": member("tickets.write", of_tea=True),
    "identity:signin": everybody, "identity:signout": everybody,
    "identity:code": everybody, "identity:enrol": everybody, "identity:stepup": own_wish,
    "identity:ask-link": everybody, "identity:link": everybody,
    "identity:opened-link": everybody, "identity:password": signed_in,
    "identity:passkey-ask": everybody, "identity:passkey": everybody,
    "identity:stepup-passkey-ask": signed_in, "identity:stepup-passkey": own_wish,
    "identity:new-passkey": signed_in, "identity:passkey-enrol-ask": own_session,
    "identity:passkey-enrol": own_session, "identity:remove-passkey": signed_in,
    "identity:recovery-codes": signed_in, "identity:replace-authenticator": signed_in,
    "identity:new-authenticator": signed_in,
    "identity:send-code": everybody, "identity:sent-code": everybody,
    "identity:phone": signed_in, "identity:confirm-phone": signed_in,
    "identity:profile": signed_in, "identity:letters": signed_in, "identity:email": signed_in,
    "identity:remove-phone": signed_in,
    "identity:account": signed_in, "identity:end-session": own_session,
    "identity:session": everybody,
    "checkout:pay": everybody, "checkout:status": everybody, "checkout:return": everybody,
    "api:schema": everybody, "inbound:notify": everybody,
    "api:payments": program, "api:payment": program, "api:payment-close": program,
    "api:payment-refunds": program, "api:refunds": program, "api:refund": program,
    "api:balance": program, "api:events": program, "api:event": program,
    "api:event-replay": program, "api:no-such-call": everybody,
    "merchants:choose": signed_in, "merchants:keys": member("keys.manage"),
    "merchants:key": member("keys.manage", of_tea=True),
    "merchants:key-networks": member("keys.manage", of_tea=True),
    "merchants:key-end": member("keys.manage", of_tea=True),
    "merchants:key-rotate": member("keys.manage", of_tea=True),
    "merchants:key-end-old": member("keys.manage", of_tea=True),
    "merchants:notices": member("payments.read"), "merchants:notices-read": member("payments.read"),
    "merchants:notice": no_notice,
    "merchants:revoke": member("keys.manage", of_tea=True), "merchants:team": member(),
    "merchants:register": everybody,
    "merchants:application": application_of_tea,
    "merchants:application-section": application_of_tea,
    "merchants:application-documents": application_of_tea,
    "merchants:application-submit": application_of_tea,
    "merchants:papers": member("application.write"),
    "merchants:confirm": member("application.write"),
    "admin:merchants_merchant_conduct": staff(Ability.MERCHANTS_REQUEST),
    "admin:compliance_job_run": staff(Ability.JOBS_RUN),
    "admin:payments_channel_begin": staff(Ability.CHANNELS_REQUEST),
    "admin:payments_channel_draft": staff(Ability.CHANNELS_REQUEST),
    "admin:payments_channel_deed": admin("payments.view_channel"),
    "admin:merchants_renewal_decide": admin("merchants.view_renewal"),
    "admin:merchants_renewal_paper": staff(Ability.MERCHANTS_REQUEST),
    "merchants:application-begin": member("application.write"),
    "merchants:application-withdraw": member("application.write"),
    "merchants:application-read": no_paper,
    "merchants:application-remove": no_paper, "merchants:application-file": no_paper,
    "merchants:application-paper": no_paper, "merchants:application-picture": no_paper,
    "admin:merchants_application_verdicts": admin("merchants.view_application"),
    "admin:merchants_application_decide": admin("merchants.view_application"),
    "admin:merchants_application_risk": admin("merchants.view_application"),
    "admin:merchants_application_reveal": admin("merchants.view_application"),
    "admin:merchants_application_paper": reviewers,
    "merchants:invite": member("team.manage"),
    "merchants:member": member("team.manage", of_tea=True),
    "merchants:member-role": member("team.manage", of_tea=True),
    "merchants:member-remove": member("team.manage", of_tea=True),
    "merchants:member-invite": member("team.manage", of_tea=True),
    "merchants:approvals": member(), "merchants:approval": request_of_tea,
    "merchants:decide": request_of_tea,
    "payments_portal:home": member("payments.read"),
    "payments_portal:payments": member("payments.read"),
    "payments_portal:payment": member("payments.read", of_tea=True),
    "payments_portal:ask": member("payments.read", of_tea=True),
    "payments_portal:close": member("payments.write", of_tea=True),
    "payments_portal:export": member("payments.read"),
    "admin:payments_payment_ask": staff(Ability.PAYMENTS_ASK),
    "admin:payments_payment_close": staff(Ability.PAYMENTS_CLOSE),
    "admin:payments_payment_export": staff(Ability.PAYMENTS_EXPORT),
    "payments_portal:refunds": member("payments.read"),
    "payments_portal:refund": member("refunds.write", of_tea=True),
    "payments_portal:refund-decide": no_refund,
    "admin:payments_payment_refund": staff(Ability.REFUNDS_REQUEST),
    "admin:payments_callback_resend": staff(Ability.MERCHANTS_REQUEST),
    "admin:payments_endpoint_disable": staff(Ability.MERCHANTS_REQUEST),
    "payments_portal:callbacks": member("events.read"),
    "payments_portal:channels": member("application.write"),
    "admin:payments_enrolment_begin": staff(Ability.MERCHANTS_REQUEST),
    "admin:payments_enrolment_act": staff(Ability.MERCHANTS_REQUEST),
    "payments_portal:event": member("events.read", of_tea=True),
    "payments_portal:resend": member("endpoints.manage", of_tea=True),
    "payments_portal:endpoints": member("events.read"),
    "payments_portal:endpoint-new": member("endpoints.manage"),
    "payments_portal:default-secret": member("endpoints.manage"),
    "payments_portal:endpoint": member("events.read", of_tea=True),
    "payments_portal:endpoint-edit": member("endpoints.manage", of_tea=True),
    "payments_portal:endpoint-rotate": member("endpoints.manage", of_tea=True),
    "payments_portal:endpoint-switch": member("endpoints.manage", of_tea=True),
    "payments_portal:endpoint-test": member("endpoints.manage", of_tea=True),
    "payments_portal:endpoint-resend": member("endpoints.manage", of_tea=True),
    "desk:home": staff(Ability.AUDIT_VIEW), "desk:entries": staff(Ability.AUDIT_VIEW),
    "desk:retention": staff(Ability.AUDIT_VIEW), "desk:certificate": certificate,
    "desk:reports": staff(Ability.AUDIT_VIEW), "desk:report": certificate,
    "desk:report-file": certificate, "desk:report-act": certificate, "verify": a_secret,
    "desk:files": staff(Ability.EVIDENCE_VIEW), "desk:file": evidence,
    "desk:export": staff(Ability.AUDIT_EXPORT), "desk:proof": staff(Ability.AUDIT_EXPORT),
    "admin:index": admin(), "admin:app_list": admin(), "admin:jsi18n": admin(),
    "admin:compliance_approval_decide": admin("compliance.view_approval"),
    "admin:compliance_approval_roles": staff(Ability.ROLES_REQUEST),
    "admin:compliance_approval_factor": staff(Ability.SECOND_FACTOR_REQUEST),
    "admin:compliance_approval_email": staff(Ability.SECOND_FACTOR_REQUEST),
    "admin:compliance_user_link": admin("compliance.change_user"),
    "admin:merchants_screeninghit_decide": decider_of_hits,
    "admin:payments_difference_take": staff(Ability.BOOKS_REQUEST),
    "admin:payments_difference_assign": staff(Ability.BOOKS_REQUEST),
    "admin:payments_difference_resolve": staff(Ability.BOOKS_REQUEST),
    "admin:payments_bill_download": reader_of_bills,
    "admin:payments_bill_again": staff(Ability.BOOKS_REQUEST),
    "admin:payments_feerate_ask": staff(Ability.CHANNELS_REQUEST),
    "admin:compliance_user_sessions": admin("compliance.change_user"),
    "admin:login": door_of_admin, "admin:logout": everybody,
    "admin:password_change": admin(), "admin:password_change_done": admin(),
    "admin:autocomplete": admin("payments.nothing"), "admin:view_on_site": admin(),
}  # fmt: skip

SANDBOX: Final = "sandbox:"
"""Pages of the demonstration, which production does not have; they stand for the gateways' own."""
NO_ROW: Final = {"object_id": "987654321"}
"""The admin's pages are asked for a row that may be there, and for one that is not."""
_OF_MODEL: Final = re.compile(
    r"admin:(?P<model>(?P<app>payments|merchants|compliance)_(?P<name>[a-z]+))"
    r"_(?P<deed>changelist|add|history|delete|change)"
)
_DEEDS: Final = {
    "changelist": "view", "history": "view", "change": "view", "add": "add", "delete": "delete",
}  # fmt: skip


def rule_of(name: str) -> Rule | None:
    if name in RIGHTS:
        return RIGHTS[name]
    if found := _OF_MODEL.fullmatch(name):
        return admin(f"{found['app']}.{_DEEDS[found['deed']]}_{found['name']}")
    return None


def test_every_address_says_who_may_open_it():
    named = [address.name for address in addresses() if not address.name.startswith(SANDBOX)]
    assert [name for name in named if rule_of(name) is None] == []
    assert sorted(set(RIGHTS) - set(named)) == [], "rules for addresses that are gone"


def browser_of(visitor: Visitor, tea: Shop, books: Shop) -> Client:
    """The visitor's browser, signed in."""
    client = Client(headers={"accept-language": "en"})
    if not visitor.is_signed_in:
        return client
    roles = [visitor.staff] if visitor.staff else []
    person = hire("visitor", roles=roles)
    if visitor.member:
        shop = books if visitor.is_of_other_shop else tea
        add_member(
            merchant_id=shop.merchant.pk, user=person.user, role=visitor.member, actor=SYSTEM,
            at=NOON,
        )  # fmt: skip
    person.sign_in(client)
    return client


DOORS: Final = frozenset({
    "admin:login", "identity:code", "identity:enrol", "identity:opened-link", "identity:send-code",
    "identity:sent-code",
})  # fmt: skip
"""They send strangers to the sign-in because that is what they are for."""


def outcome(client: Client, address: Address, path: str) -> str:
    """What became of the request, in the words of the rules."""
    answer = client.post(path) if address.name in ONLY_POST else client.get(path)
    assert answer.status_code < 500, (address.name, answer.status_code)
    to = answer.headers.get("Location", "")
    if to.startswith("/admin/login/"):
        answer = client.get(to)
        to = answer.headers.get("Location", "")
    if to.startswith("/signin/") and address.name not in DOORS:
        return SENT_TO_SIGN_IN
    if to == "/admin/" and address.name.endswith("_history"):
        return NOTHING_SHOWN
    if answer.status_code in {401, 403}:
        return REFUSED
    if answer.status_code == 404 and not is_open_404(address):
        return NOT_THERE
    return LET_IN


def is_open_404(address: Address) -> bool:
    """Addresses that answer 404 to those who may ask as well: nothing in particular is there."""
    return address.name.startswith(("admin:", "inbound:")) or address.name == "api:no-such-call"


@pytest.mark.parametrize("visitor", VISITORS, ids=lambda visitor: visitor.name)
def test_each_visitor_opens_what_the_table_says_and_nothing_else(visitor, tea):
    books = open_shop("云间书店")
    things = things_of(tea)
    client = browser_of(visitor, tea, books)
    wrong = []
    for address in addresses():
        rule = rule_of(address.name)
        if rule is None or address.name in {"identity:signout", "admin:logout"}:
            continue
        expected = rule(visitor)
        for path in {path_of(address, things), path_of(address, things | NO_ROW)}:
            found = outcome(client, address, path)
            if found not in {expected, NOTHING_SHOWN}:
                wrong.append((address.name, path, f"{found}, not {expected}"))
    assert wrong == []


def test_leaving_is_open_to_everybody(tea):
    for visitor in (VISITORS[0], VISITORS[2]):
        client = browser_of(visitor, tea, tea)
        for path in ("/signout/", "/admin/logout/"):
            assert client.post(path).status_code in {200, 302}
