"""What a body may be: one JSON document that everybody reads in the same way."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.acquiring.models import Payment
from payments.api.errors import BodyNotJson
from payments.api.parsing import read_json
from tests.payments.api.conftest import TEA, code, field_codes

GOOD = json.dumps(TEA).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nonsense", b'{"amount": 1,}', b"{'amount': 1}", GOOD + b"x", b"\xff\xfe{}",
        "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b'{"subject": "\xc3\x28"}',
        b'{"amount": 1, "amount": 2}', b'{"metadata": {"a": 1, "a": 1}}',
        b'{"amount": NaN}', b'{"amount": Infinity}', b'{"amount": -Infinity}',
        b'{"metadata": {"a": 1e999}}', b'{"amount": ' + b"9" * 5000 + b"}",
        b'{"subject": "\\ud800"}', b'{"\\udfff": 1}', b"[" * 30_000, b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33, b'{"a":' * 9000 + b"1" + b"}" * 9000,
        b"amount=1&currency=CNY", b"<payment/>",
    ],
)  # fmt: skip
def test_what_is_not_json(lin, body):
    assert code(lin.post("payments", body)) == (400, "body_not_json")
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5", b"true", b"[" * 32 + b"]" * 32])
def test_json_that_is_no_object(lin, body):
    assert field_codes(lin.post("payments", body)) == {"": "not_an_object"}


def test_no_body_lacks_every_required_field(lin):
    wrong = field_codes(lin.post("payments", b""))
    assert wrong == dict.fromkeys(TEA, "required")


def test_metadata_may_nest_a_little(lin):
    deep = {"a": {"b": [1, {"c": ["茶", None, True, 1.5, -0.0]}]}}
    assert lin.create(metadata=deep).json()["metadata"] == deep


def test_a_body_of_more_than_64_kib(lin):
    body = json.dumps({**TEA, "description": "x" * 65_536}).encode()
    assert code(lin.post("payments", body)) == (413, "body_too_large")


def test_a_body_of_exactly_64_kib_is_read(lin):
    body = GOOD + b" " * (65_536 - len(GOOD))
    assert lin.post("payments", body).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/json; charset=gbk", "application/xml", "", "nonsense", "application/jsonx",
        "application/problem+json", "*/*",
    ],
)  # fmt: skip
def test_another_content_type(lin, content_type):
    answer = lin.post("payments", GOOD, content_type=content_type)
    assert code(answer) == (415, "content_type_unsupported")
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_in_utf_8_however_it_is_written(lin, content_type):
    assert lin.post("payments", GOOD, content_type=content_type).status_code == 201


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_whatever_a_library_writes_is_read_as_it_was_meant(data):
    assert read_json(json.dumps(data).encode(errors="surrogatepass")) == data


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_read_or_refused(body):
    try:
        read = read_json(body)
    except BodyNotJson:
        return
    assert json.loads(json.dumps(read)) == read
