"""What must hold between the sections of an application, and which papers it asks for."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.documents import FILES_MAX, DocumentNeed, documents_needed
from merchants.onboarding.rules import judge, parties, same_name
from merchants.onboarding.sections import SECTIONS, Fault, read_section, sections_for
from tests.merchants.applying import CODE, LIN, MEI, OTHER_CODE, TYPED

TODAY = date(2026, 11, 23)
SHOP = "茗山茶业有限公司"


def read(entity="enterprise", /, **changes):
    """Lin's application, with sections changed: a dict for the first row, a list for all rows."""
    typed = {name: [dict(row) for row in rows] for name, rows in TYPED.items()}
    typed["entity"][0]["entity"] = entity
    for section, change in changes.items():
        if isinstance(change, list):
            typed[section] = change
        else:
            typed[section][0] |= change
    return {
        section.name: read_section(section, typed[section.name], on=TODAY)
        for section in sections_for(entity)
    }


def faults(entity="enterprise", /, **changes):
    return judge(entity, read(entity, **changes))


def person(name, number, share):
    return {"kind": "person", "name": name, "identity_number": number, "share": share}


def company(name, code, share):
    return {"kind": "company", "name": name, "credit_code": code, "share": share}


def owner(name, number, basis="share", **more):
    return {"basis": basis, "name": name, "identity_number": number, **more}


LIN_OWNS = owner("林岚", LIN, share="60")
MEI_OWNS = owner("梅青", MEI, share="40")


def test_lins_application_holds_together():
    application = read()
    assert judge("enterprise", application) == ()
    assert [fault for part in application.values() for fault in part.faults] == []


@given(st.sets(st.sampled_from(sorted(SECTIONS))), st.sampled_from(["enterprise", "individual"]))
def test_what_nobody_wrote_yet_is_judged_as_well(written, entity):
    """A draft is judged from its first word on; faults are told where something is written."""
    empty: dict[str, Any] = {section: [] for section in set(SECTIONS) - written}
    application = read(entity, **empty)
    found = judge(entity, application)

    lacking = {"nobody_named", "owner_missing"}
    assert {fault.section for fault in found if fault.code not in lacking} <= written
    assert all(fault.section in application for fault in found)


class TestTrade:
    @pytest.mark.parametrize("category", CATEGORIES.values(), ids=lambda one: one.name)
    def test_what_is_never_taken_on(self, category):
        blocked = (Fault("business", "category", "category_blocked"),)
        found = faults(business={"category": category.name})
        assert found == (blocked if category.is_blocked else ())

    def test_a_trade_that_is_not_offered(self):
        read_business = read(business={"category": "weapons"})["business"]
        assert Fault("business", "category", "not_offered") in read_business.faults

    @pytest.mark.parametrize("place", ["site", "app"])
    def test_a_site_or_an_app_has_a_filing(self, place):
        where = {"place": place, "site": "https://tea.example", "app_name": "茗山"}
        missing = (Fault("business", "icp_number", "missing"),)

        assert faults(business=where) == missing
        assert faults(business={**where, "icp_number": "闽ICP备2021012345号"}) == ()

    def test_a_filing_that_is_wrong_is_told_once(self):
        where = {"place": "site", "site": "https://tea.example", "icp_number": "12345"}
        application = read(business=where)

        assert application["business"].faults == (Fault("business", "icp_number", "icp_shape"),)
        assert judge("enterprise", application) == ()


class TestContact:
    def test_who_says_to_be_the_legal_person_is_called_so(self):
        wrong = (Fault("entity", "contact_role", "contact_is_another"),)

        assert faults(entity={"contact_name": "梅青"}) == wrong
        assert faults(entity={"contact_name": "梅青", "contact_role": "authorised"}) == ()
        assert faults(entity={"contact_name": " 林 岚"}) == ()


CARD = {
    "kind": "personal",
    "holder": "林岚",
    "bank": "中国银行",
    "card_number": "6228480402564890018",
}


class TestAccount:
    def test_a_company_is_paid_to_its_own_account(self):
        wrong = (Fault("account", "holder", "another_holder"),)

        assert faults(account={"holder": "梅青茶业有限公司"}) == wrong
        assert faults(account={"holder": "林岚"}) == wrong
        assert faults(account={"holder": f" {SHOP} "}) == ()

    @pytest.mark.parametrize("entity", ["enterprise", "institution"])
    def test_a_card_is_for_individual_businesses_only(self, entity):
        wrong = (Fault("account", "kind", "company_account_wanted"),)
        changes = {} if entity == "enterprise" else {"owners": [LIN_OWNS]}
        assert faults(entity, account=CARD, **changes) == wrong

    def test_an_individual_business_names_its_operators_card(self):
        wrong = (Fault("account", "holder", "another_holder"),)

        assert faults("individual", account=CARD) == ()
        assert faults("individual", account={**CARD, "holder": "梅青"}) == wrong
        assert faults("individual") == ()


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (SHOP, "茗山茶业有限公司 ", True),
        ("茗山（福州）茶业", "茗山(福州)茶业", True),
        ("Mingshan Tea", "ｍｉｎｇｓｈａｎ　ｔｅａ", True),
        ("阿依古丽·买买提", "阿依古丽•买买提", True),
        ("阿依古丽·买买提", "阿依古丽・买买提", True),
        ("王伟", "汪伟", False),
        (SHOP, "茗山茶业有限责任公司", False),
    ],
)
def test_the_same_name_by_another_keyboard(one, other, is_same):
    assert same_name(one, other) is is_same
    assert same_name(other, one) is is_same


