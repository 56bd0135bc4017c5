"""Colours can be read in both schemes, and no page carries what its policy would refuse."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6});")
TEXT = 4.5
CONTROL = 3.0


def schemes() -> dict[str, dict[str, str]]:
    """Every colour token, light and dark. A dark one that is not given is the light one."""
    light, dark = (ROOT / "static/css/tokens.css").read_text().split("prefers-color-scheme", 1)
    plain = dict(TOKEN.findall(light))
    return {"light": plain, "dark": plain | dict(TOKEN.findall(dark))}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *[(ink, ground, TEXT) for ink in ("ink", "ink-soft", "ink-faint", "brand", "ok", "warn", "bad")
      for ground in ("paper", "raised", "wash")],
    *[(word, f"{word}-wash", TEXT) for word in ("ok", "warn", "bad", "info", "brand")],
    *[("ink", f"{word}-wash", TEXT) for word in ("ok", "warn", "bad", "info", "brand")],
    *[("ink-faint", "brand-wash", TEXT), ("brand-strong", "wash", TEXT)],
    *[("brand-ink", ground, TEXT) for ground in ("brand", "brand-strong")],
    *[("bad-ink", ground, TEXT) for ground in ("bad", "bad-strong")],
    *[("stripe-ink", "stripe", TEXT), ("rail-strong", "rail", TEXT)],
    *[("rail-ink", ground, TEXT) for ground in ("rail", "rail-raised")],
    *[("mark-ink", mark, TEXT) for mark in ("alipay", "wechatpay", "unionpay", "banktransfer")],
    *[("edge", ground, CONTROL) for ground in ("paper", "raised", "wash")],
    ("qr-ink", "qr-paper", 12.0),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(scheme):
    tokens = schemes()[scheme]
    weak = {
        f"{ink} on {ground}": round(contrast(tokens[ink], tokens[ground]), 2)
        for ink, ground, least in PAIRS
        if contrast(tokens[ink], tokens[ground]) < least
    }
    assert weak == {}


def test_colours_are_decided_in_one_place():
    """Only tokens.css names colours; the dimming behind a dialog is the one exception."""
    named = {
        (sheet.name, found)
        for sheet in (ROOT / "static/css").glob("*.css")
        for found in re.findall(
            r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)|(?:rgb|hsl)a?\(", sheet.read_text()
        )
        if sheet.name != "tokens.css"
    }
    assert named == {("components.css", "rgb(")}


def test_every_variable_that_a_sheet_uses_exists():
    sheets = [sheet.read_text() for sheet in (ROOT / "static/css").glob("*.css")]
    defined = {name for sheet in sheets for name in re.findall(r"--([\w-]+)\s*:", sheet)}
    used = {name for sheet in sheets for name in re.findall(r"var\(--([\w-]+)", sheet)}
    assert used - defined == set()


TEMPLATES = sorted(
    path
    for path in ROOT.rglob("*.html")
    if "templates" in path.parts and not {".venv", "var"} & set(path.relative_to(ROOT).parts)
)
REPORTS = ROOT / "templates" / "reports"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_carries_no_inline_code_and_asks_no_other_origin(path):
    if REPORTS in path.parents:
        return
    text = path.read_text()
    assert re.findall(r"<style\b|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=[\"']", text) == []
    assert re.findall(r"(?:src|<link[^>]*href)=[\"'](?:https?:)?//", text) == []


ICONS = set(re.findall(r'<symbol id="(\w+)"', (ROOT / "static/img/icons.svg").read_text()))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_icon_that_a_template_names_is_drawn(path):
    named = re.findall(r'parts/icon\.html"? with name="(\w+)"', path.read_text())
    assert set(named) <= ICONS
