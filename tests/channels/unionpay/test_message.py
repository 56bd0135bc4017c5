"""The signed text and the two ways messages travel: nothing is lost or reads as another."""

import contextlib
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payments.channels.base import Done, NotAuthentic, RawMessage
from payments.channels.unionpay.gateway import UnionPayGateway
from payments.channels.unionpay.message import read_answer, read_form, signed_text
from tests.channels.unionpay.scene import NOW, Keys, key_of, message, order, paid, sealed, talk

names = st.from_regex(r"[A-Za-z0-9_]{1,12}", fullmatch=True)
plain = st.text(st.characters(exclude_characters="&{}[]", exclude_categories=["Cs"]), max_size=20)
inside = st.text(st.characters(exclude_characters="{}[]", exclude_categories=["Cs"]), max_size=20)
values = plain | inside.map(lambda text: f"{{{text}}}") | inside.map(lambda text: f"a[{text}]=b")
messages = st.dictionaries(names, values, min_size=1, max_size=8)
tricky = st.dictionaries(
    st.sampled_from(["a", "b", "c", "signature"]), st.text("&={}[]abc1+ ", max_size=9), min_size=1
)


def raw(fields: dict[str, str]) -> bytes:
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def test_the_signed_text_is_sorted_and_raw_and_leaves_the_signature_out():
    fields = {"txnTime": "20261123120000", "certId": "7", "Z": "a+b/=", "signature": "x", "a": "明"}

    assert signed_text(fields) == "Z=a+b/=&a=明&certId=7&txnTime=20261123120000"


def test_an_answer_is_not_decoded():
    body = (
        "signature=a+b/c%2B==&customerInfo={phoneNo=1&cvn2=[2&3}&list=[x&y]&respMsg=成功[0000000]"
    )

    assert read_answer(body.encode()) == {
        "signature": "a+b/c%2B==",
        "customerInfo": "{phoneNo=1&cvn2=[2&3}",
        "list": "[x&y]",
        "respMsg": "成功[0000000]",
    }


def test_a_notification_is_decoded_once():
    assert read_form(b"a=1%252B&b=x+y%2B%20z&c=") == {"a": "1%2B", "b": "x y+ z", "c": ""}


@given(messages)
def test_what_was_written_is_read_back(fields: dict[str, str]):
    assert read_answer(raw(fields)) == fields
    assert read_form(urlencode(fields).encode()) == fields


@given(tricky, tricky)
@example({"a": "1&b=2"}, {"a": "1", "b": "2"})
@example({"a": "{x", "b": "}"}, {"a": "{x&b=}"})
@example({"a": "1&a=1"}, {"a": "1"})
def test_two_messages_never_share_one_signed_text(one: dict[str, str], two: dict[str, str]):
    read = []
    for fields in (one, two):
        with contextlib.suppress(NotAuthentic):
            read.append(read_form(urlencode(fields).encode()))
    if len(read) == 2 and signed_text(read[0]) == signed_text(read[1]):
        assert {**read[0], "signature": ""} == {**read[1], "signature": ""}


@given(st.binary(max_size=60) | st.text("ab=&{}[]%+2B\u00e9", max_size=30).map(str.encode))
def test_no_bytes_break_the_parsers(body: bytes):
    for read in (read_answer, read_form):
        try:
            fields = read(body)
        except NotAuthentic:
            continue
        assert fields


@pytest.mark.parametrize(
    "body",
    [
        b"", b"&", b"a=1&", b"&a=1", b"=1", b"a=1&a=1", b"a=1&b=2&a=3", b"a b=1", b"a=\xff",
        b"a%3D1%26b=2", "名=1".encode(), b"x=" + b"&x=".join([b"1"] * 3),
    ],
)  # fmt: skip
def test_odd_messages_are_unreadable(body: bytes):
    for read in (read_answer, read_form):
        with pytest.raises(NotAuthentic, match="unreadable"):
            read(body)


def test_a_form_must_be_utf8_and_its_values_no_fields():
    for body in (b"a=%FF", b"a=1%26b%3D2", b"a=%7Bx&b=%7D"):
        with pytest.raises(NotAuthentic, match="unreadable"):
            read_form(body)


def test_a_message_has_a_bounded_number_of_fields():
    fields = {f"f{n}": "1" for n in range(129)}

    with pytest.raises(NotAuthentic, match="unreadable"):
        read_answer(raw(fields))


def test_one_changed_byte_of_a_notification_is_refused(keys: Keys, gateway: UnionPayGateway):
    good = message(sealed(paid(keys), keys))
    told = gateway.read(good)

    @given(st.integers(0, len(good.body) - 1), st.integers(1, 255))
    def one_byte(at: int, flips: int) -> None:
        body = bytearray(good.body)
        body[at] ^= flips
        changed = RawMessage(headers=good.headers, body=bytes(body), received_at=NOW)
        try:
            read = gateway.read(changed)
        except NotAuthentic:
            return
        # All that may change is how a character is escaped: %2b for %2B, or %31 for 1.
        assert read == told
        assert read_form(changed.body) == read_form(good.body)

    one_byte()


def test_one_changed_byte_of_an_answer_is_no_answer(keys: Keys):
    good = raw(sealed(paid(keys, origRespCode="00", origRespMsg="成功"), keys))
    gateway, script = talk(keys)

    @given(st.integers(0, len(good) - 1), st.integers(1, 255))
    def one_byte(at: int, flips: int) -> None:
        body = bytearray(good)
        body[at] ^= flips
        script.answers = [httpx.Response(200, content=bytes(body))]
        assert not isinstance(gateway.query(key_of(order())), Done)

    one_byte()
    script.answers = [httpx.Response(200, content=good)]
    assert isinstance(gateway.query(key_of(order())), Done)
