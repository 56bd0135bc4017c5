"""What is over is seen first, asked for, agreed to by somebody else, destroyed, and proven."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from compliance.approvals.decide import approve
from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.protection.vault.files import Upload, erase_file, take_in
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from compliance.retention import classes, own
from compliance.retention.classes import find_class
from compliance.retention.erase import STEP, certificate_of, go_on, look_through, request_erasure
from compliance.retention.models import Erasure
from tests.compliance import hostile
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db


def kept(days_ago: int = 11 * 366) -> StoredFile:
    upload = Upload("letter.png", "image/png", hostile.png())
    at = timezone.now() - timedelta(days=days_ago)
    return take_in(upload, purpose="evidence", owner=("desk", "evidence"), actor=SYSTEM, at=at)


def acting(user) -> Actor:
    return Actor("user", str(user.pk), user.username)


@pytest.fixture
def shen():
    return hire("shen", roles=["compliance_officer"]).user


@pytest.fixture
def he():
    return hire("he", roles=["compliance_approver"]).user


def ask(shen) -> Approval:
    return request_erasure(
        name="evidence", reason="ten years are over", maker=shen, actor=acting(shen),
        at=timezone.now(),
    )  # fmt: skip


def agree(request: Approval, he) -> Approval:
    return approve(number=request.public_id, checker=he, actor=acting(he), at=timezone.now())


def test_looking_changes_nothing(capsys):
    kept()
    kept(days_ago=10)
    counts = {one.kept.name: one.count for one in look_through(at=timezone.now())}
    assert counts["evidence"] == 1
    assert counts["audit"] is None
    call_command("retention")
    assert "1 due" in capsys.readouterr().out
    assert StoredFile.objects.filter(state=FileState.CLEAN).count() == 2


def test_from_the_request_to_the_certificate(shen, he):
    old, young = kept(), kept(days_ago=10)
    request = ask(shen)
    assert go_on(at=timezone.now()) == 0, "nothing before somebody else agreed"
    agree(request, he)
    with override("en"):
        assert go_on(at=timezone.now()) == 1
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.state, young.state) == (FileState.ERASED, FileState.CLEAN)
    assert not storages["vault"].exists(old.storage_name)
    row = Erasure.objects.get()
    text, digest = certificate_of(row)
    told = json.loads(text)
    assert told["things"] == [old.public_id]
    assert (told["asked_by"], told["agreed_by"]) == ("shen", "he")
    assert "ten years" in told["basis"]
    assert AuditEntry.objects.get(action="retention.erased").facts["certificate"] == digest
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert go_on(at=timezone.now()) == 0


def test_many_are_erased_step_by_step_and_a_crash_in_between_repeats_nothing(shen, he, monkeypatch):
    first = kept()
    StoredFile.objects.bulk_create(
        StoredFile(
            public_id=f"doc_{n:026d}", purpose="evidence", owner_kind="desk", owner_id="evidence",
            name="x.png", media_type="image/png", size=1, sha256=b"", received_sha256=b"",
            facts={}, state="clean", storage_name=f"x{n}", key_sealed="k", uploaded_by="x",
            created_at=first.created_at,
        )
        for n in range(STEP + 5)
    )  # fmt: skip
    agree(ask(shen), he)
    assert go_on(at=timezone.now()) == STEP
    assert Erasure.objects.get().state == "running"
    done = []

    def crash(row, **more):
        done.append(row.public_id)
        if len(done) == 3:
            raise RuntimeError
        erase_file(row, **more)

    with monkeypatch.context() as patch:
        patch.setattr(own, "erase_file", crash)
        with pytest.raises(RuntimeError):
            go_on(at=timezone.now())
    assert go_on(at=timezone.now()) == 6
    assert Erasure.objects.get().state == "done"
    assert AuditEntry.objects.filter(action="file.erased").count() == STEP + 6


def test_a_storage_that_is_away_for_one_does_not_stop_the_others(shen, he, monkeypatch):
    kept()
    agree(ask(shen), he)
    first = Erasure.objects.get()
    Erasure.objects.filter(pk=first.pk).update(things=["doc_away"])
    kept()
    agree(ask(shen), he)

    def erase(things, actor, at, reason):
        if "doc_away" in things:
            raise ConnectionRefusedError

    known = find_class("evidence")
    assert known is not None
    monkeypatch.setitem(classes._classes, "evidence", replace(known, erase=erase))
    with pytest.raises(ConnectionRefusedError):
        go_on(at=timezone.now())
    assert list(Erasure.objects.order_by("pk").values_list("state", flat=True)) == [
        "running", "done",
    ]  # fmt: skip


def test_what_changed_since_makes_the_request_stale(shen, he):
    old = kept()
    request = ask(shen)
    erase_file(old, actor=SYSTEM, at=timezone.now(), reason="court order")
    with pytest.raises(ApprovalRefused) as told:
        agree(request, he)
    assert told.value.code == "stale"
    assert not Erasure.objects.exists()


def test_nobody_erases_alone(shen):
    kept()
    request = ask(shen)
    with pytest.raises(ApprovalRefused) as told:
        agree(request, shen)
    assert told.value.code in {"own_request", "ability_missing"}


@pytest.mark.parametrize("name", ["audit", "sessions", "ledger", ""])
def test_what_is_kept_for_ever_or_goes_by_itself_is_not_asked_for(shen, name):
    kept()
    with pytest.raises(ApprovalRefused):
        request_erasure(name=name, reason="x", maker=shen, actor=acting(shen), at=timezone.now())


def test_nothing_due_is_nothing_to_ask_for(shen):
    kept(days_ago=3650)
    with pytest.raises(ApprovalRefused) as told:
        ask(shen)
    assert told.value.code == "no_change"


def test_an_erasure_is_not_done_without_its_proof(shen, he):
    kept()
    agree(ask(shen), he)
    with pytest.raises(IntegrityError), transaction.atomic():
        Erasure.objects.update(state="done", finished_at=timezone.now())


class TestOnTheDesk:
    """The table, the request and the certificate."""

    def desk(self, user_name: str, role: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        hire(user_name, roles=[role]).sign_in(client)
        return client

    def test_an_officer_asks_and_downloads_the_certificate(self, he):
        kept()
        client = self.desk("shen", "compliance_officer")
        page = client.get("/compliance/retention/").content.decode()
        assert "3660 days" in page
        form = {"class": "evidence", "reason": "ten years are over"}
        assert client.post("/compliance/retention/", form).status_code == 302
        agree(Approval.objects.get(), he)
        go_on(at=timezone.now())
        row = Erasure.objects.get()
        answer = client.get(f"/compliance/retention/{row.public_id}/")
        assert answer["Content-Disposition"].startswith("attachment")
        assert json.loads(answer.content)["count"] == 1
        assert "Certificate" in client.get("/compliance/retention/").content.decode()

    def test_an_auditor_only_looks(self):
        kept()
        client = self.desk("su", "auditor")
        page = client.get("/compliance/retention/").content.decode()
        assert "Ask to erase" not in page
        form = {"class": "evidence", "reason": "x"}
        assert client.post("/compliance/retention/", form).status_code == 403
        assert not Approval.objects.exists()
