"""Production never runs on secrets that everybody can read in the code."""

import pytest

from paysite import env
from paysite.env import required


@pytest.fixture
def missing(monkeypatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(env, "missing", lines)
    return lines


@pytest.mark.parametrize("value", ["", "well-known", "new:key,well-known"])
def test_production_refuses_a_missing_and_a_published_secret(monkeypatch, missing, value):
    monkeypatch.setenv("OUR_SECRET", value)
    assert required("OUR_SECRET", stand_in="well-known", is_demo=False) == ""
    [line] = missing
    assert line.startswith("OUR_SECRET ")
    assert "\n" not in line


def test_a_secret_of_ones_own_is_taken_and_only_the_demo_has_a_stand_in(monkeypatch, missing):
    monkeypatch.setenv("OUR_SECRET", "our own")
    assert required("OUR_SECRET", stand_in="well-known", is_demo=False) == "our own"
    monkeypatch.delenv("OUR_SECRET")
    assert required("OUR_SECRET", stand_in="well-known", is_demo=True) == "well-known"
    assert missing == []
