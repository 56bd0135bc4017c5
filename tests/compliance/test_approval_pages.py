"""The inbox under /admin/: asking, deciding, and every door that the maker tries."""

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.approvals.models import Approval
from compliance.approvals.role_changes import GRANT, request_role
from compliance.audit.actor import SYSTEM
from compliance.audit.models import AuditEntry
from compliance.identity.devices import has_device, remove_all_devices
from compliance.identity.models import User
from compliance.identity.roles import roles_of
from compliance.identity.states import StaffRole
from compliance.identity.stepup_models import StepUp
from tests.compliance.people import hire

pytestmark = pytest.mark.django_db
INBOX = "/admin/compliance/approval/"


def at_work(username: str, *roles: str, **more) -> Client:
    client = Client(headers={"accept-language": "en"})
    hire(username, roles=roles, **more).sign_in(client)
    return client


@pytest.fixture
def wei():
    return at_work("wei", "administrator")


@pytest.fixture
def he():
    return at_work("he", "compliance_approver")


@pytest.fixture
def yun() -> User:
    return hire("yun").user


@pytest.fixture
def request_of_wei(wei, yun) -> Approval:
    maker = User.objects.get(username="wei")
    return request_role(
        kind=GRANT, user=yun, role=StaffRole.OPERATOR, reason="<b>joins</b>", maker=maker,
        actor=SYSTEM, at=timezone.now(),
    )  # fmt: skip


def decide(client: Client, approval: Approval, deed: str, reason: str = "") -> str:
    address, form = f"{INBOX}{approval.pk}/decide/", {"deed": deed, "reason": reason}
    page = client.post(address, form, follow=True)
    if StepUp.objects.filter(purpose=f"approval.{deed}").update(passed_at=timezone.now()):
        page = client.post(address, form, follow=True)  # The code itself is another story.
    assert page.status_code == 200
    return " ".join(str(message) for message in page.context["messages"])


class TestTheWholeWay:
    """From the person's page to the role."""

    def test_wei_asks_on_yuns_page_and_he_agrees_in_the_inbox(self, wei, he, yun):
        assert b"Change roles" in wei.get(f"/admin/compliance/user/{yun.pk}/change/").content
        form = {"change": "role.grant:operator", "reason": "joins the team"}
        asked = wei.post(f"{INBOX}roles/{yun.pk}/", form, follow=True)
        approval = Approval.objects.get()
        assert b"Take back" in asked.content
        assert b"Agree" not in asked.content.replace(b"Agreed", b"")

        listed = he.get(f"{INBOX}?show=mine")
        assert approval.public_id.encode() in listed.content
        page = he.get(f"{INBOX}{approval.pk}/change/")
        assert b"joins the team" in page.content
        assert b"Operator" in page.content
        assert decide(he, approval, "approve") == "You agreed."

        assert roles_of(yun) == {StaffRole.OPERATOR}
        assert approval.public_id.encode() not in he.get(f"{INBOX}?show=mine").content
        assert approval.public_id.encode() in wei.get(f"{INBOX}?show=done").content

    def test_the_page_shows_as_it_stood_what_the_request_does_not_touch(self, he, request_of_wei):
        lines = he.get(f"{INBOX}{request_of_wei.pk}/change/").context["lines"]
        shown = {str(line.name): (line.before, line.after) for line in lines}
        assert shown["active"] == ("yes", "yes")
        assert shown["user name"][0] == shown["user name"][1] != ""
        assert shown["roles"][0] == "–"
        assert shown["roles"][1] != "–"

    def test_he_rejects_with_a_reason_that_wei_reads(self, wei, he, request_of_wei):
        assert "Write down the reason" in decide(he, request_of_wei, "reject")
        assert decide(he, request_of_wei, "reject", "not yet") == "You rejected the request."

        assert b"not yet" in wei.get(f"{INBOX}{request_of_wei.pk}/change/").content

    def test_wei_takes_it_back(self, wei, request_of_wei):
        assert decide(wei, request_of_wei, "cancel") == "You took the request back."

    def test_a_form_that_cannot_be_granted_comes_back_filled(self, wei, yun, request_of_wei):
        form = {"change": "role.grant:risk", "reason": "keep my words"}

        page = wei.post(f"{INBOX}roles/{yun.pk}/", form)

        assert b"waiting already" in page.content
        assert b"keep my words" in page.content

    @pytest.mark.parametrize("show", ["", "mine", "open", "made", "unreviewed", "done"])
    def test_each_view_of_the_inbox_opens(self, he, request_of_wei, show):
        assert he.get(INBOX, {"show": show} if show else {}).status_code == 200

    def test_an_emergency_is_alarmed_listed_and_reviewed(self, he, request_of_wei, yun):
        root = at_work("root", is_superuser=True, is_staff=True)
        assert b"Execute alone" in root.get(f"{INBOX}{request_of_wei.pk}/change/").content

        assert "Write down" in decide(root, request_of_wei, "break_glass")
        assert "emergency" in decide(root, request_of_wei, "break_glass", "all are ill")
        assert roles_of(yun) == {StaffRole.OPERATOR}
        assert AuditEntry.objects.filter(action="alarm.glass_broken").count() == 1
        listed = he.get(f"{INBOX}?show=unreviewed")
        assert b"Emergency, not reviewed" in listed.content

        assert decide(he, request_of_wei, "review", "justified") == "Your review is kept."
        assert b"justified" in he.get(f"{INBOX}{request_of_wei.pk}/change/").content


