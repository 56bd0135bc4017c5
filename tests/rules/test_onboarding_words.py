"""Everything that an applicant or a reviewer can be told has its words, and no words are left."""

import ast
from collections.abc import Iterator

import pytest
from django.utils.functional import Promise
from django.utils.translation import override

from merchants.onboarding import documents, words
from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.grading import DILIGENCE, POINTS, Grade
from merchants.onboarding.sections import SECTIONS
from paysite.launcher.places import CHECKOUT

ROOM = CHECKOUT / "merchants" / "onboarding"
FIELDS = {
    f"{section.name}.{field.name}": field
    for section in SECTIONS.values()
    for field in section.fields
}
KINDS = {
    getattr(documents, name)
    for name in vars(documents)
    if name.isupper() and isinstance(getattr(documents, name), str)
}


def raised() -> Iterator[str]:
    """The code in each `Unfit(code)` and `Fault(section, field, code)` of the room."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = {"Unfit": 0, "Fault": 2}.get(node.func.id)
                told = node.args[place] if place is not None else None
                if isinstance(told, ast.Constant):
                    yield str(told.value)


def test_every_fault_says_what_is_wrong():
    codes = set(raised())
    assert len(codes) > 35
    assert codes == set(words.FAULTS)


def test_every_section_and_field_has_a_label():
    assert set(words.TITLES) == {*SECTIONS, "documents"}
    assert set(words.LEADS) == set(SECTIONS)
    assert set(words.LABELS) == set(FIELDS)
    assert set(words.HELP) <= set(FIELDS)


def test_every_choice_has_a_name():
    choices = {f"{key}.{one}" for key, field in FIELDS.items() for one in field.choices}
    assert set(words.CHOICES) == choices


def test_every_paper_and_every_permit_has_a_name():
    permits = {f"permit.{one.permit}" for one in CATEGORIES.values() if one.permit}
    places = {f"premises.{one}" for one in FIELDS["business.place"].choices}
    accounts = {f"account_proof.{one}" for one in FIELDS["account.kind"].choices}

    assert set(words.DOCUMENTS) == KINDS
    assert set(words.WHICH) == permits | places | accounts


def test_every_reason_of_a_grade_can_be_read():
    assert set(words.RISKS) == set(POINTS)
    assert set(words.GRADES) == {graded.name.lower() for graded in Grade}
    assert set(words.DILIGENCES) == set(DILIGENCE)


@pytest.mark.parametrize(
    "mapping",
    ["TITLES", "LEADS", "LABELS", "HELP", "CHOICES", "DOCUMENTS", "WHICH", "FAULTS", "RISKS",
     "GRADES", "DILIGENCES"],
)  # fmt: skip
def test_words_are_translated_for_whoever_reads_them(mapping):
    said = getattr(words, mapping)
    assert [key for key, text in said.items() if not isinstance(text, Promise)] == []
    assert [key for key, text in said.items() if not str(text).strip()] == []


@pytest.mark.parametrize(("language", "ends"), [("en", ".?/"), ("zh-hans", "。？")])
def test_faults_are_sentences(language, ends):
    with override(language):
        assert [code for code, text in words.FAULTS.items() if str(text)[-1] not in ends] == []
