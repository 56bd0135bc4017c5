"""Pages of an application without a browser: two people in one section, looks at papers."""

import re
from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import add_device
from compliance.protection.vault.models import StoredFile
from compliance.protection.vault.states import FileState
from merchants.access import MerchantAccess
from merchants.onboarding.models import Draft
from tests.cast import NOON
from tests.compliance.people import SECRET, Person
from tests.merchants.applying import TYPED, add, apply, person_of, write, write_rows

pytestmark = pytest.mark.django_db

LICENCE = "/portal/application/sections/licence/"
SHAREHOLDERS = "/portal/application/sections/shareholders/"


@pytest.fixture
def lin() -> MerchantAccess:
    return apply()


def browser_of(access: MerchantAccess) -> Client:
    client = Client(headers={"accept-language": "en"})
    user = person_of(access)
    add_device(user=user, secret=SECRET, actor=SYSTEM, at=NOON)
    Person(user).sign_in(client)
    return client


def form_of(section: str, *, version: int, **changes: str) -> dict[str, str]:
    rows = [dict(row) for row in TYPED[section]]
    rows[0] |= changes
    fields = {f"{name}-{i}": value for i, row in enumerate(rows) for name, value in row.items()}
    return {"version": str(version), **fields}


def shown(page: bytes, field: str) -> str:
    found = re.search(rf'name="{field}" value="([^"]*)"', page.decode())
    assert found is not None
    return found[1]


class TestTwoTabs:
    """Nobody writes over what they have not seen, and nobody's typing is thrown away."""

    def test_who_comes_second_keeps_what_was_typed_and_sees_what_stands(self, lin):
        write(lin, "licence")
        write(lin, "licence", name="茗山茶行")

        answer = browser_of(lin).post(LICENCE, form_of("licence", version=1, name="茗山茶庄"))

        assert answer.status_code == 409
        assert shown(answer.content, "name-0") == "茗山茶庄"
        assert shown(answer.content, "version") == "2"
        page = answer.content.decode()
        assert "saved this section after you opened it" in page
        table = page[page.index("<table") : page.index("</table>")]
        assert re.findall(r'<th scope="row">(.*?)</th><td class="anywhere">(.*?)</td>', table) == [
            ("Name on the licence", "茗山茶行")
        ]
        assert Draft.objects.get().typed[0]["name"] == "茗山茶行"

    def test_having_compared_the_second_may_save(self, lin):
        write(lin, "licence")
        write(lin, "licence", name="茗山茶行")
        client = browser_of(lin)
        client.post(LICENCE, form_of("licence", version=1, name="茗山茶庄"))

        answer = client.post(LICENCE, form_of("licence", version=2, name="茗山茶庄"))

        assert answer.status_code == 200
        assert Draft.objects.get().typed[0]["name"] == "茗山茶庄"

    def test_in_a_list_the_row_is_named_and_choices_are_told_in_words(self, lin):
        rows = [dict(row) for row in TYPED["shareholders"]]
        write_rows(lin, "shareholders", rows)
        rows[1] |= {"kind": "company", "share": "30"}
        write_rows(lin, "shareholders", rows)

        answer = browser_of(lin).post(SHAREHOLDERS, form_of("shareholders", version=1, share="61"))

        page = answer.content.decode()
        found = re.findall(
            r'<td>(\d)</td><th scope="row">(.*?)</th><td class="anywhere">(.*?)</td>', page
        )
        assert [(row, value) for row, _label, value in found] == [
            ("1", "60"), ("2", "Company"), ("2", "30"),
        ]  # fmt: skip

    def test_a_script_is_told_by_a_code(self, lin):
        write(lin, "licence")
        write(lin, "licence", name="茗山茶行")

        answer = browser_of(lin).post(
            LICENCE, form_of("licence", version=1, name="x"),
            headers={"accept": "application/json"},
        )  # fmt: skip

        assert (answer.status_code, answer.json()["code"]) == (409, "overtaken")


class TestLookingAtAPaper:
    """An applicant sees what the reviewers will see."""

    def test_the_page_shows_the_picture_with_who_looks_written_over_it(self, lin):
        file = add(lin, "licence").file.public_id
        client = browser_of(lin)

        page = client.get(f"/portal/application/documents/{file}/")
        drawn = client.get(f"/portal/application/documents/{file}/picture/")

        assert f'src="/portal/application/documents/{file}/picture/"' in page.content.decode()
        assert (drawn["Content-Type"], drawn["Content-Disposition"]) == ("image/jpeg", "inline")
        assert "no-store" in drawn["Cache-Control"]
        with Image.open(BytesIO(drawn.content)) as picture:
            assert len(picture.convert("RGB").getcolors(100_000) or ()) > 1
        entry = AuditEntry.objects.filter(action="file.viewed").get()
        assert (entry.subject_id, entry.actor_label) == (file, "lin@tea.example")

    def test_a_pdf_is_a_download_and_has_no_picture(self, lin):
        file = add(lin, "licence").file
        StoredFile.objects.filter(pk=file.pk).update(media_type="application/pdf")
        client = browser_of(lin)

        for tail in ("", "picture/"):
            answer = client.get(f"/portal/application/documents/{file.public_id}/{tail}")
            assert answer.status_code == 404

    def test_what_waits_for_the_scanner_is_not_shown(self, lin):
        file = add(lin, "licence").file
        StoredFile.objects.filter(pk=file.pk).update(state=FileState.QUARANTINED, scan_at=NOON)
        client = browser_of(lin)

        answer = client.get(f"/portal/application/documents/{file.public_id}/picture/")

        assert answer.status_code == 404

    def test_another_merchants_paper_is_like_none(self, lin):
        file = add(lin, "licence").file.public_id
        yun = browser_of(apply("yun@books.example", "Yunjian Books"))

        for tail in ("", "picture/"):
            assert yun.get(f"/portal/application/documents/{file}/{tail}").status_code == 404
        answer = yun.post(f"/portal/application/documents/{file}/download/")
        assert answer.status_code == 404
