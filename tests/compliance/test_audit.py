"""The audit trail: written with the change, never changed, and provably so."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.anchor import Head
from compliance.audit.models import AuditEntry, AuditProgress, AuditSeal
from compliance.audit.sealing import LOCK, seal_audit
from compliance.audit.trail import entry_insert, entry_values, record
from compliance.audit.verify import Break, Fault, verify, verify_tail
from compliance.database import prepared

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LIN = Actor("user", "3", "lin", "198.51.100.7")


def tell(number: str, **more) -> AuditEntry:
    """One deed of Lin's."""
    with transaction.atomic():
        record(LIN, "tea.poured", subject=("tea", number), **more)
    return AuditEntry.objects.latest("pk")


def now() -> datetime:
    """The database's clock, which stamps the seals."""
    at: datetime = prepared("SELECT clock_timestamp()")[0][0]
    return at


def behind_the_triggers(sql: str, params: Any = ()) -> None:
    """What only the database's owner can do, and what the chain must show afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.django_db
class TestWriting:
    """An entry says who did what to what, in the transaction of the change."""

    def test_an_entry_keeps_everything_it_was_told(self):
        facts = {"cups": 3, "leaf": "龙井", "list": [1, None, True]}

        entry = tell("1", facts=facts, reason="guests", at=NOON)

        assert (entry.at, entry.actor_kind, entry.actor_id) == (NOON, "user", "3")
        assert (entry.actor_label, entry.address) == ("lin", "198.51.100.7")
        assert (entry.action, entry.subject_kind, entry.subject_id) == ("tea.poured", "tea", "1")
        assert (entry.facts, entry.reason) == (facts, "guests")

    def test_an_entry_goes_when_its_change_is_rolled_back(self):
        with transaction.atomic():
            record(SYSTEM, "tea.spilled", subject=("tea", "2"))
            transaction.set_rollback(True)

        assert not AuditEntry.objects.filter(action="tea.spilled").exists()

    def test_a_statement_by_hand_may_leave_out_what_has_a_default(self):
        prepared(
            "INSERT INTO compliance_auditentry (actor_kind, action, subject_kind, subject_id) "
            "VALUES ('system', 'tea.grown', 'tea', '3')"
        )

        entry = AuditEntry.objects.get(action="tea.grown")
        assert (entry.facts, entry.reason, entry.actor_label) == ({}, "", "")
        assert entry.at is not None

    def test_an_entry_can_be_written_inside_a_larger_statement(self):
        values = entry_values(LIN, "tea.sold", subject=("tea", "4"), facts={"n": 1}, at=NOON)

        rows = prepared(
            f"WITH sold AS (SELECT 1 AS id), audit AS ({entry_insert()} FROM sold)"  # noqa: S608
            " SELECT id FROM sold",
            values,
        )

        assert rows == [(1,)]
        assert AuditEntry.objects.get(action="tea.sold").facts == {"n": 1}

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
            ("half \ud800 pair", "half ? pair"),
            ("a backslash and \\u0000", "a backslash and \\u0000"),
            ("x" * 9000, "x" * 9000),
        ],
    )
    def test_what_a_stranger_sends_never_keeps_an_entry_from_being_written(self, told, kept):
        entry = tell("5", facts={"said": told}, reason=told)

        assert entry.facts == {"said": kept}
        assert entry.reason == kept[:4096]

    def test_names_too_long_for_their_column_are_cut(self):
        stranger = Actor("user" * 9, "9" * 99, "n" * 200, "a" * 99)
        with transaction.atomic():
            record(stranger, "b" * 99, subject=("k" * 99, "s" * 99))

        entry = AuditEntry.objects.latest("pk")
        assert (len(entry.actor_label), len(entry.subject_id)) == (128, 64)


@pytest.mark.django_db
class TestAppendOnly:
    """The database itself refuses to change or remove evidence."""

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE compliance_auditentry SET reason = 'other'",
            "UPDATE compliance_auditentry SET facts = facts",
            "DELETE FROM compliance_auditentry",
            "TRUNCATE compliance_auditentry",
            "TRUNCATE compliance_auditentry CASCADE",
        ],
    )
    def test_entries_cannot_be_changed_or_removed(self, deed):
        tell("1")

        with pytest.raises(IntegrityError, match="audit_entry_append_only"), transaction.atomic():
            prepared(deed)

    @pytest.mark.parametrize(
        "deed",
        [
            "UPDATE compliance_auditseal SET hash = previous",
            "DELETE FROM compliance_auditseal",
            "TRUNCATE compliance_auditseal",
        ],
    )
    def test_seals_cannot_be_changed_or_removed(self, deed):
        tell("1")
        seal_audit()

        with pytest.raises(IntegrityError, match="audit_seal_append_only"), transaction.atomic():
            prepared(deed)

    def test_the_orm_cannot_either(self):
        entry = tell("1")
        entry.reason = "other"

        with pytest.raises(IntegrityError), transaction.atomic():
            entry.save()
        with pytest.raises(IntegrityError), transaction.atomic():
            entry.delete()


@pytest.mark.django_db
class TestSealing:
    """The sealer puts every entry into the chain exactly once."""

    def test_every_entry_is_sealed_once_in_order(self):
        entries = [tell(str(n)) for n in range(5)]

        assert seal_audit() == 5
        assert seal_audit() == 0

        seals = list(AuditSeal.objects.order_by("position"))
        assert [seal.entry_id for seal in seals] == [entry.pk for entry in entries]
        assert [seal.position for seal in seals] == [1, 2, 3, 4, 5]
        assert bytes(seals[0].previous) == bytes(32)
        assert [bytes(s.previous) for s in seals[1:]] == [bytes(s.hash) for s in seals[:-1]]

    def test_a_long_backlog_is_sealed_in_batches(self, monkeypatch):
        monkeypatch.setattr("compliance.audit.sealing.BATCH_MAX", 3)
        monkeypatch.setattr("compliance.audit.sealing.BATCHES_MAX", 2)
        for n in range(8):
            tell(str(n))

        assert [seal_audit(), seal_audit(), seal_audit()] == [6, 2, 0]
        assert verify(at=now()).checked == 8

    def test_an_entry_about_last_month_is_sealed_like_any_other(self):
        tell("old", at=NOON - timedelta(days=40))
        seal_audit()

        assert verify(at=now()).broken is None

    def test_losing_the_note_of_progress_loses_nothing(self):
        tell("1")
        seal_audit()
        AuditProgress.objects.all().delete()
        tell("2")

        assert seal_audit() == 1
        assert verify(at=now()).checked == 2


@pytest.mark.django_db(transaction=True)
class TestSealingBesideOthers:
    """The sealer and those who write entries do not wait for each other."""

    def test_an_entry_committed_late_under_a_lower_id_is_sealed_too(self):
        has_written, may_commit = threading.Event(), threading.Event()

        def write_slowly() -> None:
            with transaction.atomic():
                record(LIN, "tea.poured", subject=("tea", "slow"))
                has_written.set()
                may_commit.wait(10)
            connection.close()

        writer = threading.Thread(target=write_slowly)
        writer.start()
        has_written.wait(10)
        tell("quick")
        # Many runs pass while the slow one is open: none of them may settle beyond it.
        sealed = [seal_audit() for _ in range(6)]
        may_commit.set()
        writer.join()

        assert sum(sealed) == 1
        assert seal_audit() == 1
        subjects = AuditEntry.objects.order_by("seal__position").values_list(
            "subject_id", flat=True
        )
        assert list(subjects) == ["quick", "slow"]
        assert verify(at=now()).broken is None

    def test_a_second_sealer_leaves_the_work_to_the_first(self):
        tell("1")
        outcome: list[int] = []

        def second() -> None:
            outcome.append(seal_audit())
            connection.close()

        with transaction.atomic():
            prepared("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            other = threading.Thread(target=second)
            other.start()
            other.join()

        assert outcome == [0]
        assert seal_audit() == 1


@pytest.fixture
def trail(db) -> list[AuditEntry]:
    """Six sealed entries."""
    entries = [
        tell(str(n), facts={"cups": n}, at=NOON + timedelta(minutes=n), reason="r")
        for n in range(6)
    ]
    seal_audit()
    return entries


CHANGES = st.sampled_from(
    [
        ("at", "at + interval '1 microsecond'"),
        ("actor_kind", "'system'"),
        ("actor_id", "actor_id || '1'"),
        ("actor_label", "'mallory'"),
        ("address", "'203.0.113.1'"),
        ("action", "'tea.drunk'"),
        ("subject_kind", "'coffee'"),
        ("subject_id", "subject_id || 'x'"),
        ("facts", "jsonb_set(facts, '{cups}', '99')"),
        ("facts", "facts || '{\"more\": 1}'"),
        ("facts", "'{}'"),
        ("reason", "''"),
    ]
)


class TestVerify:
    """Whatever someone with the database's own password does, the first break is named."""

    def test_a_whole_trail_is_whole(self, trail):
        verdict = verify(at=now())

        assert (verdict.checked, verdict.position, verdict.broken) == (6, 6, None)
        assert verdict.head == bytes(AuditSeal.objects.get(position=6).hash)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(change=CHANGES, index=st.integers(min_value=0, max_value=5))
    def test_a_change_of_any_field_of_any_entry_is_found(self, trail, change, index):
        field, value = change
        entry = trail[index]
        with transaction.atomic():
            behind_the_triggers(
                f"UPDATE compliance_auditentry SET {field} = {value} WHERE id = %s",  # noqa: S608
                (entry.pk,),
            )
            broken = verify(at=now()).broken
            transaction.set_rollback(True)

        assert broken == Break(Fault.ALTERED, entry.pk, index + 1)

    def test_a_removed_entry_is_missed(self, trail):
        behind_the_triggers("DELETE FROM compliance_auditentry WHERE id = %s", (trail[2].pk,))

        assert verify(at=now()).broken == Break(Fault.MISSING, trail[2].pk, 3)

    def test_an_entry_removed_with_its_seal_breaks_the_chain_at_the_next(self, trail):
        behind_the_triggers("DELETE FROM compliance_auditentry WHERE id = %s", (trail[2].pk,))
        behind_the_triggers("DELETE FROM compliance_auditseal WHERE position = 3")

        assert verify(at=now()).broken == Break(Fault.BROKEN, trail[3].pk, 4)

    def test_a_forged_seal_breaks_the_chain_at_the_next(self, trail):
        forged = bytes(31) + b"1"
        behind_the_triggers(
            "UPDATE compliance_auditseal SET hash = %s WHERE position = 3", (forged,)
        )

        assert verify(at=now()).broken == Break(Fault.ALTERED, trail[2].pk, 3)

    def test_two_entries_that_changed_places_are_noticed(self, trail):
        behind_the_triggers(
            "UPDATE compliance_auditseal SET entry_id = -entry_id WHERE position IN (2, 3)"
        )
        behind_the_triggers(
            "UPDATE compliance_auditseal SET entry_id = CASE position WHEN 2 THEN %s ELSE %s END "
            "WHERE position IN (2, 3)",
            (trail[2].pk, trail[1].pk),
        )

        assert verify(at=now()).broken == Break(Fault.ALTERED, trail[2].pk, 2)

    def test_an_entry_kept_from_the_sealer_is_noticed_once_seals_went_past_it(self, trail):
        AuditProgress.objects.update_or_create(pk=1, defaults={"settled": 10**12})
        hidden = tell("hidden", at=NOON)
        AuditProgress.objects.update(settled=hidden.pk)
        tell("later")
        seal_audit()

        assert verify(at=now()).broken is None
        assert verify(at=now() + timedelta(hours=1)).broken == Break(Fault.UNSEALED, hidden.pk, 0)

    def test_a_sealer_that_stands_still_is_noticed(self, db):
        waiting = tell("1", at=NOON)

        assert verify(at=NOON + timedelta(minutes=14)).broken is None
        assert verify(at=NOON + timedelta(minutes=16)).broken == Break(
            Fault.UNSEALED, waiting.pk, 0
        )
        assert verify_tail(length=10, at=NOON + timedelta(minutes=16)).broken is not None

    def test_the_newest_entries_cut_off_with_their_seals_are_missed_by_a_noted_head(self, trail):
        noted = Head(6, verify(at=now()).head)
        behind_the_triggers("DELETE FROM compliance_auditentry WHERE id >= %s", (trail[4].pk,))
        behind_the_triggers("DELETE FROM compliance_auditseal WHERE position >= 5")
        assert verify(at=now()).broken == Break(Fault.BLOCK, 0, 1)
        behind_the_triggers("DELETE FROM compliance_auditblock")

        assert verify(at=now()).broken is None
        assert verify(at=now(), noted=[noted]).broken == Break(Fault.HEAD, 0, 6)

    def test_the_tail_alone_can_be_checked(self, trail):
        assert verify_tail(length=2, at=now()).checked == 2

        behind_the_triggers(
            "UPDATE compliance_auditentry SET reason = 'x' WHERE id = %s", (trail[5].pk,)
        )
        assert verify_tail(length=2, at=now()).broken == Break(Fault.ALTERED, trail[5].pk, 6)

    def test_a_trail_longer_than_one_read_is_followed_to_its_end(self, trail, monkeypatch):
        monkeypatch.setattr("compliance.audit.verify.CHUNK", 2)

        assert verify(at=now()).checked == 6


