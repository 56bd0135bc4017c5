"""Large amounts need more people, small pieces of a large one too, and those people are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from compliance.approvals import registry
from compliance.approvals.bands import asked_lately, needed_by
from compliance.approvals.decide import approve, reject
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.registry import Kind
from compliance.approvals.request import request_approval
from compliance.approvals.states import ApprovalState
from compliance.approvals.telling import LETTERS_MAX
from compliance.audit.actor import Actor
from compliance.identity.letters import send_letters
from compliance.identity.models import Letter, User
from compliance.identity.roles import Ability
from tests.compliance.people import NOON, hire

pytestmark = pytest.mark.django_db
BANDS = ((10_000, 0), (1_000_000, 1), (None, 2))


@pytest.fixture(autouse=True)
def pouring(monkeypatch) -> None:
    """A kind with an amount: nobody, one or two must agree."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    registry.register(
        Kind(
            name="tea.pour", label="Pour tea", maker=Ability.ROLES_REQUEST,
            checker=Ability.ROLES_APPROVE, look=lambda subject, payload: {},
            execute=lambda order: None,
            needed=needed_by(BANDS, amount="amount", together="today"),
        )
    )  # fmt: skip


@pytest.fixture
def wei() -> User:
    return hire("wei", has_device=False, roles=["administrator"]).user


@pytest.fixture
def approvers() -> list[User]:
    return [
        hire(name, has_device=False, roles=["compliance_approver"]).user for name in ("he", "qin")
    ]


def actor(user: User) -> Actor:
    return Actor("user", str(user.pk), user.username, "198.51.100.9")


def ask(maker: User, amount: int, *, order: str = "T1", minutes: int = 0) -> Approval:
    at = NOON + timedelta(minutes=minutes)
    lately = asked_lately(
        kind="tea.pour", maker=maker, about="order", value=order, amount="amount", at=at
    )
    return request_approval(
        kind="tea.pour", subject=("pot", f"{order}-{minutes}"), reason="thirst", maker=maker,
        actor=actor(maker), at=at,
        payload={"amount": amount, "order": order, "today": lately + amount},
    )  # fmt: skip


def agree(request: Approval, checker: User) -> Approval:
    at = request.created_at + timedelta(minutes=1)
    return approve(number=request.public_id, checker=checker, actor=actor(checker), at=at)


@pytest.mark.parametrize(
    ("amount", "needed"),
    [(0, 0), (10_000, 0), (10_001, 1), (1_000_000, 1), (1_000_001, 2), (10**15, 2)],
)
def test_the_band_of_an_amount_says_how_many(wei, amount, needed):
    assert ask(wei, amount).needed == needed


@pytest.mark.parametrize(
    "bands",
    [(), ((1, 0),), ((None, 1), (5, 2), (None, 3)), ((9, 0), (5, 1), (None, 2))],
)
def test_bands_with_a_hole_are_refused_at_the_start(bands: Any):
    with pytest.raises(ValueError, match="band"):
        needed_by(bands, amount="amount")


def test_two_people_must_agree_and_one_cannot_twice(wei, approvers):
    he, qin = approvers
    request = ask(wei, 2_000_000)
    assert agree(request, he).state == ApprovalState.PENDING
    with pytest.raises(ApprovalRefused, match="voted_already"):
        agree(request, he)
    with pytest.raises(ApprovalRefused):
        agree(request, wei)
    assert agree(request, qin).state == ApprovalState.EXECUTED


def test_pieces_of_one_order_need_what_the_whole_would(wei):
    needed = [ask(wei, 400_000, minutes=n).needed for n in range(4)]
    assert needed == [1, 1, 2, 2]
    assert ask(wei, 400_000, order="T2").needed == 1


def test_pieces_count_for_one_maker_one_day_and_not_when_refused(wei, approvers):
    he, _qin = approvers
    li = hire("li", has_device=False, roles=["administrator"]).user
    first = ask(wei, 900_000)
    assert ask(li, 900_000, minutes=1).needed == 1
    reject(
        number=first.public_id, checker=he, reason="no", actor=actor(he),
        at=NOON + timedelta(minutes=2),
    )  # fmt: skip
    assert ask(wei, 900_000, minutes=3).needed == 1
    assert ask(wei, 900_000, minutes=4).needed == 2
    assert ask(wei, 900_000, minutes=25 * 60).needed == 1


def test_another_account_of_the_same_person_splits_no_better(wei):
    twin = hire("wei2", has_device=False, roles=["administrator"], person_ref=wei.person_ref).user
    ask(wei, 900_000)
    assert ask(twin, 900_000, minutes=1).needed == 2


def test_those_who_may_agree_are_told_and_nobody_else(wei, approvers):
    hire("su", has_device=False, roles=["auditor"])
    gone = hire("gone", has_device=False, roles=["compliance_approver"]).user
    User.objects.filter(pk=gone.pk).update(is_active=False)
    request = ask(wei, 500_000)

    send_letters(at=NOON)

    assert sorted(letter.to[0] for letter in mail.outbox) == ["he@example.com", "qin@example.com"]
    assert request.public_id in mail.outbox[0].body
    assert f"/admin/compliance/approval/{request.pk}/change/" in mail.outbox[0].body
    assert "500" not in mail.outbox[0].body.replace(request.public_id, "")


def test_nobody_is_told_of_what_needs_nobody_and_letters_are_few(wei):
    for n in range(LETTERS_MAX + 3):
        hire(f"he{n}", has_device=False, roles=["compliance_approver"])
    ask(wei, 1)
    assert Letter.objects.count() == 0
    ask(wei, 500_000, minutes=1)
    assert Letter.objects.count() == LETTERS_MAX
