"""Two who screen the same subject, and a list that changes while somebody compares."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from merchants.models import ListedName, ScreeningCheck, ScreeningHit
from merchants.screening import check
from merchants.screening.queries import outcome_of
from tests.cast import later
from tests.merchants.test_screening import TEA, WANG, load, person, screened

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(deed):
    try:
        return deed()
    finally:
        connection.close()


def test_the_same_subject_screened_by_many_at_once_is_compared_once():
    load(WANG)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: in_a_thread(lambda: screened(person())), range(8)))

    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert (ScreeningCheck.objects.count(), ScreeningHit.objects.count()) == (1, 1)


def test_a_version_is_not_emptied_under_the_eyes_of_whoever_compares_with_it(monkeypatch):
    load(WANG)
    honest = check._candidates
    loading = []

    def slowly(asked):
        """A load begins in the middle of the comparison; it must come to wait for it."""
        loading.append(pool.submit(in_a_thread, lambda: load(TEA, at=later(60))))
        while not loading[0].done() and not somebody_waits():
            pass
        assert not loading[0].done()
        return honest(asked)

    monkeypatch.setattr(check, "_candidates", slowly)
    with ThreadPoolExecutor(1) as pool:
        [outcome] = screened(person())
        loading[0].result()

    assert len(outcome.open_hits) == 1
    assert ListedName.objects.get(keys=[]).name == "王伟"
    assert outcome_of(kind="person", reference="apl_1/legal").not_compared_with == ("own 2",)


def somebody_waits() -> bool:
    """For a transaction of this database to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        )
        return bool(cursor.fetchone()[0])
