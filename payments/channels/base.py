"""What the platform and a gateway say to each other, in frozen values. Channel authors begin here.

A *gateway* (Alipay, WeChat Pay, ...) is spoken to by one folder beside this file. The folder offers
one `Dialect`; a *channel* is a configured connection made with it (`Dialect.connect`). Nothing here
knows Django, models or settings, and no dialect knows another.

Every call ends in one of three outcomes. `Unknown` means that money may have moved: the caller asks
again later with the same number, and never assumes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeAlias, TypeVar

from payments.channels.http import GatewayHttp
from payments.money import Money

T = TypeVar("T")


def gettext_noop(message: str) -> str:
    """Mark a label for translation. A face translates it when it shows it."""
    return message


# --- outcomes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The gateway answered, the answer is authentic, and it means what `value` says."""

    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The gateway definitely refused; nothing happened there and nothing will.

    `code` is the gateway's own. `is_our_fault` (bad signature, wrong merchant, no permission) means
    that further calls will fail too until an operator mends the channel. `field` is the member of
    our request that the gateway names, in its own words, where it names one.
    """

    code: str
    message: str
    is_our_fault: bool = False
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """No authentic, final answer: time-out, reset, 5xx, unreadable, unsigned, "system error".

    `reason` is one of our own words (`timeout`, `connect`, `reset`, `http_502`, `unsigned`,
    `bad_signature`, `unreadable`) or the gateway's code. `was_sent` is False only when certainly no
    byte of the request left this machine, so that it may be repeated at once.
    """

    reason: str
    was_sent: bool = True


Outcome: TypeAlias = Done[T] | Rejected | Unknown


# --- what a customer is shown -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """Text to show as a QR code, to be scanned by the gateway's app."""

    content: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """An address to send the customer's browser to."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPost:
    """A form that the customer's browser posts to the gateway."""

    url: str
    fields: tuple[tuple[str, str], ...]


Presentation: TypeAlias = QrCode | Redirect | FormPost


class Device(StrEnum):
    """Where the customer's browser runs, as far as the choice of a product goes."""

    DESKTOP = "desktop"
    PHONE = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What a customer picks at the checkout. `code` starts with the gateway's name.

    `products` says which of the gateway's products serves which device.
    """

    code: str
    label: str
    hint: str
    products: Mapping[Device, str]


# --- what we ask ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One attempt, as a gateway is asked to open it.

    `number` is ours: at most 32 letters and digits, unique for ever. `reference` is the payment's
    public id; a dialect passes it in the gateway's echo field. `created_at` is part of the order's
    identity at some gateways and must be the same in every later question. All times are aware.
    """

    number: str
    product: str
    amount: Money
    subject: str
    reference: str
    created_at: datetime
    expires_at: datetime
    notify_url: str
    return_url: str
    client_ip: str
    device: Device = Device.DESKTOP
    """Told to gateways whose page depends on it; no part of the order's identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKey:
    """What is needed to ask about, or close, an order that was opened before."""

    number: str
    product: str
    created_at: datetime
    expires_at: datetime
    gateway_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAsk:
    """Give back `amount` of a paid order. `number` is ours and stays the same on every retry.

    `created_at` is the refund's own time and also stays the same.
    """

    number: str
    order: OrderKey
    paid: Money
    amount: Money
    reason: str
    created_at: datetime
    notify_url: str


# --- what we learn ----------------------------------------------------------------------------


class TradeState(StrEnum):
    """Where an order stands at the gateway."""

    WAITING = "waiting"
    """Known there, or not yet known because no customer has touched it. Not final."""
    PAID = "paid"
    CLOSED = "closed"
    """Will never be paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What the gateway says about one order.

    `merchant` and `app` are the numbers named in the message ("" where the gateway has no such
    notion); the caller compares them with the channel's own. `amount` is present when `PAID`.
    """

    number: str
    state: TradeState
    amount: Money | None = None
    gateway_number: str = ""
    paid_at: datetime | None = None
    merchant: str = ""
    app: str = ""


class RefundState(StrEnum):
    """Where a refund stands at the gateway."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Final: the money did not go back under this number and will not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReading:
    """What the gateway says about one refund. `order_number` may be "" where it is not told."""

    number: str
    state: RefundState
    amount: Money | None = None
    order_number: str = ""
    gateway_number: str = ""
    finished_at: datetime | None = None
    merchant: str = ""


