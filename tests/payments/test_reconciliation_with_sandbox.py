"""The whole evening with the sandbox gateways' own bills: planted errors are found, once each."""

import io
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import time_machine
from django.core.management import CommandError, call_command

from compliance.audit.actor import SYSTEM
from payments.acquiring.models import Attempt
from payments.acquiring.outcomes import learn_trade
from payments.channels import registry
from payments.channels.base import Trade, TradeState
from payments.channels.http import GatewayHttp
from payments.channels.models import Channel
from payments.channels.registry import line
from payments.channels.sandbox import bills, orders
from payments.channels.sandbox.keyring import keys_of
from payments.channels.sandbox.models import SandboxGateway, SandboxOrder
from payments.channels.sandbox.speakers import SPEAKERS
from payments.ledger.checks import breaks
from payments.money import Money
from payments.reconciliation.fees import terms_of
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.run import begin, claim, work
from payments.reconciliation.states import RunState
from paysite.demo.channels import connect_sandbox
from tests.cast import Shop, choose, open_shop, order
from tests.channels.conftest import SandboxTransport
from tests.payments.conftest import forget
from tests.payments.evening import found

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
MORNING = NOON + timedelta(hours=23)
NUMBER_OF_MERCHANT = {"alipay": "seller_id", "wechatpay": "mchid", "unionpay": "mer_id"}


@pytest.fixture
def shop(settings, monkeypatch, transport: SandboxTransport) -> Shop:
    settings.GATEWAYS = [
        f"payments.channels.{name}"
        for name in ("alipay.Alipay", "wechatpay.WeChatPay", "unionpay.UnionPay")
    ]
    forget()
    monkeypatch.setattr(registry, "make_http", lambda: GatewayHttp(transport=transport))
    with time_machine.travel(NOON, tick=False):
        connect_sandbox(actor=SYSTEM)
        return open_shop("茗山茶业")


@pytest.fixture
def transport(db) -> SandboxTransport:
    return SandboxTransport()


def pays(shop: Shop, name: str, number: str, *, at: datetime = NOON) -> Attempt:
    """A customer pays, and we hear of it."""
    with time_machine.travel(at, tick=False):
        attempt = choose(order(shop, number, at=at), method=name, at=at)
        placed = place(name, attempt)
        orders.pay(placed.pk, SPEAKERS[name], at=at)
        hears(name, attempt, placed, at=at)
    return attempt


def place(name: str, attempt: Attempt) -> SandboxOrder:
    """The order at the gateway; a form in the browser would have brought it."""
    known = SandboxOrder.objects.filter(number=attempt.number).first()
    merchant = keys_of(SPEAKERS[name])[NUMBER_OF_MERCHANT[name]]
    return known or orders.place(
        orders.OrderAsk(
            gateway=name, merchant=merchant, number=attempt.number, product="gateway",
            gateway_number=orders.new_digits(attempt.created_at, 21), subject="明前龙井",
            amount=attempt.amount, notify_url="",
            fields={"txnTime": "20261120120000", "bizType": "000201"},
        ),
        at=attempt.created_at,
    )  # fmt: skip


def hears(name: str, attempt: Attempt, placed: SandboxOrder, *, at: datetime) -> None:
    connected = line(name)
    trade = Trade(
        number=attempt.number, state=TradeState.PAID, amount=Money(attempt.amount_minor),
        gateway_number=placed.gateway_number, paid_at=at,
        merchant=connected.gateway.merchant_number, app=connected.gateway.app_number,
    )  # fmt: skip
    assert learn_trade(connected, trade, source="query", actor=SYSTEM, at=at).verdict == "booked"


def reconcile(name: str, day: date = DAY, *, at: datetime = MORNING) -> ReconciliationRun:
    with time_machine.travel(at, tick=False):
        run = claim(begin(Channel.objects.get(code=name), day, at=at), at=at)
        work(run, at=at)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("name", sorted(NUMBER_OF_MERCHANT))
def test_planted_errors_are_found_once_each_and_none_is_invented(shop, name):
    for count in range(9):
        pays(shop, name, f"T{count}", at=NOON + timedelta(minutes=count))
    planted = bills.plant(
        name, DAY, counts={"missing": 2, "amount": 2, "fee": 1, "extra": 2}, is_late=False
    )

    run = reconcile(name)

    assert found() == {
        **{("only_ours", number): "open" for number in planted["missing"]},
        **{("amount", number): "open" for number in planted["amount"]},
        **{("fee", number): "open" for number in planted["fee"]},
        **{("only_theirs", number): "open" for number in planted["extra"]},
    }
    assert (run.state, run.matched, run.theirs_payments) == (RunState.MATCHED, 4, 9)
    reconcile(name, at=MORNING + timedelta(hours=1))
    assert Difference.objects.count() == 7
    assert list(breaks()) == []


def test_the_demo_knows_what_its_gateways_keep(shop):
    for name, returns in (("alipay", False), ("wechatpay", True), ("unionpay", False)):
        terms = terms_of(Channel.objects.get(code=name), DAY)
        assert terms is not None
        assert (terms.rate_ppm, terms.returns_on_refund) == (6000, returns)


def test_unionpays_day_ends_an_hour_before_ours(shop):
    pays(shop, "unionpay", "T1", at=NOON + timedelta(hours=11, minutes=30))
    assert reconcile("unionpay", at=MORNING + timedelta(days=2)).state == RunState.MATCHED
    run = reconcile("unionpay", DAY + timedelta(days=1), at=MORNING + timedelta(days=2))
    assert (run.matched, found(DAY + timedelta(days=1))) == (1, {})


def test_a_bill_that_is_published_late_is_waited_for(shop):
    pays(shop, "wechatpay", "T1")
    none = dict.fromkeys(bills.ERRORS, 0)
    bills.plant("wechatpay", DAY, counts=none, is_late=True)
    assert reconcile("wechatpay").state == RunState.WAITING
    bills.plant("wechatpay", DAY, counts=none, is_late=False)
    assert reconcile("wechatpay", at=MORNING + timedelta(hours=1)).matched == 1


class CutOff(SandboxTransport):
    """The line breaks in the middle of a file, and nobody notices."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if any(part in request.url.path for part in ("/billdownload/", "/alipay/bill/")):
            content = answer.content
            return httpx.Response(200, headers={"Content-Type": "x/y"}, content=content[:-40])
        return answer


@pytest.mark.parametrize("name", ["alipay", "wechatpay"])
def test_a_file_that_was_cut_off_is_not_imported(shop, name, monkeypatch):
    pays(shop, name, "T1")
    monkeypatch.setattr(registry, "make_http", lambda: GatewayHttp(transport=CutOff()))
    registry.forget()
    run = reconcile(name)
    assert run.state in {RunState.WAITING, RunState.REFUSED}
    assert run.problem == "truncated"
    assert found() == {}


def test_the_command_reconciles_a_day_and_says_so(shop):
    pays(shop, "alipay", "T1")
    told = io.StringIO()
    with time_machine.travel(MORNING, tick=False):
        call_command("reconcile", "--channel", "alipay", "--day", "2026-11-20", stdout=told)
        assert "matched 1, open differences 0" in told.getvalue()
        for channel, day in (("nobody", "2026-11-20"), ("alipay", "2026-11-21")):
            with pytest.raises(CommandError):
                call_command("reconcile", "--channel", channel, "--day", day, stdout=told)
        SandboxGateway.objects.filter(gateway="alipay").update(is_down=True)
        with pytest.raises(CommandError, match="http_503"):
            call_command("reconcile", "--channel", "alipay", "--day", "2026-11-20", stdout=told)
