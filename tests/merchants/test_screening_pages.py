"""Screening in the admin: what waits is listed, two names stand side by side, a person decides."""

import pytest
from django.test import Client

from compliance.audit.models import AuditEntry
from merchants.models import ScreeningHit
from merchants.screening.queries import outcome_of
from tests.compliance.people import confirm, hire
from tests.merchants.test_screening import NUMBER, TEA, WANG, load, person, screened

pytestmark = pytest.mark.django_db
HITS = "/admin/merchants/screeninghit/"


def at_work(username: str, *roles: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    hire(username, roles=roles).sign_in(client)
    return client


@pytest.fixture
def lin():
    return at_work("lin", "operator")


@pytest.fixture
def hit():
    load(WANG, TEA)
    screened(person("王 伟"))
    return ScreeningHit.objects.get()


def post(client: Client, hit: ScreeningHit, deed: str, reason: str = "born later"):
    return client.post(f"{HITS}{hit.pk}/decide/", {"deed": deed, "reason": reason})


def told(client: Client, hit: ScreeningHit) -> str:
    page = client.get(f"{HITS}{hit.pk}/change/")
    return " ".join(str(message) for message in page.context["messages"])


def test_lin_sees_what_waits_and_dismisses_it(lin, hit):
    assert "apl_1/legal" in lin.get(HITS).content.decode()
    page = lin.get(f"{HITS}{hit.pk}/change/").content.decode()
    for text in ("王 伟", "王伟", "S-1", "apl_1/legal", "It is somebody else", "Own 1"):
        assert text in page

    assert post(lin, hit, "dismiss").status_code == 302
    assert "somebody else" in told(lin, hit)
    assert outcome_of(kind="person", reference="apl_1/legal").is_clear
    assert "apl_1/legal" not in lin.get(HITS).content.decode()
    assert "apl_1/legal" in lin.get(f"{HITS}?show=decided").content.decode()
    assert AuditEntry.objects.get(action="screening.dismissed").actor_label == "lin"


def test_what_somebody_confirmed_is_let_through_with_the_second_factor_only(lin, hit):
    post(lin, hit, "confirm", "it is him")
    asked = post(lin, hit, "dismiss", "a twin")
    assert ScreeningHit.objects.get().state == "confirmed"
    confirm(lin, asked)
    assert ScreeningHit.objects.get().state == "dismissed"


def test_a_number_that_agrees_is_let_through_with_the_second_factor_only(lin):
    load(f"person,王伟,,{NUMBER},,")
    screened(person("李娜", identity_number=NUMBER))
    hit = ScreeningHit.objects.get()
    confirm(lin, post(lin, hit, "dismiss", "a typing error on the list"))
    assert ScreeningHit.objects.get().state == "dismissed"


def test_a_decision_needs_a_reason_and_a_known_deed(lin, hit):
    post(lin, hit, "dismiss", "  ")
    assert told(lin, hit) == "A decision needs a reason."
    assert post(lin, hit, "forget").status_code == 404
    assert ScreeningHit.objects.get().state == "open"


def test_others_read_without_the_whole_name_and_decide_nothing(hit):
    auditor = at_work("he", "auditor")
    page = auditor.get(f"{HITS}{hit.pk}/change/").content.decode()
    assert "王 伟" not in page
    assert "It is somebody else" not in page
    assert post(auditor, hit, "dismiss").status_code == 403


def test_a_hit_of_an_older_screening_says_so(lin, hit):
    screened(person("李娜"))
    page = lin.get(f"{HITS}{hit.pk}/change/").content.decode()
    assert "screened anew" in page
    assert "It is somebody else" not in page
    assert "apl_1/legal" in lin.get(f"{HITS}?show=all").content.decode()


def test_lists_and_versions_are_read(lin, hit):
    assert b"Own" in lin.get("/admin/merchants/screeninglist/").content
    version = hit.screening.version
    page = lin.get(f"/admin/merchants/listversion/{version.pk}/change/").content.decode()
    assert version.file_sha256 in page
    assert version.file_sha256[:8] not in lin.get("/admin/merchants/listversion/").content.decode()


def test_what_a_list_says_is_shown_as_text(lin):
    load("person,王伟,<script>alert(1)</script>,,,")
    screened(person())
    page = lin.get(f"{HITS}{ScreeningHit.objects.get().pk}/change/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_hit_that_is_not_there_is_not_found_and_a_plain_list_still_opens(hit):
    officer = at_work("she", "compliance_officer")
    assert officer.get(f"{HITS}{hit.pk + 999}/change/").status_code == 404
    loaded = hit.screening.version
    assert officer.get(f"/admin/merchants/listversion/{loaded.pk}/change/").status_code == 200
    assert (
        officer.get(f"/admin/merchants/screeninglist/{loaded.list_id}/change/").status_code == 200
    )
