"""UnionPay ACP 5.1.0 as a dialect: cards and online banking on its page, and its QR code."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import ClassVar

from cryptography.x509 import Certificate

from payments.channels.base import (
    BadCredential,
    Connection,
    Credential,
    Device,
    Method,
    gettext_noop,
)
from payments.channels.http import GatewayHttp
from payments.channels.signing import KeyUnusable, private_key
from payments.channels.unionpay.chain import BadCertificate, Chain, certificate, rsa_key
from payments.channels.unionpay.gateway import UnionPayGateway
from payments.channels.unionpay.wire import Keys, Wire

MERCHANT_NUMBER_LENGTH = 15


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class UnionPay:
    """The dialect named in settings.GATEWAYS."""

    name: ClassVar[str] = "unionpay"
    label: ClassVar[str] = gettext_noop("UnionPay")
    hosts: ClassVar[frozenset[str]] = frozenset({"gateway.95516.com", "gateway.test.95516.com"})
    base_url: ClassVar[str] = "https://gateway.95516.com"
    credentials: ClassVar[tuple[Credential, ...]] = (
        Credential(name="mer_id", label=gettext_noop("Merchant number (15 digits)")),
        Credential(
            name="merchant_private_key",
            label=gettext_noop("Merchant private key (PEM)"),
            kind="private_key",
            is_secret=True,
        ),
        Credential(
            name="merchant_certificate",
            label=gettext_noop("Merchant certificate (PEM)"),
            kind="certificate",
        ),
        Credential(
            name="unionpay_root_certificate",
            label=gettext_noop("UnionPay root certificate (PEM)"),
            kind="certificate",
        ),
        Credential(
            name="unionpay_middle_certificate",
            label=gettext_noop("UnionPay intermediate certificate (PEM)"),
            kind="certificate",
        ),
    )
    methods: ClassVar[tuple[Method, ...]] = (
        Method(
            code="unionpay",
            label=gettext_noop("UnionPay card / online banking"),
            hint=gettext_noop("Pay by card or online banking on UnionPay's page"),
            products={Device.DESKTOP: "gateway", Device.PHONE: "gateway"},
        ),
        Method(
            code="unionpay_qr",
            label=gettext_noop("UnionPay QR (云闪付)"),
            hint=gettext_noop("Scan with the UnionPay app or your bank's app"),
            products={Device.DESKTOP: "qr", Device.PHONE: "qr"},
        ),
    )

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        """`clock` lets published messages be replayed at the time they were made."""
        self._clock = clock

    def connect(self, connection: Connection, http: GatewayHttp) -> UnionPayGateway:
        """Load and cross-check keys and certificates. Raises BadCredential."""
        given = connection.credentials
        mer_id = given.get("mer_id", "").strip()
        is_number = mer_id.isascii() and mer_id.isalnum() and len(mer_id) == MERCHANT_NUMBER_LENGTH
        if not is_number:
            raise BadCredential("mer_id", "not_a_merchant_number")
        try:
            private = private_key(given.get("merchant_private_key", ""))
        except KeyUnusable as error:
            raise BadCredential("merchant_private_key", str(error)) from error
        own = _certificate(given, "merchant_certificate")
        if rsa_key(own).public_numbers() != private.public_key().public_numbers():
            raise BadCredential("merchant_certificate", "not_of_this_key")
        root = _certificate(given, "unionpay_root_certificate")
        middle = _certificate(given, "unionpay_middle_certificate")
        try:
            chain = Chain(root=root, middle=middle)
        except BadCertificate as error:
            raise BadCredential("unionpay_middle_certificate", str(error)) from error
        keys = Keys(
            merchant=mer_id,
            certificate_id=str(own.serial_number),
            private=private,
            chain=chain,
        )
        wire = Wire(keys=keys, http=http, base_url=connection.base_url, clock=self._clock)
        return UnionPayGateway(wire, front_url=connection.front_url)


def _certificate(given: Mapping[str, str], name: str) -> Certificate:
    """A certificate with a usable RSA key."""
    try:
        loaded = certificate(given.get(name, ""))
        rsa_key(loaded)
    except BadCertificate as error:
        raise BadCredential(name, str(error)) from error
    return loaded
