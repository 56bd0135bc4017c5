"""How risky a merchant is, why, and what follows."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.grading import (
    DILIGENCE,
    HIGH_POINTS,
    MEDIUM_POINTS,
    POINTS,
    Grade,
    Screened,
    diligence_for,
    grade,
    review_day,
)
from merchants.onboarding.sections import Reading

TODAY = date(2026, 11, 23)
LIN = "11010519491231002X"
TAIPEI = "830000199201300022"

QUIET = {
    "licence": {"name": "茗山茶业有限公司", "valid_from": date(2015, 3, 1)},
    "legal_person": {"name": "林岚", "identity_number": LIN},
    "account": {"kind": "company"},
    "business": {
        "category": "clothing", "place": "shop", "monthly_volume": 50_000, "usual_amount": 128,
    },
}  # fmt: skip
HOLDERS = [{"kind": "person", "name": "林岚", "identity_number": LIN, "share": 100}]
OWNERS = [{"basis": "share", "name": "林岚", "identity_number": LIN, "share": 100}]


def of(*, screened=Screened.CLEAR, shareholders=HOLDERS, owners=OWNERS, **changes):
    """Lin's quiet shop graded, with values of sections changed; None takes one away."""
    rows = {name: [values | changes.get(name, {})] for name, values in QUIET.items()}
    rows |= {"shareholders": shareholders, "owners": owners}
    read = {
        name: Reading(
            tuple({key: one for key, one in row.items() if one is not None} for row in listed), ()
        )
        for name, listed in rows.items()
    }
    return grade(read, screened=screened, on=TODAY)


def codes(**changes) -> set[str]:
    return {reason.code for reason in of(**changes).reasons}


def test_a_quiet_shop_is_low_and_nothing_speaks_against_it():
    graded = of()
    assert (graded.grade, graded.reasons, graded.points) == (Grade.LOW, (), 0)


CASES = [
    ({"business": {"category": "jewellery"}}, "category_high"),
    ({"business": {"category": "software"}}, "category_medium"),
    ({"business": {"category": "gambling"}}, "category_blocked"),
    ({"business": {"monthly_volume": 5_000_000}}, "volume_high"),
    ({"business": {"monthly_volume": 4_999_999}}, "volume_raised"),
    ({"business": {"monthly_volume": 500_000}}, "volume_raised"),
    ({"business": {"monthly_volume": 499_999}}, ""),
    ({"business": {"usual_amount": 50_000}}, "amount_high"),
    ({"business": {"usual_amount": 49_999}}, "amount_raised"),
    ({"business": {"usual_amount": 5_000}}, "amount_raised"),
    ({"business": {"usual_amount": 4_999}}, ""),
    ({"business": {"monthly_volume": 100, "usual_amount": 101}}, "amount_above_volume"),
    ({"business": {"monthly_volume": 100, "usual_amount": 100}}, ""),
    ({"business": {"place": "site"}}, "site_without_filing"),
    ({"business": {"place": "app", "icp_number": "闽ICP备2021012345号"}}, ""),
    ({"licence": {"valid_from": date(2026, 5, 24)}}, "company_new"),
    ({"licence": {"valid_from": date(2026, 5, 23)}}, "company_young"),
    ({"licence": {"valid_from": date(2024, 11, 24)}}, "company_young"),
    ({"licence": {"valid_from": date(2024, 11, 23)}}, ""),
    ({"account": {"kind": "personal"}}, "paid_to_a_card"),
    ({"legal_person": {"identity_number": TAIPEI}}, "owner_from_outside"),
    ({"screened": Screened.DISMISSED}, "screening_dismissed"),
    ({"screened": Screened.OPEN}, "screening_open"),
    ({"screened": Screened.CONFIRMED}, "screening_confirmed"),
    ({"owners": [{**OWNERS[0], "basis": "control"}]}, "owner_by_control"),
    ({"owners": [{**OWNERS[0], "basis": "manager"}]}, "owner_is_manager"),
    ({"owners": []}, "not_stated"),
    ({"business": {"monthly_volume": None}}, "not_stated"),
    ({"business": {"category": None}}, "not_stated"),
    ({"licence": {"valid_from": None}}, "not_stated"),
]


@pytest.mark.parametrize(("changes", "code"), CASES)
def test_each_circumstance_and_its_edge(changes, code):
    assert codes(**changes) == ({code} if code else set())


@pytest.mark.parametrize(("shares", "counts"), [(("24.99",), False), (("12.50", "12.50"), True)])
def test_what_companies_hold_counts_together(shares, counts):
    holders = [{"kind": "company", "share": Decimal(share)} for share in shares]
    assert codes(shareholders=holders) == ({"held_by_companies"} if counts else set())