class TestCommand:
    """`verify_audit` for operators and scripts."""

    def test_it_seals_what_waits_and_prints_the_head(self, trail, capsys):
        tell("waiting")

        call_command("verify_audit")

        said = capsys.readouterr().out
        assert "The audit trail is whole: 7 entries, 0 noted heads. Head 7:" in said

    def test_a_head_it_printed_can_be_given_back(self, trail, capsys):
        call_command("verify_audit")
        head = capsys.readouterr().out.rsplit(" ", 1)[1].strip()

        call_command("verify_audit", head=None)
        call_command("verify_audit", "--head", head)

        with pytest.raises(CommandError, match="does not hold the noted hash at position 6"):
            call_command("verify_audit", "--head", f"6:{'0' * 64}")

    def test_it_names_the_first_broken_entry_and_fails(self, trail):
        behind_the_triggers(
            "UPDATE compliance_auditentry SET reason = 'x' WHERE id = %s", (trail[3].pk,)
        )

        with pytest.raises(CommandError) as refusal:
            call_command("verify_audit")

        assert refusal.value.returncode == 1
        assert f"entry {trail[3].pk} (position 4) was altered" in str(refusal.value)

    def test_a_head_that_is_none_is_refused(self, db):
        with pytest.raises(CommandError, match="POSITION:HASH"):
            call_command("verify_audit", "--head", "nonsense")
