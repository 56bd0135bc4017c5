"""kill -9 at every named step. Afterwards the platform tidies up by itself and no fen is out of
place.
"""

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from payments.acquiring import soundness
from payments.acquiring.models import Attempt, Payment, Refund
from payments.acquiring.states import LIVE
from payments.callbacks.deliver import deliver_due
from payments.callbacks.endpoints import EndpointWish, make_endpoint
from payments.callbacks.models import Callback, CallbackState, Event
from payments.channels import registry
from payments.channels.bills import BEIJING
from payments.channels.sandbox import bills, orders
from payments.channels.sandbox.models import SandboxMessage, SandboxOrder, SandboxRefund
from payments.channels.sandbox.speakers import SPEAKERS
from payments.ledger import checks
from payments.reconciliation.models import Bill, Difference, LoadedLine
from payments.steps import STEPS
from paysite.demo.channels import connect_sandbox
from tests.cast import open_shop, order
from tests.database import database_address
from tests.payments import crashing
from tests.payments.conftest import forget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[2]


class Till(http.server.BaseHTTPRequestHandler):
    """The merchant's program: says yes to every callback and remembers its number."""

    heard: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def till() -> Iterator[str]:
    Till.heard = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Till)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(till, settings, monkeypatch):
    """A shop on the real dialects, which talk to the sandbox in whatever process they run."""
    settings.GATEWAYS = [
        f"payments.channels.{name}"
        for name in ("alipay.Alipay", "wechatpay.WeChatPay", "unionpay.UnionPay")
    ]
    forget()
    monkeypatch.setattr(registry, "make_http", registry.make_http)
    crashing.through_the_sandbox()
    connect_sandbox(actor=SYSTEM)
    return order(open_shop("茗山茶业"), at=timezone.now(), callback_url=till)


def die(deed: str, payment: str, step: str, **more: str) -> None:
    """Do the deed in a process of its own, which is killed at the step."""
    done = elsewhere(deed, payment, step, **more)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


