"""The demo's gateways bill what its history says, but for one line that a person must look at."""

from datetime import UTC, datetime

import pytest
import time_machine

from compliance.audit.actor import SYSTEM
from payments.channels import registry
from payments.channels.http import GatewayHttp
from payments.reconciliation.models import Difference, ReconciliationRun
from payments.reconciliation.run import carry_on, claim_due
from paysite.demo import history
from paysite.demo.channels import connect_sandbox
from paysite.demo.evenings import DAYS, begin_evenings
from paysite.demo.history import make_history
from tests.cast import open_shop
from tests.channels.conftest import SandboxTransport
from tests.payments.conftest import forget

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_week_of_the_demo_has_one_open_difference(settings, monkeypatch):
    settings.GATEWAYS = [
        f"payments.channels.{name}"
        for name in ("alipay.Alipay", "wechatpay.WeChatPay", "unionpay.UnionPay")
    ]
    forget()
    transport = SandboxTransport()
    monkeypatch.setattr(registry, "make_http", lambda: GatewayHttp(transport=transport))
    monkeypatch.setattr(history, "DAYS", DAYS + 1)
    with time_machine.travel(NOW, tick=False):
        connect_sandbox(actor=SYSTEM)
        make_history([open_shop("茗山茶业").merchant], now=NOW)
        assert begin_evenings(now=NOW) == 3 * DAYS
        for _ in range(80):
            run = claim_due(at=NOW)
            if run is None:
                break
            carry_on(run, at=NOW)

    matched = ReconciliationRun.objects.filter(state="matched")
    assert sum(run.matched for run in matched) > 20
    waiting = ReconciliationRun.objects.exclude(state="matched")
    assert all(run.problem == "no_bill" and not run.ours_payments for run in waiting)
    assert [row.found for row in Difference.objects.filter(state="open")] == ["only_theirs"]
