"""Which scene the checkout page shows, and the facts it needs. No request, template or database."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from django.utils import timezone

from payments.acquiring.queries import Checkout, MethodChoice, ShownAttempt
from payments.channels.base import Device, FormPost, QrCode, Redirect
from payments.checkout.device import app_around, device_of
from payments.qr import draw_qr


class Scene(StrEnum):
    """One page has one scene. The template asks for nothing else."""

    CHOOSE = "choose"
    QR = "qr"
    """A code is shown and good."""
    STALE = "stale"
    """A code was shown and is no longer good; a new one is one press away."""
    LEAVE = "leave"
    """The customer continues at the gateway, by a link or by a form."""
    CONFIRM = "confirm"
    """Only the gateway knows. The customer must not pay again meanwhile."""
    PAID = "paid"
    LATE = "late"
    """Paid after the order had ended; the money goes back."""
    EXPIRED = "expired"
    CLOSED = "closed"


ENDS: Final = frozenset({Scene.PAID, Scene.LATE})
"""Nothing changes any more, so nobody waits. Money may still reach a closed order, too late."""
PAYABLE: Final = frozenset({Scene.CHOOSE, Scene.QR, Scene.STALE, Scene.LEAVE, Scene.CONFIRM})
WAITING: Final = frozenset({Scene.QR, Scene.STALE, Scene.LEAVE, Scene.CONFIRM})

MARKS: Final = {"alipay": "支", "wechatpay": "微", "unionpay": "银", "banktransfer": "转"}
"""One character in a square of the gateway's colour: neutral badges, not logos."""

_NOT_A_FAMILY: Final = re.compile(r"^[a-z]+$|^[a-z]{2,3}\.[a-z]{2}$|\d$")
"""What is left of a host without its first part, when that is "com", "com.cn" or of an address."""


@dataclass(frozen=True, slots=True)
class MethodCard:
    """A method as it is drawn."""

    choice: MethodChoice
    mark: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it is written for people here and for programs."""

    exact: str
    day_and_time: str
    time: str


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """What the template is given beside the checkout itself."""

    scene: Scene
    sign: str
    digits: str
    cards: tuple[MethodCard, ...]
    chosen: MethodCard | None
    """The method of the attempt, or the one that was used to pay."""
    until: Moment
    seconds_left: int
    qr: str
    qr_until: Moment | None
    qr_seconds_left: int
    seen: str
    """What the page knows; the waiting script compares it with what the server says later."""
    form_origins: tuple[str, ...]
    device: Device
    app: str

    @property
    def is_waiting(self) -> bool:
        """Whether the page should move on by itself soon."""
        return self.scene in WAITING

    @property
    def is_payable(self) -> bool:
        """Whether a method may still be picked."""
        return self.scene in PAYABLE

    @property
    def is_watched(self) -> bool:
        """Whether anything can still change."""
        return self.scene not in ENDS


def scene_of(checkout: Checkout, *, at: datetime) -> Scene:
    """The one place that decides what a customer is told."""
    attempt = checkout.attempt
    if checkout.status == "paid":
        return Scene.PAID
    is_over = checkout.status == "closed" or checkout.is_expired
    if is_over and attempt is not None and attempt.state == "late":
        return Scene.LATE
    if checkout.status == "closed":
        return Scene.EXPIRED if checkout.is_expired else Scene.CLOSED
    if checkout.is_expired:
        return Scene.EXPIRED
    if attempt is not None and attempt.state in {"created", "open", "unknown", "closing"}:
        return _scene_of_live(attempt, at=at)
    return Scene.CLOSED if checkout.is_closing else Scene.CHOOSE


def _scene_of_live(attempt: ShownAttempt, *, at: datetime) -> Scene:
    if attempt.state != "open" or attempt.presentation is None:
        return Scene.CONFIRM
    match attempt.presentation:
        case QrCode(expires_at=expires_at):
            return Scene.QR if expires_at > at else Scene.STALE
        case Redirect() | FormPost():
            return Scene.LEAVE


def page_of(checkout: Checkout, *, user_agent: str, at: datetime) -> CheckoutPage:
    """Everything the template shows for this customer's device at this moment."""
    scene = scene_of(checkout, at=at)
    sign = checkout.amount.text.rstrip("0123456789.,")
    app = app_around(user_agent)
    cards = _cards(checkout, app=app)
    used = checkout.method or (checkout.attempt.method if checkout.attempt else "")
    shown = checkout.attempt.presentation if checkout.attempt else None
    qr = shown if scene is Scene.QR and isinstance(shown, QrCode) else None
    return CheckoutPage(
        scene=scene,
        sign=sign,
        digits=checkout.amount.text[len(sign) :],
        cards=cards,
        chosen=next((card for card in cards if card.choice.code == used), None),
        until=_moment(checkout.expires_at),
        seconds_left=max(0, int((checkout.expires_at - at).total_seconds())),
        qr=draw_qr(qr.content) if qr else "",
        qr_until=_moment(qr.expires_at) if qr else None,
        qr_seconds_left=int((qr.expires_at - at).total_seconds()) if qr else 0,
        seen=seen_text(checkout),
        form_origins=origins_of(shown.url) if isinstance(shown, FormPost) else (),
        device=device_of(user_agent),
        app=app,
    )


def _moment(at: datetime) -> Moment:
    here = timezone.localtime(at)
    day_and_time = here.strftime("%Y-%m-%d %H:%M")
    return Moment(here.isoformat(), day_and_time, day_and_time[-5:])


def seen_text(checkout: Checkout) -> str:
    """Payment, attempt and the attempt's state in one word."""
    if checkout.status == "paid":
        return checkout.status
    attempt = checkout.attempt
    parts = [checkout.status]
    if checkout.status == "pending":
        parts.append("expired" if checkout.is_expired else "running")
    return " ".join([*parts, attempt.id, attempt.state] if attempt else parts)


def _cards(checkout: Checkout, *, app: str) -> tuple[MethodCard, ...]:
    """Methods in the order of likelihood: usable first, then the app around us, then as offered."""
    tried = checkout.attempt.method if checkout.attempt else ""
    ordered = sorted(checkout.methods, key=lambda m: (not m.is_available, m.gateway != app))
    likely = next((m.code for m in ordered if m.is_available and m.code == tried), "") or next(
        (m.code for m in ordered if m.is_available), ""
    )
    return tuple(
        MethodCard(m, MARKS.get(m.gateway, m.label[:1]), m.code == likely) for m in ordered
    )


def origins_of(url: str) -> tuple[str, ...]:
    """Where a form that is posted to `url` may end, for the page's content security policy.

    Chromium holds a form's whole chain of redirects against `form-action`, and a gateway sends its
    front door's visitors on to another host of its own. Therefore the hosts beside the named one
    are allowed as well, but never a whole top-level domain.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    family = (parts.hostname or "").partition(".")[2]
    if parts.scheme != "https" or not family or _NOT_A_FAMILY.search(family):
        return (origin,)
    return (origin, f"https://*.{family}")
