"""Files that a crash left in the storage are found, and destroyed only where that was chosen."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.jobs.models import Job
from compliance.numbers import new_number
from compliance.protection.vault import sweeping
from compliance.protection.vault.files import Upload, erase_file, keep_made, read_made
from compliance.protection.vault.models import StoredFile
from compliance.tasks import sweep_vault
from tests.compliance.people import NOON

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=25)


@pytest.fixture
def vault(settings):
    """An empty storage of this story's own."""
    settings.STORAGES = {**settings.STORAGES}  # Told anew, each storage is made anew.
    with time_machine.travel(NOON, tick=False):
        yield storages["vault"]


def kept() -> StoredFile:
    return keep_made(
        Upload("r.pdf", "application/pdf", b"proof"), purpose="report", owner=("report", "rpt_1"),
        actor=SYSTEM, at=NOON,
    )  # fmt: skip


def left_behind(vault, *, name: str = "") -> str:
    number = new_number("doc_", at=NOON)
    place: str = vault.save(name or f"{number[-4:-2]}/{number}", ContentFile(b"sealed"))
    return place


def told() -> AuditEntry:
    return AuditEntry.objects.filter(subject_kind="vault").latest("pk")


def test_by_default_what_no_row_holds_is_told_of_and_stays(vault):
    row, place = kept(), left_behind(vault)
    assert sweeping.sweep_vault(at=LATER) == 1
    assert (told().action, told().facts["named"]) == ("vault.orphans_found", [place])
    assert vault.exists(place)
    assert read_made(row) == b"proof"


def test_where_it_was_chosen_it_is_destroyed_and_evidence_is_not(vault, settings):
    settings.VAULT_SWEEP = "delete"
    row, place = kept(), left_behind(vault)
    assert sweeping.sweep_vault(at=LATER) == 1
    assert told().action == "vault.orphans_destroyed"
    assert not vault.exists(place)
    assert read_made(row) == b"proof"
    assert sweeping.sweep_vault(at=LATER) == 0
    assert AuditEntry.objects.filter(subject_kind="vault").count() == 1


def test_what_is_younger_than_a_day_may_still_get_its_row(vault, settings):
    settings.VAULT_SWEEP = "delete"
    place = left_behind(vault)
    assert sweeping.sweep_vault(at=NOON + timedelta(hours=23)) == 0
    assert vault.exists(place)


def test_content_that_outlived_its_erasure_is_destroyed(vault, settings, monkeypatch):
    settings.VAULT_SWEEP = "delete"
    row = kept()
    with monkeypatch.context() as away:
        away.setattr(vault, "delete", lambda name: None)
        erase_file(row, actor=SYSTEM, at=NOON, reason="term is over")
    assert vault.exists(row.storage_name)
    assert sweeping.sweep_vault(at=LATER) == 1
    assert not vault.exists(row.storage_name)


def test_what_others_put_into_the_storage_is_not_ours_to_judge(vault, settings):
    settings.VAULT_SWEEP = "delete"
    strangers = ["readme.txt", "ab/notes.txt", "backup/doc_1", "ab/deep/doc_1"]
    for name in strangers:
        left_behind(vault, name=name)
    assert sweeping.sweep_vault(at=LATER) == 0
    assert all(vault.exists(name) for name in strangers)


def test_after_a_restore_of_an_old_database_nothing_is_destroyed(vault, settings):
    settings.VAULT_SWEEP = "delete"
    places = [left_behind(vault) for _ in range(sweeping.FEW + 1)]
    assert sweeping.sweep_vault(at=LATER) == len(places)
    assert told().action == "alarm.vault_orphans"
    assert all(vault.exists(place) for place in places)


def test_many_leftovers_among_very_many_files_are_believed():
    few = [str(n) for n in range(sweeping.FEW + 1)]
    assert not sweeping.Swept(len(few) * sweeping.SHARE_MAX, few).is_suspicious
    assert sweeping.Swept(len(few) * sweeping.SHARE_MAX - 1, few).is_suspicious


def test_the_periodic_job_does_it_and_says_how_many(vault):
    left_behind(vault)
    with time_machine.travel(LATER, tick=False):
        assert sweep_vault() == 1
    assert Job.objects.get(name="compliance.sweep_vault").done == 1
