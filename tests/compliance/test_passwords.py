"""Which passwords are refused, and what the person is told. No network is asked."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from compliance.identity import guessable
from compliance.identity.models import User

LIN = User(username="lin.yutang", display_name="Lin Yutang", email="lin.yutang@teahouse.example")


def refusals(password: str) -> set[str]:
    """The codes of what is wrong with it; none when it is good."""
    try:
        validate_password(password, LIN)
    except ValidationError as refused:
        return {one.code for one in refused.error_list if one.code}
    return set()


@pytest.mark.parametrize(
    "password",
    ["123qweasdzxc", "123QWEASDZXC", "leavemealone", "correcthorsebatterystaple", "woaini1314520",
     "iloveyou12345", "password1234", "gfhjkmgfhjkm"],
)  # fmt: skip
def test_what_leaked_elsewhere_is_refused(password):
    assert "password_leaked" in refusals(password)


@pytest.mark.parametrize(
    "password",
    ["qwertyuiop12", "zaq12wsxcde34rfv", "aaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabc",
     "11235813213455", "lin.yutanglin.yutang", "linyutang2026", "paysite-paysite",
     "支付支付支付支付支付支付",
     "zhongguo1234", "Summer2026!!!", "P@ssw0rd!P@ssw0rd!", "1314520woaini520"],
)  # fmt: skip
def test_what_no_list_holds_but_everybody_guesses_is_refused(password):
    assert {"password_guessable", "password_leaked"} & refusals(password)


@pytest.mark.parametrize(
    ("password", "code"),
    [("Teahouse.example1", "password_too_similar"),
     ("20261123112026", "password_entirely_numeric")],
)  # fmt: skip
def test_ones_own_address_and_dates_are_refused(password, code):
    assert code in refusals(password)


@pytest.mark.parametrize("password", ["", "a", "herons9", "kJ8#mQ2$xW5"])
def test_eleven_signs_are_too_few_whatever_they_are(password):
    assert "password_too_short" in refusals(password)


@pytest.mark.parametrize(
    "password",
    ["seven herons over the paddy", "kJ8#mQ2$xW5!", "七只苍鹭飞过了后山的稻田水塘",
     "velvet-kettle-ostrich-34", "drei Möwen über dem Deich 🐦", "herons over paddies " * 40],
)  # fmt: skip
def test_a_sentence_of_ones_own_needs_no_signs_and_no_digits(password):
    assert refusals(password) == set()


def test_what_to_do_is_said():
    with pytest.raises(ValidationError) as refused:
        validate_password("correcthorsebatterystaple", LIN)
    assert "Choose" in " ".join(refused.value.messages) or "请" in " ".join(refused.value.messages)


def test_signs_that_stand_for_letters_do_not_keep_the_server_busy(monkeypatch):
    looked_at = []

    def listen(password, user_inputs):
        looked_at.append(password)
        return {"score": 4}

    monkeypatch.setattr(guessable, "zxcvbn", listen)
    assert refusals("4@8({[<361!|1|70$5+7%2" * 40) == set()
    assert [len(one) for one in looked_at] == [guessable.LOOKED_AT_MAX]
