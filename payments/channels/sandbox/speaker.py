"""What a gateway played by the sandbox must be able to say. Each has a folder beside this file.

Such a folder offers `SPEAKER`, an object that fulfils `Speaker`. Its views use `orders` for what
happens, `keyring.keys_of(SPEAKER)` for keys and `faults.misbehaving` for faults, and never the
dialect under test: the sandbox reads and writes the protocol on its own, from the gateway's side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from django.urls import URLPattern

from payments.channels.sandbox.models import SandboxOrder, SandboxRefund


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notification ready to be posted."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """Where the wallet sends the browser. With `fields` it is a form to post, else an address."""

    url: str
    fields: tuple[tuple[str, str], ...] = ()


class Speaker(Protocol):
    """One gateway, seen from inside it."""

    name: ClassVar[str]
    """A value of models.GatewayName."""
    label: ClassVar[str]
    retry_gaps: ClassVar[Sequence[int]]
    """Seconds between sends of an unacknowledged notification; one send more than gaps."""
    urlpatterns: Sequence[URLPattern]
    """Mounted under /sandbox/<name>/ ."""

    def make_keys(self) -> dict[str, str]:
        """Everything secret and public that the gateway and its one merchant hold. Called once."""

    def credentials(self, keys: Mapping[str, str]) -> dict[str, str]:
        """What an operator types into the channel, by the dialect's credential names."""

    def payment_notice(
        self,
        order: SandboxOrder,
        keys: Mapping[str, str],
        *,
        notice_id: str,
        at: datetime,
    ) -> Letter:
        """Tell the merchant that `order` is paid. Equal `notice_id` means the same notification."""

    def refund_notice(
        self,
        refund: SandboxRefund,
        keys: Mapping[str, str],
        *,
        notice_id: str,
        at: datetime,
    ) -> Letter | None:
        """Tell the merchant about a refund, where the gateway does so."""

    def tamper(self, letter: Letter, what: str) -> Letter:
        """Spoil a finished letter: a wrong `signature` or `amount`, or `unsigned`."""

    def is_accepted(self, status: int, body: bytes) -> bool:
        """Whether the merchant's answer stops further sends."""

    def way_back(self, order: SandboxOrder, keys: Mapping[str, str]) -> WayBack | None:
        """Where the browser goes from the wallet page after paying; None for scanned products."""
