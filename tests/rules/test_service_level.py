"""Whether applicants hear from us in time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.servicelevel import ServiceLevel, service_of, submitted_for

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon in Shanghai: the day has twelve hours left."""
MOMENTS = st.integers(min_value=1_600_000_000, max_value=2_200_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
HOURS = st.integers(min_value=1, max_value=400)


def level(hours_ago: float, *, promised: int = 48) -> ServiceLevel:
    return service_of(
        NOON - timedelta(hours=hours_ago), promised=timedelta(hours=promised), at=NOON,
        zone=SHANGHAI,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hours_ago", "expected"),
    [
        (0, ServiceLevel.IN_TIME), (36, ServiceLevel.IN_TIME), (36.01, ServiceLevel.TODAY),
        (48, ServiceLevel.TODAY), (48.01, ServiceLevel.LATE), (900, ServiceLevel.LATE),
    ],
)  # fmt: skip
def test_each_edge(hours_ago, expected):
    assert level(hours_ago) is expected


@given(submitted=MOMENTS, at=MOMENTS, hours=HOURS)
def test_every_moment_stands_in_one_way_and_its_range_holds_it(submitted, at, hours):
    common = {"promised": timedelta(hours=hours), "at": at, "zone": SHANGHAI}
    found = [
        one
        for one in ServiceLevel
        for begin, end in [submitted_for(one, **common)]
        if (begin is None or begin <= submitted) and (end is None or submitted < end)
    ]
    assert found == [service_of(submitted, **common)]


@given(submitted=MOMENTS, one=MOMENTS, other=MOMENTS, hours=HOURS)
def test_waiting_only_makes_it_worse(submitted, one, other, hours):
    order = list(ServiceLevel)
    first, second = (
        order.index(service_of(submitted, promised=timedelta(hours=hours), at=at, zone=SHANGHAI))
        for at in sorted((one, other))
    )
    assert first <= second


@given(submitted=MOMENTS, at=MOMENTS, hours=HOURS)
def test_late_means_that_the_promised_moment_has_gone_by(submitted, at, hours):
    promised = timedelta(hours=hours)
    found = service_of(submitted, promised=promised, at=at, zone=SHANGHAI)
    assert (found is ServiceLevel.LATE) == (submitted + promised < at)
