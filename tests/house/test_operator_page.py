"""The programs in docs/operator.md do what the page says."""

import re
import runpy
from pathlib import Path

import pytest

from compliance.identity.models import User
from merchants.models import Merchant
from payments.channels import registry
from payments.channels.models import Channel
from payments.channels.sandbox.keyring import new_pair
from paysite.launcher.places import CHECKOUT

pytestmark = pytest.mark.django_db


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each block of Python on the page as a file, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    page = (CHECKOUT / "docs" / "operator.md").read_text(encoding="utf-8")
    files = []
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", page, re.DOTALL)):
        files.append(tmp_path / f"program{number}.py")
        files[-1].write_text(text, encoding="utf-8")
    return files


def test_a_merchant_is_registered_with_its_first_person(programs, capsys):
    User.objects.create_user(username="ming.owner", email="ming@shop.example")
    runpy.run_path(str(programs[0]))
    merchant = Merchant.objects.get()
    assert capsys.readouterr().out.strip() == merchant.public_id
    assert merchant.members.get().user.username == "ming.owner"


def test_a_channel_is_configured_and_connects(programs, settings, tmp_path):
    settings.DEMO = False
    (tmp_path / "app_private_key.pem").write_text(new_pair()[0])
    (tmp_path / "alipay_public_key.pem").write_text(new_pair()[1])
    registry.forget()
    runpy.run_path(str(programs[1]))
    assert Channel.objects.get().state == "active"
    try:
        assert registry.line("alipay").gateway.app_number == "2021000000000001"
    finally:
        registry.forget()


def test_the_page_names_every_credential_of_every_gateway():
    page = (CHECKOUT / "docs" / "operator.md").read_text(encoding="utf-8")
    missing = [
        f"{dialect.name}: {credential.name}"
        for dialect in registry.dialects().values()
        for credential in dialect.credentials
        if f"`{credential.name}`" not in page
    ]
    assert missing == []