class TestOwners:
    @pytest.mark.parametrize(
        ("share", "is_missing"), [("24.99", False), ("25.00", True), ("25", True), ("60", True)]
    )
    def test_from_a_quarter_on_a_shareholder_is_an_owner(self, share, is_missing):
        holders = [person("梅青", MEI, "40"), person("林岚", LIN, share)]
        wrong = (Fault("owners", "", "owner_missing"),) if is_missing else ()
        assert faults(shareholders=holders, owners=[MEI_OWNS]) == wrong

    def test_a_company_that_holds_a_quarter_is_no_owner_but_someone_behind_it_is(self):
        holders = [company("闽江投资有限公司", OTHER_CODE, "60"), person("梅青", MEI, "40")]
        behind = owner("林岚", LIN, "control", explanation="持有闽江投资八成")
        assert faults(shareholders=holders, owners=[MEI_OWNS, behind]) == ()

    @pytest.mark.parametrize(("share", "is_low"), [("24.99", True), ("25.00", False)])
    def test_below_a_quarter_nobody_is_an_owner_by_share(self, share, is_low):
        holders = [company("闽江投资有限公司", OTHER_CODE, "75")]
        wrong = (Fault("owners", "share", "below_a_quarter"),) if is_low else ()
        assert faults(shareholders=holders, owners=[owner("林岚", LIN, share=share)]) == wrong

    @pytest.mark.parametrize(("last", "is_more"), [("40", False), ("40.01", True)])
    def test_all_together_hold_the_whole_at_most(self, last, is_more):
        holders = [person("林岚", LIN, "60"), person("梅青", MEI, last)]
        owners = [LIN_OWNS, {**MEI_OWNS, "share": last}]
        wrong = (
            Fault("shareholders", "share", "more_than_whole"),
            Fault("owners", "share", "more_than_whole"),
        )
        assert faults(shareholders=holders, owners=owners) == (wrong if is_more else ())

    def test_somebody_must_be_named(self):
        assert set(faults(shareholders=[], owners=[])) == {
            Fault("shareholders", "", "nobody_named"),
            Fault("owners", "", "nobody_named"),
        }

    def test_an_institution_has_owners_and_no_shareholders(self):
        assert faults("institution", owners=[LIN_OWNS]) == ()
        assert faults("institution", owners=[]) == (Fault("owners", "", "nobody_named"),)

    @pytest.mark.parametrize("basis", ["control", "manager"])
    def test_another_basis_is_explained(self, basis):
        holders = [company("闽江投资有限公司", OTHER_CODE, "100")]
        bare = [owner("林岚", LIN, basis)]
        told = [owner("林岚", LIN, basis, explanation="协议控制")]

        assert faults(shareholders=holders, owners=bare) == (
            Fault("owners", "explanation", "missing"),
        )
        assert faults(shareholders=holders, owners=told) == ()

    def test_an_explanation_that_is_too_long_is_not_missing(self):
        holders = [company("闽江投资有限公司", OTHER_CODE, "100")]
        long = [owner("林岚", LIN, "control", explanation="协" * 501)]
        assert faults(shareholders=holders, owners=long) == ()

    def test_the_manager_stands_in_only_where_there_is_nobody_else(self):
        wrong = Fault("owners", "basis", "manager_beside_owner")
        manager = owner("林岚", LIN, "manager", explanation="总经理")
        held = [company("闽江投资有限公司", OTHER_CODE, "60"), person("梅青", MEI, "40")]

        assert faults(shareholders=held, owners=[manager, MEI_OWNS]) == (wrong,)
        # Whoever holds a quarter is an owner by that, and no stand-in.
        assert wrong in faults(owners=[manager])

    def test_an_owner_whose_number_is_wrong_is_not_told_to_be_missing(self):
        application = read(owners=[LIN_OWNS, {**MEI_OWNS, "identity_number": "110105199003071238"}])

        assert application["owners"].faults == (
            Fault("owners", "identity_number", "identity_check", 1),
        )
        assert judge("enterprise", application) == ()


