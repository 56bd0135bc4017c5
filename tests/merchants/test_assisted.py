"""A licence is read for the applicant: empty fields are filled, typed ones never overwritten."""

from dataclasses import replace
from io import BytesIO

import pytest
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.protection.vault.files import Upload
from compliance.protection.vault.models import StoredFile
from merchants.models import Draft
from merchants.onboarding.assisted import read_document
from merchants.onboarding.recognising.reading import RecognitionRefused
from merchants.onboarding.refusals import ApplicationNotFound
from tests.cast import NOON
from tests.compliance.people import SECRET, Person
from tests.merchants.applying import add, apply, fill, hand_in, person_of, picture, write
from tests.merchants.papers import COMPANY, company_licence

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def lin(settings):
    settings.RECOGNISER = "tesseract"
    return apply()


def licence() -> Upload:
    drawn = BytesIO()
    company_licence().save(drawn, "PNG")
    return Upload("licence.png", "image/png", drawn.getvalue())


def read(access, file: str):
    return read_document(access=access, by=person_of(access), file=file, at=NOON)


def test_an_empty_section_is_filled_in_and_the_trail_names_fields_only(lin):
    file = add(lin, "licence", upload=licence()).file.public_id
    found = read(lin, file)
    typed = Draft.objects.get(section="licence").typed[0]
    assert typed["credit_code"] == COMPANY["credit_code"]
    assert "licence.credit_code" in found.filled
    entry = AuditEntry.objects.get(action="application.document_read")
    assert "credit_code" in entry.facts["filled"]
    assert COMPANY["credit_code"] not in str(entry.facts)


def test_what_was_typed_stays_and_the_difference_is_told(lin):
    write(lin, "licence")
    before = Draft.objects.get(section="licence").typed
    found = read(lin, add(lin, "licence", upload=licence()).file.public_id)
    assert Draft.objects.get(section="licence").typed == before
    assert "licence.credit_code" in found.differing


def test_a_paper_that_is_not_read_and_anothers(lin):
    file = add(lin, "premises").file.public_id
    with pytest.raises(ApplicationNotFound):
        read(lin, file)
    mine = add(lin, "licence").file.public_id
    yun = apply("yun@books.example", "Yunjian Books")
    with pytest.raises(ApplicationNotFound):
        read(yun, mine)


def test_nothing_is_read_without_a_recogniser_or_before_the_scan(lin, settings):
    file = add(lin, "licence").file.public_id
    StoredFile.objects.update(state="quarantined", scan_at=NOON)
    with pytest.raises(RecognitionRefused, match="not_scanned"):
        read(lin, file)
    settings.RECOGNISER = "none"
    with pytest.raises(RecognitionRefused, match="recogniser_off"):
        read(lin, file)


def test_an_empty_picture_proposes_nothing(lin):
    found = read(lin, add(lin, "licence", upload=replace(picture())).file.public_id)
    assert (found.filled, found.differing) == ((), ())
    assert not Draft.objects.exists()


def test_while_it_is_reviewed_nothing_is_filled(lin):
    application = fill(lin)
    file = application.documents.get(kind="licence").file.public_id
    hand_in(lin)
    StoredFile.objects.filter(public_id=file).update(state="erased", ended_at=NOON)
    with pytest.raises(RecognitionRefused, match="not_scanned"):
        read(lin, file)


def test_from_the_page(lin):
    person = person_of(lin)
    add_device(user=person, secret=SECRET, actor=SYSTEM, at=NOON)
    browser = Client(headers={"accept-language": "en"})
    Person(person).sign_in(browser)
    file = add(lin, "licence", upload=licence()).file.public_id
    assert "Fill in from it" in browser.get("/portal/application/documents/").content.decode()
    told = browser.post(f"/portal/application/documents/{file}/read/", follow=True)
    page = told.content.decode()
    assert "Filled in from the paper:" in page
    assert COMPANY["credit_code"] in page
    assert COMPANY["credit_code"] not in str(told.cookies)
