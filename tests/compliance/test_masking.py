"""What people see of a sensitive value, and how they come to see all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import Actor
from compliance.audit.models import AuditEntry
from compliance.identity import reveal as revealing
from compliance.identity.reveal import RevealRefused, reveal
from compliance.protection.errors import Tampered
from compliance.protection.masking import CLASS_OF, Kind, masked
from tests.cast import NOON
from tests.compliance.cards.models import Card
from tests.compliance.people import hire

NUMBER = "6222021234567890"
SHEN = Actor(kind="user", id="7", label="shen")


@pytest.mark.parametrize(
    ("kind", "text", "seen"),
    [
        (Kind.NAME, "欧阳娜娜", "欧***"),
        (Kind.NAME, "林茗", "林*"),
        (Kind.NAME, "林", "*"),
        (Kind.PHONE, "13812345678", "138******78"),
        (Kind.IDENTITY_NUMBER, "11010119900307831X", "110***********831X"),
        (Kind.ACCOUNT, NUMBER, "************7890"),
        (Kind.EMAIL, "lin.ming@example.com", "l*******@example.com"),
        (Kind.EMAIL, "not an address", "******"),
        (Kind.ADDRESS, "浙江省杭州市西湖区龙井路一号", "浙江省杭州市********"),
        (Kind.SECRET, "whsec_abc", "******"),
        (Kind.PHONE, "110", "***"),
        (Kind.PHONE, "", ""),
    ],
)
def test_a_mask_shows_what_its_kind_allows(kind, text, seen):
    assert masked(text, kind=kind) == seen


@given(st.text(st.characters(codec="utf-8", exclude_characters="*@")), st.sampled_from(Kind))
def test_a_mask_never_shows_more_than_half(text, kind):
    text = text.strip()
    shown = [letter for letter in masked(text, kind=kind) if letter != "*"]
    assert 2 * len(shown) <= len(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="*@")), st.sampled_from(Kind))
def test_an_address_shows_its_domain_and_at_most_one_letter_before(text, kind):
    seen = masked(f"{text.strip() or 'x'}@example.com", kind=Kind.EMAIL)
    name = seen.removesuffix("@example.com")
    assert len(name.replace("*", "")) <= 1


def test_every_kind_has_a_class():
    assert set(CLASS_OF) == set(Kind)


@pytest.fixture
def card(db):
    return Card.objects.create(public_id="crd_1", number=NUMBER)


@pytest.fixture
def shen(db):
    return hire("shen", has_device=False).user


def ask(card, person, *, reason="Case 17: the bank asks", kind=Kind.ACCOUNT):
    return reveal(
        card.number, kind=kind, subject=("card", "crd_1"), reason=reason, person=person,
        actor=SHEN, at=NOON,
    )  # fmt: skip


def test_a_compliance_officer_who_says_why_is_shown_it_and_that_is_written_down(card):
    officer = hire("shen", has_device=False, roles=["compliance_officer"]).user

    assert ask(card, officer) == NUMBER

    entry = AuditEntry.objects.get(action="data.revealed")
    assert (entry.subject_id, entry.reason) == ("crd_1", "Case 17: the bank asks")
    assert entry.facts == {"kind": "account", "class": "C2"}


def test_a_person_without_the_ability_is_refused_and_that_is_written_down(card, shen):
    with pytest.raises(RevealRefused, match="ability_missing"):
        ask(card, shen)

    entry = AuditEntry.objects.get(action="data.reveal_refused")
    assert entry.facts["code"] == "ability_missing"


@pytest.mark.parametrize(
    ("more", "code"),
    [({"reason": "  a "}, "reason_missing"), ({"kind": Kind.SECRET}, "never_shown")],
)
def test_without_a_reason_nothing_is_shown_and_secrets_never(card, shen, monkeypatch, more, code):
    monkeypatch.setattr(revealing, "may", lambda person, ability: True)

    with pytest.raises(RevealRefused, match=code):
        ask(card, shen, **more)


def test_what_does_not_open_is_not_told_as_shown(card, shen, monkeypatch):
    monkeypatch.setattr(revealing, "may", lambda person, ability: True)
    other = Card.objects.create(public_id="crd_2", number="1")
    other.public_id = "crd_1"

    with pytest.raises(Tampered):
        ask(other, shen)
    assert not AuditEntry.objects.filter(action="data.revealed").exists()