class TestOnePersonInSeveralPlaces:
    def test_another_name_than_before(self):
        found = faults(owners=[LIN_OWNS, {**MEI_OWNS, "name": "梅清"}])
        assert found == (Fault("owners", "name", "another_name_before", 1),)

    def test_the_legal_person_among_the_shareholders(self):
        found = faults(legal_person={"name": "林兰"}, entity={"contact_role": "authorised"})
        assert {(fault.section, fault.code) for fault in found} == {
            ("shareholders", "another_name_before"),
            ("owners", "another_name_before"),
        }

    def test_named_twice_in_a_list(self):
        holders = [person("林岚", LIN, "30"), person("林岚", LIN, "30"), person("梅青", MEI, "40")]
        found = faults(shareholders=holders)
        assert found == (Fault("shareholders", "identity_number", "named_twice", 1),)

    def test_a_company_named_twice_and_one_that_is_the_merchant_itself(self):
        twice = [company("闽江投资有限公司", OTHER_CODE, "10")] * 2
        itself = [company("茗山控股有限公司", CODE, "20")]
        rest = [person("林岚", LIN, "40"), person("梅青", MEI, "40")]

        assert faults(shareholders=[*rest, *twice]) == (
            Fault("shareholders", "credit_code", "named_twice", 3),
        )
        assert faults(shareholders=[*rest, *itself]) == (
            Fault("shareholders", "name", "another_name_before", 2),
        )

    def test_less_as_an_owner_than_as_a_shareholder(self):
        less = [{**LIN_OWNS, "share": "59.99"}, MEI_OWNS]
        more = [{**LIN_OWNS, "share": "60"}, MEI_OWNS]

        assert faults(owners=less) == (Fault("owners", "share", "less_than_held", 0),)
        assert faults(owners=more) == ()

    def test_everybody_is_named_to_whoever_screens(self):
        holders = [company("闽江投资有限公司", OTHER_CODE, "60"), person("梅青", MEI, "40")]
        found = parties(read(shareholders=holders, owners=[MEI_OWNS]))
        assert [(one.section, one.place, one.is_company, one.number) for one in found] == [
            ("licence", 0, True, CODE),
            ("legal_person", 0, False, LIN),
            ("shareholders", 0, True, OTHER_CODE),
            ("shareholders", 1, False, MEI),
            ("owners", 0, False, MEI),
        ]


ALWAYS = {"licence", "identity_front", "identity_back", "account_proof", "premises", "other"}


def needs(entity="enterprise", /, **changes) -> dict[str, DocumentNeed]:
    return {need.kind: need for need in documents_needed(entity, read(entity, **changes))}


class TestPapers:
    @pytest.mark.parametrize(
        ("entity", "more"),
        [
            ("enterprise", {"owners_identity"}),
            ("individual", set()),
            ("institution", {"charter"}),
        ],
    )
    def test_by_kind_of_business(self, entity, more):
        assert set(needs(entity)) == ALWAYS | more

    @pytest.mark.parametrize("category", CATEGORIES.values(), ids=lambda one: one.name)
    def test_permits_by_trade_and_each_has_a_term(self, category):
        need = needs(business={"category": category.name}).get("permit")
        if category.permit:
            assert need == DocumentNeed("permit", has_term=True, which=category.permit)
        else:
            assert need is None

    def test_a_letter_for_a_contact_who_is_not_the_legal_person(self):
        assert "authorisation" not in needs()
        letter = needs(entity={"contact_role": "authorised"})["authorisation"]
        assert letter.is_required
        assert not letter.has_term

    def test_which_proof_of_the_account_and_which_pictures(self):
        site = {"place": "site", "site": "https://tea.example"}

        assert needs()["account_proof"].which == "company"
        assert needs("individual", account=CARD)["account_proof"].which == "personal"
        assert needs()["premises"].which == "shop"
        assert needs(business=site)["premises"].which == "site"

    def test_only_what_is_offered_beside_is_left_to_choice(self):
        assert [kind for kind, need in needs().items() if not need.is_required] == ["other"]

    def test_each_kind_is_asked_for_once_and_has_an_end(self):
        for entity in ("enterprise", "individual", "institution"):
            kinds = [need.kind for need in documents_needed(entity, read(entity))]
            assert len(kinds) == len(set(kinds))
        assert FILES_MAX == 10

    def test_before_anything_is_written(self):
        assert {need.kind for need in documents_needed("", {})} == ALWAYS


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=6))
def test_whoever_holds_a_quarter_and_nobody_else_must_be_an_owner(hundredths):
    """Whatever the shares, naming exactly those from a quarter on satisfies the rule."""
    from_a_quarter = [one >= 2500 for one in hundredths]
    numbers = [LIN, MEI, "440524199001010018", "110105198001010016"][: len(hundredths)]
    held = list(zip(numbers, hundredths, from_a_quarter, strict=False))
    holders = [
        person(f"人{place}", number, f"{Decimal(share) / 100:.2f}")
        for place, (number, share, _is) in enumerate(held)
    ]
    owners = [
        owner(f"人{place}", number, share=f"{Decimal(share) / 100:.2f}")
        for place, (number, share, is_owner) in enumerate(held)
        if is_owner
    ]
    changes: dict[str, Any] = {"shareholders": holders, "owners": owners}
    changes |= {"legal_person": {"name": "人0"}, "entity": {"contact_role": "authorised"}}
    codes = {fault.code for fault in faults(**changes)}

    assert not codes & {"owner_missing", "below_a_quarter", "less_than_held"}
    if owners:
        fewer = {fault.code for fault in faults(**(changes | {"owners": owners[:-1]}))}
        assert "owner_missing" in fewer
