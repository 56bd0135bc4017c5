"""The code on the page is the code of its text, drawn small, once, and without a style."""

import re

import segno
from hypothesis import given
from hypothesis import strategies as st

from payments.qr import MASK, QUIET_ZONE, draw_qr

PATH = re.compile(r'stroke="#000" d="([^"]+)"')
RUN = re.compile(r"M(\d+) (\d+)\.5h(\d+)")


def dark_modules(svg: str) -> set[tuple[int, int]]:
    """Where the drawing is dark, read back from its path."""
    found = PATH.search(svg)
    assert found is not None
    return {
        (int(x) + i, int(y)) for x, y, length in RUN.findall(found[1]) for i in range(int(length))
    }


@given(st.text(min_size=1, max_size=120).filter(str.isprintable))
def test_every_module_is_drawn_and_no_other(content):
    code = segno.make_qr(content, error="m", mask=MASK, boost_error=False)
    expected = {
        (x, y) for y, row in enumerate(code.matrix) for x, is_dark in enumerate(row) if is_dark
    }
    assert dark_modules(draw_qr(content)) == expected


def test_the_box_leaves_the_quiet_zone_that_scanners_need():
    svg = draw_qr("https://qr.alipay.com/bax03431ljhokirwl38f00a7")
    side = max(x for x, _ in dark_modules(svg)) + 1
    assert f'viewBox="-{QUIET_ZONE} -{QUIET_ZONE} {side + 8} {side + 8}"' in svg


def test_a_strict_content_security_policy_lets_it_be():
    svg = draw_qr("weixin://wxpay/bizpayurl?pr=abc")
    assert "style" not in svg
    assert "<script" not in svg


def test_a_waiting_page_does_not_draw_again():
    first, second = (draw_qr("weixin://wxpay/bizpayurl?pr=same") for _ in range(2))
    assert first is second