def test_every_reason_can_come_up_and_no_other():
    named = {code for _changes, code in CASES if code}
    assert named | {"held_by_companies"} == set(POINTS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": {"kind": "personal"}}, Grade.LOW),
        ({"business": {"category": "software"}}, Grade.MEDIUM),
        ({"business": {"category": "jewellery"}}, Grade.MEDIUM),
        (
            {"business": {"category": "jewellery"}, "licence": {"valid_from": date(2026, 1, 1)}},
            Grade.HIGH,
        ),
        ({"screened": Screened.OPEN}, Grade.MEDIUM),
        ({"screened": Screened.CONFIRMED}, Grade.HIGH),
        ({"business": {"category": "gambling"}}, Grade.HIGH),
        ({"business": {"monthly_volume": None, "category": None}}, Grade.MEDIUM),
    ],
)
def test_stories_of_grades(changes, expected):
    assert of(**changes).grade is expected


def test_whoever_says_nothing_is_not_low():
    graded = grade({}, screened=Screened.CLEAR, on=TODAY)
    assert graded.grade is Grade.MEDIUM
    assert [reason.code for reason in graded.reasons] == ["not_stated"]


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "business": st.fixed_dictionaries(
            {
                "category": st.sampled_from(sorted(CATEGORIES)),
                "place": st.sampled_from(["site", "app", "shop"]),
                "monthly_volume": st.integers(0, 10**8),
                "usual_amount": st.integers(0, 10**6),
            }
        ),
        "licence": st.fixed_dictionaries({"valid_from": st.dates(date(1990, 1, 1), TODAY)}),
        "account": st.fixed_dictionaries({"kind": st.sampled_from(["company", "personal"])}),
    },
)


@given(CHANGES, st.sampled_from(Screened))
def test_a_grade_is_what_its_reasons_add_up_to(changes, screened):
    graded = of(screened=screened, **changes)

    assert graded.points == sum(POINTS[reason.code] for reason in graded.reasons)
    assert (graded.grade is Grade.HIGH) == (graded.points >= HIGH_POINTS)
    assert (graded.grade is Grade.LOW) == (graded.points < MEDIUM_POINTS)
    assert len({reason.code for reason in graded.reasons}) == len(graded.reasons)
    points = [reason.points for reason in graded.reasons]
    assert points == sorted(points, reverse=True)


@given(CHANGES, st.sampled_from(Screened), st.sampled_from(Screened))
def test_a_worse_outcome_of_screening_is_never_a_better_grade(changes, one, other):
    better, worse = sorted((one, other))
    assert of(screened=better, **changes).grade <= of(screened=worse, **changes).grade


@given(CHANGES, st.integers(0, 10**8), st.integers(0, 10**8))
def test_selling_more_is_never_a_better_grade(changes, one, other):
    less, more = sorted((one, other))
    business = changes.pop("business", {}) | {"usual_amount": 0}
    grades = [
        of(**changes, business=business | {"monthly_volume": volume}).grade
        for volume in (less, more)
    ]
    assert grades[0] <= grades[1]


@pytest.mark.parametrize(
    ("graded", "since", "day"),
    [
        (Grade.LOW, date(2026, 11, 23), date(2029, 11, 23)),
        (Grade.MEDIUM, date(2026, 11, 23), date(2027, 11, 23)),
        (Grade.HIGH, date(2026, 11, 23), date(2027, 5, 23)),
        (Grade.HIGH, date(2026, 8, 31), date(2027, 2, 28)),
        (Grade.HIGH, date(2027, 8, 31), date(2028, 2, 29)),
        (Grade.MEDIUM, date(2028, 2, 29), date(2029, 2, 28)),
        (Grade.HIGH, date(2026, 6, 30), date(2026, 12, 30)),
        (Grade.HIGH, date(2026, 7, 1), date(2027, 1, 1)),
    ],
)
def test_when_somebody_looks_again(graded, since, day):
    assert review_day(graded, since=since) == day


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_riskier_the_sooner(since):
    days = [review_day(graded, since=since) for graded in sorted(Grade)]
    assert since < days[2] < days[1] < days[0]


def test_more_is_asked_of_the_high_ones_only():
    assert diligence_for(Grade.HIGH) == DILIGENCE
    assert {"source_of_funds", "site_visit", "senior_approval", "tighter_limits"} <= set(DILIGENCE)
    assert diligence_for(Grade.MEDIUM) == diligence_for(Grade.LOW) == ()
