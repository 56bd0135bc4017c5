"""Production never runs on secrets that everybody can read in the code."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from paysite.env import required


@pytest.mark.parametrize("value", ["", "well-known", "new:key,well-known"])
def test_production_refuses_a_missing_and_a_published_secret(monkeypatch, value):
    monkeypatch.setenv("OUR_SECRET", value)
    with pytest.raises(ImproperlyConfigured, match="OUR_SECRET"):
        required("OUR_SECRET", stand_in="well-known", is_demo=False)


def test_a_secret_of_ones_own_is_taken_and_only_the_demo_has_a_stand_in(monkeypatch):
    monkeypatch.setenv("OUR_SECRET", "our own")
    assert required("OUR_SECRET", stand_in="well-known", is_demo=False) == "our own"
    monkeypatch.delenv("OUR_SECRET")
    assert required("OUR_SECRET", stand_in="well-known", is_demo=True) == "well-known"
