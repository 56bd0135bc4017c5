"""Lists are loaded, names are compared with them, and people decide what is alike."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from merchants.accounts.register import register_merchant
from merchants.models import (
    ListedName,
    ListVersion,
    Rescreening,
    ScreeningCheck,
    ScreeningHit,
    ScreeningList,
)
from merchants.screening import check, rescreen
from merchants.screening.decide import confirm_hit, dismiss_hit
from merchants.screening.errors import DecisionRefused, ListRefused
from merchants.screening.load import define_list, load_list
from merchants.screening.matching import Strength
from merchants.screening.normal import Entity
from merchants.screening.own import MERCHANT
from merchants.screening.queries import hits_of, open_hits, outcome_of
from merchants.screening.rows import BYTES_MAX, harmless, read_rows
from merchants.screening.states import HitState, ListKind
from merchants.screening.subjects import Subject, sources
from merchants.tasks import go_on_screening
from paysite.demo.screening import load_invented_list
from tests.cast import NOON, later
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db

HEADER = "kind,name,aliases,identity_number,born,reference"
NUMBER = "11010519491231002X"
WANG = "person,王伟,,,,S-1"
TEA = "company,明山茶叶有限公司,Mingshan Tea Ltd;明山茶业,,,S-2"


def file(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join([HEADER, *rows]).encode(encoding)


def load(*rows: str, code: str = "own", at=NOON, **more) -> ListVersion:
    define_list(code=code, kind=ListKind.OWN, name=code.title(), actor=SYSTEM, at=NOON)
    return load_list(code=code, data=file(*rows), actor=SYSTEM, at=at, **more)


def person(name: str = "王伟", reference: str = "apl_1/legal", **more) -> Subject:
    return Subject(kind="person", reference=reference, entity=Entity.PERSON, name=name, **more)


def screened(*subjects: Subject, at=NOON):
    return check.screen(subjects, actor=SYSTEM, at=at)


def deeds(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


@pytest.fixture
def lin():
    """Takes merchants on."""
    return hire("lin", roles=["operator"]).user


class TestLoading:
    """A file becomes the version in use, all of it or nothing."""

    def test_the_last_file_is_in_use_and_says_who_loaded_it(self):
        first, second = load(WANG), load(WANG, TEA, at=later(60))

        first.refresh_from_db()
        assert (first.is_active, second.is_active) == (False, True)
        assert (second.number, second.count, second.loaded_by) == (2, 2, "system")
        assert AuditEntry.objects.filter(action="screening.list_loaded").latest(
            "pk"
        ).after == {"version": 2, "count": 2}  # fmt: skip

    def test_the_same_file_again_changes_nothing(self):
        first = load(WANG)
        assert load(WANG, at=later(60)) == first
        assert (ListedName.objects.count(), deeds("screening.list_loaded")) == (1, 1)

    def test_an_older_file_is_a_new_version(self):
        load(WANG)
        load(TEA)
        assert load(WANG).number == 3

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_encodings_of_chinese_offices_are_read(self, encoding):
        rows = list(read_rows(file(WANG, TEA, encoding=encoding)))
        assert [row.name for row in rows] == ["王伟", "明山茶叶有限公司"]
        assert rows[1].aliases == ("Mingshan Tea Ltd", "明山茶业")

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "header"), (b"name,kind\r\n", "header"), (HEADER.encode(), "empty"),
            (file(WANG, encoding="utf-16"), "encoding"), (b"\xff\xff\x81", "encoding"),
            (b"x" * (BYTES_MAX + 1), "too_large"), (file('person,"王'), "rows_wrong"),
        ],
    )  # fmt: skip
    def test_other_files_are_refused(self, data, code):
        with pytest.raises(ListRefused) as refusal:
            list(read_rows(data))
        assert refusal.value.code == code

    def test_wrong_lines_are_named_and_nothing_is_loaded(self):
        define_list(code="own", kind=ListKind.OWN, name="Own", actor=SYSTEM, at=NOON)
        data = file(
            WANG, "", "animal,王伟,,,,", "person,——,,,,", 'person,"王\n伟",,,49-12,', "person,王伟",
            "person,王伟,·;李娜,,,", "person,王伟,,,2026-13-01,",
        )  # fmt: skip
        with pytest.raises(ListRefused) as refusal:
            load_list(code="own", data=data, actor=SYSTEM, at=NOON)
        assert refusal.value.facts["lines"] == [
            (4, "kind"), (5, "name"), (6, "born"), (8, "columns"), (9, "aliases"), (10, "born"),
        ]  # fmt: skip
        assert not ListedName.objects.exists()
        assert not ListVersion.objects.exists()

    def test_a_file_that_was_cut_off_is_refused_until_somebody_gives_the_number(self):
        load(*(f"person,王{n}伟,,,,{n}" for n in range(10)))
        with pytest.raises(ListRefused) as refusal:
            load(WANG)
        assert refusal.value.code == "shrunk"
        with pytest.raises(ListRefused) as refusal:
            load(WANG, expected_count=2)
        assert refusal.value.code == "count_differs"
        assert load(WANG, expected_count=1).is_active

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("=cmd|' /C calc'!A0", "cmd|' /C calc'!A0"), ("+@-王伟", "王伟"),
            ("王\x00\x1b伟", "王伟"),
            ("\u202e王\u200b伟\u2028李", "王伟 李"), ("\t=1+1", "1+1"),
        ],
    )  # fmt: skip
    def test_text_is_only_text(self, text, left):
        assert harmless(text) == left

    def test_the_identity_number_is_nowhere_in_clear(self):
        load(f"person,王伟,,{NUMBER},,")
        with connection.cursor() as cursor:
            cursor.execute("SELECT n::text FROM merchants_listedname n")
            [[row]] = cursor.fetchall()
        assert NUMBER not in row
        assert ListedName.objects.get().born == "1949-12-31"

    def test_the_command_loads_a_file_or_says_what_is_wrong(self, tmp_path, capsys):
        path = tmp_path / "list.csv"
        path.write_bytes(file(WANG))
        with override("en"), pytest.raises(CommandError, match="no such list"):
            call_command("load_screening_list", "own", str(path))
        call_command("load_screening_list", "own", str(path), "--kind", "own", "--name", "Ours")
        assert "own 1: 1 entries" in capsys.readouterr().out
        assert ScreeningList.objects.get().name == "Ours"
        path.write_bytes(file("animal,王伟,,,,"))
        with override("en"), pytest.raises(CommandError, match="Line 2: kind"):
            call_command("load_screening_list", "own", str(path))
        with override("en"), pytest.raises(CommandError, match="cannot be read"):
            call_command("load_screening_list", "own", str(tmp_path / "nowhere"))


@given(st.binary(max_size=200) | st.text(max_size=200).map(file))
def test_no_file_whatever_breaks_the_reader(data):
    try:
        rows = list(read_rows(data))
    except ListRefused:
        return
    assert all(row.name and "\0" not in row.name for row in rows)


class TestScreening:
    """Who is compared, what is kept of it, and what follows."""

    def test_without_a_list_nobody_is_clear(self):
        [outcome] = screened(person())
        assert (outcome.is_clear, outcome.compared_with) == (False, ())

    def test_a_namesake_is_held_and_the_next_one_is_clear(self):
        load(WANG)
        held, clear = screened(person(), person("李娜", "apl_2/legal"))

        assert (held.strength, held.is_clear, len(held.open_hits)) == (Strength.HOLD, False, 1)
        assert (clear.strength, clear.is_clear) == (Strength.NONE, True)
        assert clear.compared_with == ("own 1",)

    def test_a_weak_hit_is_noted_and_asks_nobody(self):
        load(WANG)
        [outcome] = screened(person("汪伟"))
        assert (outcome.strength, outcome.is_clear) == (Strength.LOG, True)
        assert ScreeningHit.objects.get().state == HitState.NOTED
        assert not open_hits().exists()

    def test_the_number_blocks_under_any_name_and_spelling(self):
        load(f"person,王伟,,{NUMBER},,")
        [outcome] = screened(person("李娜", identity_number="110105 491231 002"))
        assert outcome.strength is Strength.BLOCK

    def test_the_number_is_found_after_the_key_of_digests_was_replaced(self, settings):
        load(f"person,王伟,,{NUMBER},,")
        settings.FIELD_KEYS = f"later:{'B' * 43}=,{settings.FIELD_KEYS}"
        [outcome] = screened(person("李娜", identity_number=NUMBER))
        assert outcome.strength is Strength.BLOCK

    def test_an_alias_of_a_company_is_found(self):
        load(TEA)
        shop = Subject(
            kind="merchant", reference="mch_1", entity=Entity.COMPANY, name="MINGSHAN TEA CO., LTD"
        )
        assert screened(shop)[0].strength is Strength.HOLD

    def test_the_same_again_is_answered_and_not_compared_twice(self):
        load(WANG)
        assert screened(person()) == screened(person(), at=later(60))
        assert (ScreeningCheck.objects.count(), ScreeningHit.objects.count()) == (1, 1)
        assert deeds("screening.checked") == 1

    def test_other_facts_are_compared_anew_and_going_back_is_as_before(self):
        load(WANG)
        screened(person())
        assert screened(person("李娜"), at=later(60))[0].is_clear
        assert not open_hits().exists()
        assert len(screened(person(), at=later(120))[0].open_hits) == 1
        assert ScreeningCheck.objects.count() == 2

    def test_every_list_in_use_is_compared(self):
        load(WANG)
        load(WANG, TEA, code="terror")
        [outcome] = screened(person())
        assert len(outcome.open_hits) == 2
        assert set(outcome.compared_with) == {"own 1", "terror 1"}

    def test_a_list_that_changed_since_is_named(self):
        load(WANG)
        screened(person("李娜"))
        load(WANG, TEA)
        outcome = outcome_of(kind="person", reference="apl_1/legal")
        assert (outcome.is_clear, outcome.not_compared_with) == (False, ("own 2",))

    def test_neither_name_nor_number_is_in_the_trail_or_in_clear(self):
        load(f"person,王伟,,{NUMBER},,")
        screened(person(identity_number=NUMBER))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(t, ' ') FROM (SELECT h::text t FROM merchants_screeninghit h"
                " UNION ALL SELECT c::text FROM merchants_screeningcheck c"
                " UNION ALL SELECT a::text FROM compliance_auditentry a) AS rows"
            )
            [[kept]] = cursor.fetchall()
        assert NUMBER not in kept
        assert "王伟" not in kept
        assert ScreeningHit.objects.get().name_sealed.open() == "王伟"

    def test_many_listed_names_take_few_statements_and_no_look_at_each(self):
        load(*(f"person,{chr(0x4E00 + n)}{chr(0x5E00 + n)}明,,,,{n}" for n in range(3000)), WANG)
        screened(person("李娜", "warm"))
        with CaptureQueriesContext(
            connection,
        ) as one:
            screened(person())
        with CaptureQueriesContext(connection) as many:
            screened(*(person("王伟", f"apl_{n}") for n in range(20)))
        assert len(one) <= 19
        assert len(many) <= len(one) + 45  # An entry, and a sealed name, for each.
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {check._SHARE_A_KEY}", [["{1,2}"] * 100])
            assert "listed_name_keys" in str(cursor.fetchall())

    def test_too_many_at_once_or_one_twice_is_an_error(self):
        for wrong in ([person()] * 2, [person(reference=str(n)) for n in range(201)]):
            with pytest.raises(ValueError, match="at most"):
                screened(*wrong)
        assert screened() == []


class TestDeciding:
    """A person looks, and says why."""

    def test_dismissed_with_a_reason_the_subject_is_clear(self, lin):
        load(WANG)
        [number] = screened(person())[0].open_hits
        dismiss_hit(number=number, person=lin, reason=" born later ", actor=SYSTEM, at=later(60))

        assert outcome_of(kind="person", reference="apl_1/legal").is_clear
        hit = ScreeningHit.objects.get()
        assert (hit.reason, hit.decided_by, hit.decided_at) == ("born later", lin, later(60))
        entry = AuditEntry.objects.get(action="screening.dismissed")
        assert (entry.before, entry.after) == ({"state": "open"}, {"state": "dismissed"})

    def test_confirmed_it_blocks_and_the_decision_can_be_turned(self, lin):
        load(WANG)
        [number] = screened(person())[0].open_hits
        confirm_hit(number=number, person=lin, reason="it is him", actor=SYSTEM, at=NOON)
        outcome = outcome_of(kind="person", reference="apl_1/legal")
        assert (outcome.strength, outcome.confirmed_hits) == (Strength.BLOCK, (number,))
        dismiss_hit(number=number, person=lin, reason="a twin", actor=SYSTEM, at=later(60))
        assert outcome_of(kind="person", reference="apl_1/legal").is_clear

    @pytest.mark.parametrize(
        ("role", "may"),
        [
            ("operator", True), ("operator_checker", True), ("risk", True), ("finance", False),
            ("auditor", False), ("administrator", False), (None, False),
        ],
    )  # fmt: skip
    def test_only_these_roles_decide(self, role, may):
        load(WANG)
        [number] = screened(person())[0].open_hits
        who = hire("he", roles=[role] if role else []).user
        if may:
            dismiss_hit(number=number, person=who, reason="other", actor=SYSTEM, at=NOON)
        else:
            with pytest.raises(DecisionRefused) as refusal:
                dismiss_hit(number=number, person=who, reason="other", actor=SYSTEM, at=NOON)
            assert refusal.value.code == "may_not_decide"
        assert open_hits().exists() is not may

    def test_what_cannot_be_decided_says_why(self, lin):
        load(WANG)
        [number] = screened(person())[0].open_hits
        screened(person("汪伟", "apl_2"))
        weak = hits_of(kind="person", reference="apl_2").get().public_id

        def refused(number, reason="other"):
            with pytest.raises(DecisionRefused) as refusal:
                dismiss_hit(number=number, person=lin, reason=reason, actor=SYSTEM, at=NOON)
            return refusal.value.code

        assert refused(number, " \0") == "reason_missing"
        assert refused("hit_none") == "hit_unknown"
        assert refused(weak) == "not_to_be_decided"
        dismiss_hit(number=number, person=lin, reason="other", actor=SYSTEM, at=NOON)
        assert refused(number) == "not_to_be_decided"
        screened(person("李娜"))
        assert refused(number) == "hit_outdated"

    def test_a_newer_version_asks_again_only_about_what_changed(self, lin):
        load(WANG, "person,王 伟,,,,S-9")
        for number in screened(person())[0].open_hits:
            dismiss_hit(number=number, person=lin, reason="other", actor=SYSTEM, at=later(60))

        load(WANG, "person,王 伟,,,1990,S-9", at=later(120))
        [outcome] = screened(person(), at=later(180))
        [again] = outcome.open_hits
        assert ScreeningHit.objects.get(public_id=again).listed.born == "1990"
        kept = ScreeningHit.objects.filter(state="dismissed").latest("pk")
        assert (kept.reason, kept.decided_by, kept.decided_at) == ("other", lin, later(60))
        assert kept.carried_from is not None

    def test_other_facts_of_the_subject_are_asked_about_again(self, lin):
        load(WANG)
        [number] = screened(person())[0].open_hits
        dismiss_hit(number=number, person=lin, reason="other", actor=SYSTEM, at=NOON)
        assert len(screened(person(born="1990"), at=later(60))[0].open_hits) == 1

    def test_a_hit_that_waits_keeps_its_place_in_the_queue(self):
        load(WANG)
        screened(person())
        screened(person(reference="apl_2"), at=later(60))
        load(WANG, TEA)
        screened(person(), at=later(3600))
        assert [hit.screening.subject_ref for hit in open_hits()] == ["apl_1/legal", "apl_2"]

    def test_a_dismissal_does_not_cover_a_stronger_hit(self, lin, monkeypatch):
        load(WANG)
        monkeypatch.setattr(check, "ALGORITHM", "names-0")
        [number] = screened(person())[0].open_hits
        dismiss_hit(number=number, person=lin, reason="other", actor=SYSTEM, at=NOON)
        ScreeningHit.objects.update(strength="log", score=60)
        monkeypatch.undo()
        assert len(screened(person(), at=later(60))[0].open_hits) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "dismissed"}, {"reason": "x"}, {"score": 101}, {"strength": "none"},
            {"state": "noted"},
        ],
    )  # fmt: skip
    def test_the_database_keeps_hits_whole(self, change):
        load(WANG)
        screened(person())
        with pytest.raises(IntegrityError), transaction.atomic():
            ScreeningHit.objects.update(**change)


class TestScreeningEverybody:
    """When a list changes, and each day."""

    @pytest.fixture
    def shops(self, monkeypatch):
        monkeypatch.setattr(rescreen, "STEP_SUBJECTS", 2)
        only = {MERCHANT: sources()[MERCHANT]}
        monkeypatch.setattr(rescreen, "sources", lambda: only)
        return [
            register_merchant(name=name, actor=SYSTEM, at=NOON)
            for name in ("明山茶叶有限公司", "云间书店", "Yunjian Books")
        ]

    def test_a_new_version_meets_every_merchant_in_steps(self, shops):
        assert go_on_screening() == 0
        load(TEA)
        assert rescreen.due_for_screening(at=NOON) == [MERCHANT]
        assert rescreen.go_on_screening(at=NOON) == 3

        assert {check.subject_ref for check in ScreeningCheck.objects.all()} == {
            shop.public_id for shop in shops
        }
        [hit] = open_hits()
        assert hit.screening.subject_ref == shops[0].public_id
        walk = Rescreening.objects.get()
        assert (walk.screened, walk.finished_at) == (3, NOON)
        assert deeds("screening.all_checked") == 1
        assert rescreen.go_on_screening(at=later(60)) == 0

    def test_a_version_that_comes_in_the_middle_begins_anew(self, shops, monkeypatch):
        load(TEA)
        monkeypatch.setattr(rescreen, "STEPS_MAX", 1)
        assert rescreen.go_on_screening(at=NOON) == 2
        load(TEA, "company,云间书店,,,,", at=later(10))
        monkeypatch.setattr(rescreen, "STEPS_MAX", 9)
        assert rescreen.go_on_screening(at=later(20)) == 3
        assert Rescreening.objects.get().begun_at == later(20)
        assert len(outcome_of(kind=MERCHANT, reference=shops[1].public_id).open_hits) == 1

    def test_a_day_later_who_changed_is_found(self, shops):
        load(TEA)
        rescreen.go_on_screening(at=NOON)
        shops[1].name = "明山茶叶"
        shops[1].save()
        assert rescreen.go_on_screening(at=later(3600)) == 0
        assert rescreen.go_on_screening(at=later(86400)) == 3
        assert len(outcome_of(kind=MERCHANT, reference=shops[1].public_id).open_hits) == 1
        assert ScreeningCheck.objects.count() == 4

    def test_a_better_algorithm_meets_everybody(self, shops, monkeypatch):
        load(TEA)
        rescreen.go_on_screening(at=NOON)
        for module in (check, rescreen):
            monkeypatch.setattr(module, "ALGORITHM", "names-2")
        assert rescreen.go_on_screening(at=later(60)) == 3
        assert ScreeningCheck.objects.filter(algorithm="names-2", is_current=True).count() == 3


def test_the_list_of_the_demonstration_loads_and_names_nobody_of_it():
    load_invented_list(at=NOON)
    load_invented_list(at=later(60))
    assert ListVersion.objects.get().count == 7
    assert [outcome.is_clear for outcome in screened(person("林秀英"))] == [True]
    assert not screened(person("Ouyang Xu Gou", "apl_2"))[0].is_clear
