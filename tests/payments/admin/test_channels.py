"""Setting a channel up in the browser, from the pasted key to the switch."""

import pytest
from django.utils import translation

from compliance.models import Approval
from payments.channels import registry
from payments.channels.key_faults import MENDS
from payments.channels.models import Channel, ChannelVersion
from payments.channels.sandbox.keyring import new_pair
from tests.compliance.people import confirm, hire

pytestmark = pytest.mark.django_db
OURS, THEIRS = new_pair(), new_pair()
FORM = {
    "code": "alipay", "name": "支付宝", "livemode": "on", "reason": "上线", "merchants": "",
    "base_url": "https://openapi.alipay.com", "value_app_id": "2021", "value_seller_id": "2088",
    "value_app_private_key": OURS[0], "value_alipay_public_key": THEIRS[1],
}  # fmt: skip
NEW = "/admin/payments/channel/new/alipay/"


@pytest.fixture
def lin(client, settings):
    settings.GATEWAYS = ["payments.channels.alipay.Alipay"]
    registry.dialects.cache_clear()
    registry.methods.cache_clear()
    registry.forget()
    hire("lin", roles=["operator"]).sign_in(client)
    return client


def english(client, path):
    return client.get(path, headers={"Accept-Language": "en"}).content.decode()


def test_from_the_form_to_a_request_that_waits_for_another_person(lin):
    assert lin.get(NEW).status_code == 200
    assert lin.post(NEW, FORM).status_code == 302
    channel = Channel.objects.get()
    page = f"/admin/payments/channel/{channel.pk}/"
    shown = english(lin, f"{page}change/")
    assert "Test the connection" in shown
    assert OURS[0].splitlines()[5] not in shown
    assert ChannelVersion.objects.get().secrets.get().fingerprint[:16] in shown
    tested = lin.post(f"{page}deed/", {"deed": "test", "number": "1"}, follow=True)
    assert tested.status_code == 200
    asked = lin.post(f"{page}deed/", {"deed": "submit", "number": "1", "reason": "上线"})
    assert not Approval.objects.exists()
    confirm(lin, asked)
    assert Approval.objects.get().payload.find(OURS[0].splitlines()[5]) == -1
    assert Channel.objects.get().state == "draft"


def test_a_wrong_key_is_told_at_its_field_and_the_secret_is_not_handed_back(lin):
    body = lin.post(
        NEW, {**FORM, "value_app_private_key": THEIRS[1]}, headers={"Accept-Language": "en"}
    ).content.decode()
    with translation.override("en"):
        assert MENDS["is_public_key"] in body
    assert not ChannelVersion.objects.exists()


def test_a_right_secret_beside_a_wrong_value_is_not_handed_back_either(lin):
    body = lin.post(NEW, {**FORM, "value_app_id": "abc"}).content.decode()
    assert OURS[0].splitlines()[5] not in body
    assert not ChannelVersion.objects.exists()


def test_a_draft_begins_with_what_was_and_never_shows_a_secret(lin):
    lin.post(NEW, FORM)
    page = english(lin, f"/admin/payments/channel/{Channel.objects.get().pk}/draft/1/")
    assert "2088" in page
    assert OURS[0].splitlines()[5] not in page


def test_whoever_has_no_part_in_channels_may_not_write_or_stop(client, lin):
    lin.post(NEW, FORM)
    row = Channel.objects.get().pk
    client.logout()
    hire("auditor", roles=["auditor"]).sign_in(client)
    assert client.get(NEW).status_code == 403
    deed = {"deed": "kill", "reason": "no"}
    assert client.post(f"/admin/payments/channel/{row}/deed/", deed).status_code == 403