# --- notifications ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """A notification exactly as it came in. `headers` keys are lower-case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An authentic message. `key` is the same for every copy of it and differs for any other.

    Exactly one of `trade` and `refund` is set, or neither when the message tells of something that
    changes nothing here.
    """

    key: str
    trade: Trade | None = None
    refund: RefundReading | None = None


class NotAuthentic(Exception):
    """The message does not prove where it comes from; nothing in it may be believed.

    `reason` is one of `unsigned`, `unknown_key`, `bad_signature`, `stale`, `probe`, `unreadable`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer over HTTP to a notification."""

    status: int
    body: bytes
    content_type: str


# --- the plug-in
# -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One thing an operator fills in to configure a channel. Secret ones are stored encrypted.

    `kind` is one of `text`, `private_key`, `public_key`, `certificate`, `secret`.
    """

    name: str
    label: str
    kind: str = "text"
    is_secret: bool = False
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A channel's configuration, decrypted, as a dialect receives it.

    `base_url` is where we call the gateway; `front_url` is where customers' browsers are sent (the
    same, unless a test gateway is reached in two ways). Neither ends with a slash.
    """

    code: str
    base_url: str
    front_url: str
    credentials: Mapping[str, str] = field(repr=False)


class Gateway(Protocol):
    """A dialect with its keys loaded: one per process and channel, safe to use from threads."""

    merchant_number: str
    """Compared with `Trade.merchant`."""
    app_number: str
    """Compared with `Trade.app`; "" where the gateway has no such notion."""

    def open(self, order: Order) -> Outcome[Presentation]:
        """Ask for a way to pay. Browser products answer without a call.

        Repeating it with an equal `Order` never makes a second order.
        """

    def query(self, order: OrderKey) -> Outcome[Trade]:
        """Ask where the order stands."""

    def close(self, order: OrderKey) -> Outcome[Trade]:
        """Make sure that the order can no longer be paid.

        Answers `Done` with `CLOSED`, or with `PAID` when the customer was faster. Where the gateway
        has no close (UnionPay), the answer tells what a query says and lapses at `expires_at`.
        """

    def refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Give money back. Repeating it with an equal `RefundAsk` never refunds twice."""

    def query_refund(self, ask: RefundAsk) -> Outcome[RefundReading]:
        """Ask where the refund stands. `Rejected` only when it certainly does not exist there."""

    def read(self, message: RawMessage) -> Notification:
        """Verify over the raw bytes, then parse. Raises NotAuthentic. Cannot be told not to
        verify.
        """

    def accept(self) -> Reply:
        """The answer after which the gateway stops sending this notification."""

    def refuse(self, reason: str) -> Reply:
        """The answer after which the gateway sends it again."""


class Dialect(Protocol):
    """One gateway's protocol. Found by the dotted path in settings.GATEWAYS."""

    name: ClassVar[str]
    """Lower-case, the first part of its methods' codes."""
    label: ClassVar[str]
    hosts: ClassVar[frozenset[str]]
    """The only hosts that `base_url` and `front_url` may name outside demo mode."""
    base_url: ClassVar[str]
    credentials: ClassVar[tuple[Credential, ...]]
    methods: ClassVar[tuple[Method, ...]]

    def connect(self, connection: Connection, http: GatewayHttp) -> Gateway:
        """Load keys once. Raises BadCredential naming the field and what is wrong with it."""


class BadCredential(ValueError):
    """A configured value cannot be used. `problem` is a short English code such as `not_a_key`."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem
