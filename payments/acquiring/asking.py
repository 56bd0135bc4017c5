"""Reads what a merchant asks for when creating a payment, and says everything that is wrong with
it.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from types import MappingProxyType
from typing import Any, Final

from payments.callbacks.rules import address_flaw
from payments.errors import Refusal
from payments.money import EXPONENTS, Money

AMOUNT_MAX_MINOR: Final = 10_000_000_000
"""100 million yuan: the largest order a gateway takes."""
CURRENCIES: Final = frozenset({"CNY"})
"""What the gateways charge in."""
EXPIRES_IN_DEFAULT: Final = 1800
EXPIRES_IN_MIN: Final = 60
EXPIRES_IN_MAX: Final = 7 * 24 * 3600
JSON_BYTES_MAX: Final = 4096
REFUND_REASON_MAX: Final = 80
"""Characters that every gateway takes."""

_ORDER_NO: Final = re.compile(r"[A-Za-z0-9_\-.:/#]{1,64}")

_UNSHOWABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, and so can make a customer read another text."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: a stable code, and facts for the sentence."""

    field: str
    code: str
    facts: Mapping[str, object] = _field(default_factory=dict)


class AskInvalid(Refusal):
    """One or more fields cannot be accepted."""

    code = "validation_failed"

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__()
        self.errors = errors


class _Wrong(Exception):
    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAsk:
    """A valid request for a payment."""

    merchant_order_no: str
    amount: Money
    subject: str
    description: str = ""
    methods: tuple[str, ...] = ()
    expires_in: int = EXPIRES_IN_DEFAULT
    return_url: str = ""
    callback_url: str = ""
    customer: Mapping[str, Any] = _field(default_factory=dict)
    metadata: Mapping[str, Any] = _field(default_factory=dict)

    def fingerprint(self) -> bytes:
        """SHA-256 over everything asked for: equal for a repeat, different for anything else."""
        everything = [
            self.merchant_order_no, self.amount.minor, self.amount.currency, self.subject,
            self.description, self.methods, self.expires_in, self.return_url, self.callback_url,
            self.customer, self.metadata,
        ]  # fmt: skip
        text = json.dumps(everything, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()


def read_payment_ask(
    data: object, *, known_methods: frozenset[str], plain_http: bool
) -> PaymentAsk:
    """Turn parsed JSON into a PaymentAsk. Raises AskInvalid with every error found.

    `plain_http` allows http: addresses (demo mode only).
    """
    values = _read_all(data, _readers(known_methods, plain_http))
    values["amount"] = Money(values["amount"], values.pop("currency"))
    return PaymentAsk(**values)


_Reader = Callable[[Any], Any]


def _read_all(
    data: object,
    readers: Mapping[str, tuple[_Reader, bool]],
    *,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise AskInvalid([FieldError("", "not_an_object")])
    errors = [FieldError(str(name), "unknown_field") for name in data if name not in readers]
    values: dict[str, Any] = {}
    for name, (read, is_required) in readers.items():
        if name not in data or data[name] is None:
            if is_required:
                errors.append(FieldError(name, "required"))
            continue
        try:
            values[renamed.get(name, name)] = read(data[name])
        except _Wrong as wrong:
            errors.append(FieldError(name, wrong.code, wrong.facts))
    if errors:
        raise AskInvalid(errors)
    return values


def _readers(known_methods: frozenset[str], plain_http: bool) -> dict[str, tuple[_Reader, bool]]:  # noqa: FBT001
    def url(value: Any) -> str:
        return _url(value, plain_http=plain_http)

    return {
        "merchant_order_no": (_order_no, True),
        "amount": (_amount, True),
        "currency": (_currency, True),
        "subject": (lambda v: _text(v, 256), True),
        "description": (lambda v: _text(v, 1024, empty=True), False),
        "methods": (lambda v: _methods(v, known_methods), False),
        "expires_in": (_expires_in, False),
        "return_url": (url, False),
        "callback_url": (url, False),
        "customer": (_object, False),
        "metadata": (_object, False),
    }


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong("amount_malformed")
    if value <= 0:
        raise _Wrong("amount_not_positive")
    if value > AMOUNT_MAX_MINOR:
        raise _Wrong("amount_too_large", max=AMOUNT_MAX_MINOR)
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in EXPONENTS:
        raise _Wrong("currency_unknown")
    if value not in CURRENCIES:
        raise _Wrong("currency_unsupported", supported=sorted(CURRENCIES))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """A valid request for a refund. The payment's currency is meant."""

    merchant_refund_no: str
    amount_minor: int
    reason: str = ""

    def fingerprint(self, payment: str) -> str:
        """Equal for a repeat, different for anything else."""
        return json.dumps(["refund", payment, self.merchant_refund_no, self.amount_minor,
                           self.reason], ensure_ascii=False)  # fmt: skip


def read_refund_wish(data: object) -> RefundWish:
    """Turn parsed JSON into a RefundWish. Raises AskInvalid with every error found."""
    return RefundWish(
        **_read_all(
            data,
            {
                "merchant_refund_no": (_order_no, True),
                "amount": (_amount, True),
                "reason": (lambda v: _text(v, REFUND_REASON_MAX, empty=True), False),
            },
            renamed={"amount": "amount_minor"},
        )
    )


def is_order_no(text: str) -> bool:
    """Whether a merchant can have an order with this number."""
    return _ORDER_NO.fullmatch(text) is not None


def _order_no(value: Any) -> str:
    if not isinstance(value, str) or not is_order_no(value):
        raise _Wrong("order_no_malformed")
    return value


def _text(value: Any, longest: int, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise _Wrong("not_text")
    if len(value) > longest:
        raise _Wrong("too_long", max=longest)
    if any(unicodedata.category(c) in _UNSHOWABLE or c in _TURNING for c in value):
        raise _Wrong("control_characters")
    if not empty and not value.strip():
        raise _Wrong("required")
    return value.strip()


def _methods(value: Any, known: frozenset[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > len(known):
        raise _Wrong("method_unknown", known=sorted(known))
    if any(not isinstance(m, str) or m not in known for m in value):
        raise _Wrong("method_unknown", known=sorted(known))
    return tuple(dict.fromkeys(value))


def _expires_in(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong("not_an_integer")
    if not EXPIRES_IN_MIN <= value <= EXPIRES_IN_MAX:
        raise _Wrong("out_of_range", min=EXPIRES_IN_MIN, max=EXPIRES_IN_MAX)
    return value


def _url(value: Any, *, plain_http: bool) -> str:
    text = _text(value, 1024, empty=True)
    if text and (flaw := address_flaw(text, plain_http=plain_http)):
        raise _Wrong(flaw)
    return text


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong("not_an_object")
    text = json.dumps(value, ensure_ascii=False)
    if len(text.encode(errors="replace")) > JSON_BYTES_MAX:
        raise _Wrong("too_long", max=JSON_BYTES_MAX)
    if "\\u0000" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise _Wrong("control_characters")
    return value
