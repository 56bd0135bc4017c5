"""Two who do the same with links at the same moment."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.links import make_link
from compliance.identity.models import Letter, MailedLink
from compliance.identity.people import ask_for_password_link, choose_password, take_signin_link
from compliance.identity.states import LinkKind
from tests.compliance.people import hire
from tests.racing import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def secret_of(link: str) -> str:
    return link.strip("/").rpartition("/")[2]


def test_one_link_sets_one_password():
    lin, now = hire("lin", has_device=False).user, timezone.now()
    secret = secret_of(make_link(user=lin, kind=LinkKind.PASSWORD, at=now)[0])
    words = ["seven herons over the paddy", "velvet kettle ostrich", "nine otters in the canal"]

    def choose(password: str) -> Callable[[], object]:
        return lambda: choose_password(
            secret=secret, kind=LinkKind.PASSWORD, password=password, actor=SYSTEM, at=now
        )

    assert at_once([choose(word) for word in words]) == ["LinkOver()", "LinkOver()", "done"]
    assert AuditEntry.objects.filter(action="person.password_changed").count() == 1
    lin.refresh_from_db()
    assert sum(lin.check_password(word) for word in words) == 1


def test_one_link_signs_in_once():
    lin, now = hire("lin").user, timezone.now()
    link, _until = make_link(user=lin, kind=LinkKind.SIGN_IN, at=now, browser="mine")
    take = [
        lambda: take_signin_link(secret=secret_of(link), browser="mine", actor=SYSTEM, at=now)
        for _ in range(3)
    ]
    assert at_once(take) == ["LinkOver()", "LinkOver()", "done"]


def test_who_asks_twice_at_once_gets_letters_and_one_link_that_opens():
    lin, now = hire("lin", has_device=False).user, timezone.now()
    ask = [lambda: ask_for_password_link(email=lin.email, actor=SYSTEM, at=now) for _ in range(4)]
    assert at_once(ask) == ["done"] * 4
    assert MailedLink.objects.filter(ended_at__isnull=True).count() == 1
    assert Letter.objects.count() == 4
