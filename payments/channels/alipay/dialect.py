"""What Alipay offers, and what an operator must fill in to connect to it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

from payments.channels.alipay import keyholder
from payments.channels.alipay.gateway import AlipayGateway
from payments.channels.alipay.wire import Wire
from payments.channels.base import (
    BadCredential,
    Connection,
    Credential,
    Device,
    Method,
    gettext_noop,
)
from payments.channels.http import GatewayHttp


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Alipay:
    """Fulfils `base.Dialect`."""

    name: ClassVar[str] = "alipay"
    label: ClassVar[str] = gettext_noop("Alipay")
    hosts: ClassVar[frozenset[str]] = frozenset(
        {"openapi.alipay.com", "openapi-sandbox.dl.alipaydev.com"}
    )
    base_url: ClassVar[str] = "https://openapi.alipay.com"
    credentials: ClassVar[tuple[Credential, ...]] = (
        Credential(name="app_id", label=gettext_noop("Application number")),
        Credential(name="seller_id", label=gettext_noop("Seller number (2088…)")),
        Credential(
            name="app_private_key",
            label=gettext_noop("Application private key"),
            kind="private_key",
            is_secret=True,
        ),
        Credential(
            name="alipay_public_key",
            label=gettext_noop("Alipay public key"),
            kind="public_key",
            is_required=False,
        ),
        Credential(
            name="app_cert",
            label=gettext_noop("Application certificate (certificate mode)"),
            kind="certificate",
            is_required=False,
        ),
        Credential(
            name="alipay_cert",
            label=gettext_noop("Alipay certificate (certificate mode)"),
            kind="certificate",
            is_required=False,
        ),
        Credential(
            name="alipay_root_cert",
            label=gettext_noop("Alipay root certificates (certificate mode)"),
            kind="certificate",
            is_required=False,
        ),
    )
    methods: ClassVar[tuple[Method, ...]] = (
        Method(
            code="alipay",
            label=gettext_noop("Alipay"),
            hint=gettext_noop("Scan with the Alipay app"),
            products={Device.DESKTOP: "precreate", Device.PHONE: "wap"},
        ),
        Method(
            code="alipay_page",
            label=gettext_noop("Alipay account"),
            hint=gettext_noop("Sign in to Alipay in the browser"),
            products={Device.DESKTOP: "page", Device.PHONE: "wap"},
        ),
    )

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        """`now` lets published messages be replayed."""
        self._now = now

    def connect(self, connection: Connection, http: GatewayHttp) -> AlipayGateway:
        """Load keys once. Raises BadCredential."""
        app_id, seller_id = (_number(connection, name) for name in ("app_id", "seller_id"))
        wire = Wire(connection, http, keyholder.load(connection.credentials), self._now)
        return AlipayGateway(wire, seller_id=seller_id, app_id=app_id, now=self._now)


def _number(connection: Connection, name: str) -> str:
    value = connection.credentials.get(name, "")
    if not value:
        raise BadCredential(name, "missing")
    if not (value.isascii() and value.isdigit()):
        raise BadCredential(name, "not_a_number")
    return value
