"""Whoever decides a request can read about what it is about: a link leads there, and opens."""

from typing import Final

import pytest
from django.test import Client
from django.urls import resolve

from compliance.approvals.judges import STAFF
from compliance.approvals.pages import no_page
from compliance.approvals.registry import kind_of, kinds
from compliance.audit.actor import SYSTEM
from compliance.identity.roles import ABILITIES
from merchants.onboarding.applying import open_application
from payments.acquiring.refund_approving import BY_STAFF
from payments.reconciliation.resolving import RESOLVE
from tests.cast import NOON
from tests.compliance.people import hire
from tests.house.test_rights import REFUSED, Visitor, rule_of

pytestmark = pytest.mark.django_db
ELSEWHERE: Final = frozenset({BY_STAFF, RESOLVE})
"""Walked in the stories of their rooms, which know how such a thing comes about."""
TELL_ALL: Final = frozenset({"person.email", "second_factor.remove"})
"""Decided by people who do not see the list of people: the request itself tells all."""
OF_STAFF: Final = frozenset(kind.name for kind in kinds() if kind.judge is STAFF)
SUBJECTS: Final = {
    "channel.activate": "channel", "channel.switch_on": "channel", "channel_fee.change": "channel",
    "role.grant": "user", "role.revoke": "user",
    "merchant.approve": "application",
    "merchant.close": "merchant", "merchant.resume": "merchant",
    "report.approve": "report", "retention.erase": "retention",
}  # fmt: skip
"""What a request of a kind is about."""


def test_every_kind_is_walked_somewhere():
    assert set(SUBJECTS) | ELSEWHERE | TELL_ALL == OF_STAFF
    assert [name for name in TELL_ALL if kind_of(name).page is not no_page] == []


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_those_who_decide_may_open_the_page(name, tea):
    kind, lin = kind_of(name), hire("lin").user
    application = open_application(merchant=tea.merchant, actor=SYSTEM, at=NOON)
    numbers = {
        "user": str(lin.pk), "merchant": tea.merchant.public_id, "channel": "first",
        "application": application.public_id, "retention": "evidence",
        "report": "rpt_00000000000000000000000000",
    }  # fmt: skip

    page = kind.page(numbers[SUBJECTS[name]])

    rule = rule_of(resolve(page).view_name)
    assert rule is not None
    deciding = [role for role, abilities in ABILITIES.items() if kind.checker in abilities]
    assert deciding
    assert [role for role in deciding if rule(Visitor(str(role), staff=role)) == REFUSED] == []
    if page.startswith("/admin/"):
        for role in deciding:
            client = Client()
            hire(f"new-{role}", roles=[role]).sign_in(client)
            assert client.get(page).status_code == 200
