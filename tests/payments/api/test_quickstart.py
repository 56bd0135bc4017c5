"""The quick start of the docs does what it says, as a program of its own, over HTTP."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from compliance.audit.actor import SYSTEM
from merchants.accounts.callback_secret import callback_secret_of
from payments.acquiring.models import Payment
from payments.callbacks import deliver
from payments.callbacks.models import Callback
from payments.channels import registry
from payments.channels.http import GatewayHttp
from payments.channels.sandbox import notifier
from paysite import settings as platform_settings
from paysite.demo.channels import connect_sandbox
from tests.cast import open_shop
from tests.payments.conftest import forget

SCRIPT = Path(__file__).parents[3] / "docs" / "quickstart.py"


@pytest.fixture
def _connections_are_closed(monkeypatch):
    transports = []

    def connect() -> GatewayHttp:
        transports.append(httpx.HTTPTransport())
        return GatewayHttp(transports[-1])

    monkeypatch.setattr(registry, "make_http", connect)
    yield
    for transport in transports:
        transport.close()


@pytest.fixture
def platform(live_server, settings, _connections_are_closed):
    """A running platform with the sandbox's channels; its address."""
    settings.GATEWAYS = platform_settings.GATEWAYS
    settings.BASE_URL = settings.SANDBOX_URL = live_server.url
    forget()
    connect_sandbox(actor=SYSTEM)
    return live_server.url


def run(**changed: str) -> subprocess.CompletedProcess[str]:
    """Run the script to its end, while this process does the work of the platform's workers."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    program = subprocess.Popen(
        [sys.executable, SCRIPT], env={**keep, "PYTHONIOENCODING": "utf-8", **changed}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        while program.poll() is None:
            notifier.deliver_due()
            deliver.deliver_due(run_seconds=0.1)
        out, err = program.communicate(timeout=10)
    finally:
        program.kill()
    return subprocess.CompletedProcess(program.args, program.returncode, out, err)


def test_the_quick_start_pays_and_verifies_its_callback(platform, sound):
    shop = open_shop("茗山茶业")
    done = run(
        PAYSITE_URL=platform,
        PAYSITE_API_KEY=shop.api_key,
        PAYSITE_CALLBACK_SECRET=callback_secret_of(shop.merchant.pk),
    )
    assert done.returncode == 0, done.stderr
    payment = Payment.objects.get()
    assert payment.state == "paid"
    assert f"created  {payment.public_id}" in done.stdout
    assert "payment.paid signature verified" in done.stdout
    callback = Callback.objects.get()
    assert (callback.state, callback.history.get().status) == ("delivered", 204)
    sound()