def elsewhere(
    deed: str, payment: str, step: str = "", **more: str
) -> "subprocess.CompletedProcess[bytes]":
    """Do the deed in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.payments.crashing", deed, payment],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_address(), "CRASH_AT": step, "DEMO": "true",
             "BASE_URL": django_settings.BASE_URL, **more},
        capture_output=True,
        check=False,
        timeout=60,
    )  # fmt: skip


def wallet_pays(payment: str) -> None:
    waiting = SandboxOrder.objects.get(reference=payment)
    orders.pay(waiting.pk, SPEAKERS["alipay"], at=timezone.now())


def come_to_rest() -> None:
    """What the workers of a living platform would do in the next minutes."""
    for _ in range(4):
        SandboxMessage.objects.exclude(due_at=None).update(due_at=timezone.now())
        crashing.notify("")
        crashing.ask("")
        Refund.objects.exclude(due_at=None).update(due_at=timezone.now())
        crashing.refund("")
        Callback.objects.filter(state=CallbackState.PENDING).update(
            due_at=timezone.now(), lease_until=None
        )
        deliver_due()
    assert [*checks.breaks(), *soundness.breaks()] == []


STORIES = [
    ("choose", "attempt.created"),
    ("choose", "attempt.answered"),
    ("choose", "attempt.opened"),
    ("notify", "notification.verified"),
    ("notify", "notification.booked"),
    ("ask", "query.answered"),
    ("deliver", "callback.claimed"),
    ("deliver", "callback.answered"),
]


@pytest.mark.parametrize(("deed", "step"), STORIES)
def test_a_paid_order_survives(world, till, deed, step):
    if deed == "choose":
        die("choose", world.id, step)
        crashing.choose(world.id)  # The customer tries again; the same number is used.
        wallet_pays(world.id)
    else:
        crashing.choose(world.id)
        wallet_pays(world.id)
        if deed == "deliver":
            crashing.notify(world.id)
        die(deed, world.id, step)

    come_to_rest()

    assert Payment.objects.get().state == "paid"
    assert SandboxOrder.objects.count() == Attempt.objects.count() == 1
    callback = Callback.objects.get()
    assert callback.state == CallbackState.DELIVERED
    assert set(Till.heard) == {callback.event.public_id}
    assert 1 <= len(Till.heard) <= 2, "at least once; twice when the answer was lost with us"


@pytest.mark.parametrize("step", ["callback.claimed", "callback.answered"])
def test_each_endpoint_hears_under_one_number_whoever_dies(world, till, step):
    merchant = Payment.objects.get().merchant
    for label in ("shop", "books"):
        wish = EndpointWish(label=label, url=f"{till}{label}")
        make_endpoint(merchant_id=merchant.pk, wish=wish, actor=SYSTEM, at=timezone.now())
    crashing.choose(world.id)
    wallet_pays(world.id)
    crashing.notify(world.id)
    die("deliver", world.id, step)

    come_to_rest()

    event = Event.objects.get()
    assert set(Till.heard) == {event.public_id}
    assert event.callbacks.count() == 3
    assert not event.callbacks.exclude(state=CallbackState.DELIVERED).exists()
    assert len(Till.heard) >= (4 if step == "callback.answered" else 3), "sent again"


@pytest.mark.parametrize("step", ["attempt.closing", "attempt.close_answered"])
def test_a_closing_is_finished(world, till, step):
    # Alipay knows no order that nobody has scanned; WeChat Pay really closes it.
    crashing.choose(world.id, "wechatpay")
    die("close", world.id, step)

    come_to_rest()

    assert Payment.objects.get().state == "closed"
    assert SandboxOrder.objects.get().state == "closed"
    assert not Attempt.objects.filter(state__in=LIVE).exists()
    assert len(Till.heard) == 1


@pytest.mark.parametrize("step", ["refund.sending", "refund.answered"])
def test_late_money_goes_back_exactly_once(world, till, step):
    crashing.choose(world.id)
    crashing.close(world.id)
    SandboxOrder.objects.update(state="waiting", expires_at=timezone.now() + timedelta(hours=1))
    wallet_pays(world.id)
    crashing.notify(world.id)
    assert Refund.objects.get().state == "requested"
    die("refund", world.id, step)

    come_to_rest()

    assert Refund.objects.get().state == "succeeded"
    returned = SandboxRefund.objects.get()
    assert returned.amount_minor == 12800


@pytest.mark.parametrize("step", ["refund.sending", "refund.answered"])
def test_a_merchants_refund_goes_back_exactly_once(world, till, step):
    crashing.choose(world.id)
    wallet_pays(world.id)
    crashing.notify(world.id)
    crashing.ask_back(world.id)
    die("refund", world.id, step)

    come_to_rest()

    assert Refund.objects.get().state == "succeeded"
    assert SandboxRefund.objects.get().amount_minor == 2800
    assert Payment.objects.get().refunded_minor == 2800


BILL_STEPS = ["bill.fetched", "bill.kept", "bill.loaded", "bill.matched"]


@pytest.mark.parametrize("step", BILL_STEPS)
def test_a_day_is_reconciled_once_wherever_its_worker_died(world, till, step, tmp_path):
    # Bills lie in a folder, which outlives the process.
    disk = {"DJANGO_SETTINGS_MODULE": "paysite.settings", "DATA_DIR": str(tmp_path)}
    crashing.choose(world.id)
    wallet_pays(world.id)
    crashing.notify(world.id)
    day = Payment.objects.get().created_at.astimezone(BEIJING).date()
    bills.plant(
        "alipay", day, counts={"missing": 1, "amount": 0, "fee": 0, "extra": 2}, is_late=False
    )
    die("reconcile", world.id, step, **disk)
    assert Difference.objects.count() == LoadedLine.objects.count() == 0
    assert Bill.objects.count() == (step != "bill.fetched")

    for _ in range(2):
        done = elsewhere("reconcile", world.id, **disk)
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    found = Difference.objects.order_by("found").values_list("found", flat=True)
    assert list(found) == ["only_ours", "only_theirs", "only_theirs"]
    assert Bill.objects.count() == 1
    assert LoadedLine.objects.count() == 2
    assert [*checks.breaks(), *soundness.breaks()] == []


def test_a_created_order_is_found_by_repeating(world):
    """`payment.created` comes after the only durable statement: the merchant repeats and finds
    it.
    """
    covered = {step for _, step in STORIES} | {
        "attempt.closing", "attempt.close_answered", "refund.sending", "refund.answered",
        "payment.created", *BILL_STEPS,
    }  # fmt: skip
    assert covered == STEPS, "every named step is a story here"
    die("create", world.id, "payment.created")
    made = Payment.objects.get(merchant_order_no="T2")
    assert crashing.create(world.id).id == made.public_id
    assert Payment.objects.count() == 2
