"""A User-Agent is a hint about the device and about the app that shows the page."""

import pytest

from payments.channels.base import Device
from payments.checkout.device import app_around, device_of

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari"
TABLET = "Mozilla/5.0 (Linux; Android 15; SM-X900) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
HARMONY = "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 Chrome/114.0 ArkWeb/4.1 Mobile"


@pytest.mark.parametrize("user_agent", [IPHONE, ANDROID, FIREFOX, HARMONY])
def test_a_phone_opens_an_app(user_agent):
    assert device_of(user_agent) is Device.PHONE


@pytest.mark.parametrize("user_agent", [CHROME, MAC, IPAD, TABLET, "", "curl/8.0", "支付"])
def test_a_large_screen_or_an_unknown_one_shows_a_code(user_agent):
    assert device_of(user_agent) is Device.DESKTOP


@pytest.mark.parametrize(
    ("user_agent", "gateway"),
    [
        (IPHONE + " MicroMessenger/8.0.50(0x1800) NetType/WIFI Language/zh_CN", "wechatpay"),
        (CHROME + " MicroMessenger/7.0.20 WindowsWechat", "wechatpay"),
        (ANDROID + " AliApp(AP/10.6.0) AlipayClient/10.6.0 Language/zh-Hans", "alipay"),
        (IPHONE + " (com.unionpay.chsp) UnionPay/1.0 CloudPay", "unionpay"),
        (CHROME, ""),
        ("", ""),
    ],
)
def test_the_app_around_the_page(user_agent, gateway):
    assert app_around(user_agent) == gateway