class TestALostAuthenticator:
    """Who could take one away alone could sign in as anybody."""

    def test_two_people_take_it_away_and_its_person_enrols_another(self, wei, yun):
        checker = at_work("zhao", "operator_checker")
        assert b"Authenticator lost" in wei.get(f"/admin/compliance/user/{yun.pk}/change/").content
        page = f"{INBOX}second-factor/{yun.pk}/"
        assert wei.get(page).status_code == 200
        wei.post(page, {"reason": "lost on the metro; called back at the number on file"})
        approval = Approval.objects.get()

        assert "Somebody else must decide" in decide(wei, approval, "approve")
        assert has_device(yun)
        assert decide(checker, approval, "approve") == "You agreed."

        assert not has_device(yun)
        removed = AuditEntry.objects.get(action="second_factor.removed")
        assert removed.actor_label == "zhao"
        assert b"nothing to ask for" in wei.post(page, {"reason": "again"}).content

    def test_not_for_oneself_and_not_once_another_was_enrolled(self, wei, yun):
        checker = at_work("zhao", "operator_checker")
        zhao = User.objects.get(username="zhao")
        wei.post(f"{INBOX}second-factor/{zhao.pk}/", {"reason": "lost"})
        assert "about yourself" in decide(checker, Approval.objects.get(), "approve")

        wei.post(f"{INBOX}second-factor/{yun.pk}/", {"reason": "lost"})
        remove_all_devices(user=yun, actor=SYSTEM, at=timezone.now())
        assert "has changed" in decide(checker, Approval.objects.latest("pk"), "approve")


class TestEveryDoor:
    """The maker alone, and people whose affair it is not."""

    def test_the_maker_posts_directly(self, wei, yun, request_of_wei):
        assert "Somebody else must decide" in decide(wei, request_of_wei, "approve")
        assert "Your role does not allow" in decide(wei, request_of_wei, "break_glass", "now")
        assert roles_of(yun) == frozenset()
        assert AuditEntry.objects.filter(action="approval.refused").count() == 2

    def test_there_is_no_action_on_many(self, wei, he, yun, request_of_wei):
        for client in (wei, he):
            for action in ("approve", "delete_selected"):
                form = {"action": action, "_selected_action": [request_of_wei.pk], "post": "yes"}
                client.post(INBOX, form)
            page = f"{INBOX}{request_of_wei.pk}"
            assert client.post(f"{page}/change/", {"state": "executed"}).status_code == 403
            assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
            assert client.get(f"{INBOX}add/").status_code == 403
        request_of_wei.refresh_from_db()
        assert (request_of_wei.state, roles_of(yun)) == ("pending", frozenset())

    def test_who_has_nothing_to_do_with_it_does_not_find_it(self, request_of_wei):
        lin = at_work("lin", "operator")

        assert request_of_wei.public_id.encode() not in lin.get(INBOX).content
        page = f"{INBOX}{request_of_wei.pk}"
        assert lin.get(f"{page}/change/").status_code == 404
        assert lin.post(f"{page}/decide/", {"deed": "approve"}).status_code == 404

    def test_only_who_may_ask_sees_the_form(self, yun):
        assert at_work("lin", "operator").get(f"{INBOX}roles/{yun.pk}/").status_code == 403

    def test_an_auditor_reads_and_decides_nothing(self, request_of_wei):
        su = at_work("su", "auditor")

        page = su.get(f"{INBOX}{request_of_wei.pk}/change/")

        assert page.status_code == 200
        assert b'class="deed"' not in page.content
        assert "Your role does not allow" in decide(su, request_of_wei, "approve")

    def test_deeds_that_do_not_exist_and_addresses_opened_by_get(self, he, request_of_wei):
        page = f"{INBOX}{request_of_wei.pk}/decide/"

        assert he.post(page, {"deed": "move"}).status_code == 404
        assert he.get(page).status_code == 405

    def test_a_request_that_was_tampered_with_says_so_before_anybody_agrees(
        self, he, request_of_wei
    ):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            Approval.objects.update(needed=0)
            cursor.execute("SET session_replication_role = origin")

        page = he.get(f"{INBOX}{request_of_wei.pk}/change/")

        assert b"somebody changed it in the database" in page.content
        assert "void" in decide(he, request_of_wei, "approve")

    def test_what_the_maker_wrote_is_shown_as_text(self, he, request_of_wei):
        page = he.get(f"{INBOX}{request_of_wei.pk}/change/").content

        assert b"<b>joins" not in page
        assert b"&lt;b&gt;joins" in page
