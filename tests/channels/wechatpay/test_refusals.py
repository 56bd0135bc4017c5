"""The sandbox is as strict as the gateway, so that what it takes the gateway takes."""

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from payments.channels.base import (
    Done,
    Rejected,
    Unknown,
)
from payments.channels.sandbox.models import (
    SandboxOrder,
)
from payments.channels.sandbox.wechatpay import SPEAKER
from payments.channels.wechatpay.gateway import WeChatPayGateway
from tests.channels.conftest import SandboxTransport
from tests.channels.wechatpay.scene import BASE_URL, Keys, asked, connect, key_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"description": "奶茶 🧋"}, "PARAM_ERROR"),
        ({"description": "a\nb"}, "PARAM_ERROR"),
        ({"description": ""}, "PARAM_ERROR"),
        ({"description": "茶" * 128}, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "has space in it"}, "PARAM_ERROR"),
        ({"time_expire": "soon"}, "PARAM_ERROR"),
        ({"time_expire": "2030-01-01T00:00:00"}, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "PARAM_ERROR"),
        ({"notify_url": "https://pay.example.cn/notify?x=1"}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": 88.8}}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"amount": 8880}, "PARAM_ERROR"),
        ({"mchid": "1"}, "PARAM_ERROR"),
        ({"appid": "wx0"}, "APPID_MCHID_NOT_MATCH"),
    ],
)
def test_the_sandbox_refuses_what_the_gateway_refuses(
    shop: WeChatPayGateway, spoil: dict[str, object], code: str
) -> None:
    members = {
        "appid": shop.app_number,
        "mchid": shop.merchant_number,
        "description": "奶茶",
        "out_trade_no": "20261123LIN0001",
        "notify_url": "https://pay.example.cn/notify/",
        "amount": {"total": 1},
    }
    assert isinstance(shop.caller.post("/v3/pay/transactions/native", members), Done)

    no = shop.caller.post("/v3/pay/transactions/native", members | spoil)

    assert isinstance(no, Rejected)
    assert no.code == code


def test_an_h5_order_needs_its_scene(shop: WeChatPayGateway) -> None:
    no = shop.open(asked("h5", client_ip=""))

    assert isinstance(no, Rejected)
    assert no.code == "PARAM_ERROR"


@pytest.mark.usefixtures("known_keys")
def test_the_sandbox_believes_only_our_signature(keys: Keys, other_keys: Keys) -> None:
    given = SPEAKER.credentials(keys)
    strangers = {
        "key": given | {"merchant_private_key": other_keys["merchant_private_key"]},
        "serial": given | {"merchant_serial": "ABCDEF"},
        "merchant": given | {"mchid": "1900000110"},
    }
    for stranger in strangers.values():
        shop = connect(stranger, SandboxTransport(), base_url=BASE_URL, clock=timezone.now)
        no = shop.open(asked())
        assert isinstance(no, Rejected)
        assert (no.code, no.is_our_fault) == ("SIGN_ERROR", True)
    assert not SandboxOrder.objects.exists()


@pytest.mark.usefixtures("known_keys")
def test_a_call_is_good_for_five_minutes_and_once(keys: Keys) -> None:
    seen: list[httpx.Request] = []
    network = SandboxTransport()

    def keep(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return network.handle_request(request)

    given = SPEAKER.credentials(keys)
    shop = connect(given, httpx.MockTransport(keep), base_url=BASE_URL, clock=timezone.now)
    late = connect(
        given,
        SandboxTransport(),
        base_url=BASE_URL,
        clock=lambda: timezone.now() - timedelta(seconds=270),
    )
    later = connect(
        given,
        SandboxTransport(),
        base_url=BASE_URL,
        clock=lambda: timezone.now() - timedelta(seconds=302),
    )

    assert isinstance(shop.open(asked()), Done)
    replayed = httpx.Client(transport=network).send(seen[0])
    assert (replayed.status_code, replayed.json()["code"]) == (401, "SIGN_ERROR")
    assert isinstance(late.query(key_of(asked())), Done)
    assert later.query(key_of(asked())) == Unknown(reason="stale")


@pytest.mark.usefixtures("known_keys")
def test_a_caller_without_manners_is_refused() -> None:
    client = httpx.Client(transport=SandboxTransport())

    bare = client.get(f"{BASE_URL}/v3/certificates", headers={"Accept": "text/html"})
    wrong = client.post(f"{BASE_URL}/v3/certificates", headers={"Accept": "application/json"})
    other = client.get(f"{BASE_URL}/v3/certificates", headers={"Wechatpay-Serial": "FF"})

    assert [answer.json()["code"] for answer in (bare, wrong, other)] == [
        "PARAM_ERROR", "INVALID_REQUEST", "PARAM_ERROR",
    ]  # fmt: skip
