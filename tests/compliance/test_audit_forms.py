"""Who acted, in which role, with which program, and what changed: told, sealed and proven.

Entries of the first form, from before these columns, stay as provable as they were.
"""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from compliance.audit.actor import SYSTEM
from compliance.audit.export import Stretch, exported_lines
from compliance.audit.models import AuditEntry
from compliance.audit.sealing import seal_audit
from compliance.audit.trail import record
from compliance.audit.verify import Break, Fault, verify
from compliance.database import prepared
from compliance.identity.people import change_email
from compliance.identity.roles import grant_role
from compliance.identity.states import StaffRole
from merchants.accounts.register import suspend_merchant
from tests.cast import open_shop
from tests.compliance.people import NOON, hire
from tests.compliance.test_audit import LIN, behind_the_triggers, now, tell
from tests.compliance.test_export import changed, outsider

pytestmark = pytest.mark.django_db

_OLD = """
INSERT INTO compliance_auditentry
       (at, actor_kind, actor_label, action, subject_kind, subject_id, facts, version)
VALUES (%s, 'user', 'lin', 'tea.poured', 'tea', %s, '{"cups": 1.50}', 1)
"""


def tell_in_the_first_form(number: str) -> AuditEntry:
    prepared(_OLD, [NOON, number])
    return AuditEntry.objects.latest("pk")


class TestColumns:
    """What an entry tells about the doer and the change."""

    def test_an_entry_keeps_the_person_the_role_the_program_and_the_change(self):
        yun = replace(LIN, person=3, role="operator", agent="Firefox")
        with transaction.atomic():
            record(
                yun, "tea.priced", subject=("tea", "1"),
                before={"price": 100}, after={"price": 120},
            )  # fmt: skip

        entry = AuditEntry.objects.latest("pk")
        assert (entry.person, entry.role, entry.agent) == (3, "operator", "Firefox")
        assert (entry.before, entry.after, entry.version) == ({"price": 100}, {"price": 120}, 2)
        assert entry.changes() == [("price", "100", "120")]

    @pytest.mark.parametrize(
        ("told", "kept"),
        [
            ("a\nERROR forged", "a\N{REPLACEMENT CHARACTER}ERROR forged"),
            ("a\0\x1b[2J\u202eb", "a\ufffd\ufffd[2J\ufffdb"),
            ("\ud800", "\N{REPLACEMENT CHARACTER}"),
            ("x" * 900, "x" * 200),
        ],
    )
    def test_a_program_cannot_write_what_it_likes(self, told, kept):
        with transaction.atomic():
            record(replace(LIN, agent=told), "tea.poured", subject=("tea", "1"))

        assert AuditEntry.objects.latest("pk").agent == kept

    def test_a_person_of_the_staff_acts_in_their_roles(self):
        client = Client(headers={"user-agent": "Curl\t<script>"})
        shen = hire("shen", roles=["operator", "risk"])
        shen.sign_in(client)

        entry = AuditEntry.objects.filter(action="signin.succeeded").latest("pk")
        assert (entry.person, entry.role) == (shen.user.pk, "operator,risk")
        assert entry.agent == "Curl <script>"

    def test_the_desk_shows_it_and_runs_nothing_of_it(self):
        client = Client(headers={"user-agent": "<script>alert(1)</script>"})
        hire("shen", roles=["auditor"]).sign_in(client)

        page = client.get("/compliance/audit/").content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page

    def test_a_role_is_told_before_and_after(self):
        shen = hire("shen", roles=["operator"])
        grant_role(user=shen.user, role=StaffRole.RISK, actor=SYSTEM, at=NOON)

        entry = AuditEntry.objects.filter(action="role.granted").latest("pk")
        assert entry.before == {"roles": ["operator"]}
        assert entry.after == {"roles": ["operator", "risk"]}

    def test_addresses_are_masked(self):
        shen = hire("shen")
        change_email(user=shen.user, email="tea@example.net", actor=SYSTEM, at=NOON)

        entry = AuditEntry.objects.filter(action="person.email_changed").latest("pk")
        assert entry.before == {"email": "s***@example.com"}
        assert entry.after == {"email": "t**@example.net"}

    def test_an_administrators_changes_are_told_and_names_masked(self):
        client = Client(headers={"accept-language": "en"})
        hire("root", roles=["administrator"]).sign_in(client)
        lin = hire("lin").user
        client.post(
            f"/admin/compliance/user/{lin.pk}/change/",
            {
                "username": "lin", "display_name": "Linda", "language": "",
                "role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0",
            },
        )  # fmt: skip

        entry = AuditEntry.objects.filter(action="person.changed").latest("pk")
        assert entry.before == {"display_name": "L**", "is_active": True}
        assert entry.after == {"display_name": "L****", "is_active": False}

    def test_a_suspended_merchant_is_told_before_and_after(self):
        tea = open_shop("Tea").access
        suspend_merchant(merchant_id=tea.merchant_id, reason="late", actor=SYSTEM, at=NOON)

        entry = AuditEntry.objects.latest("pk")
        assert (entry.before, entry.after) == ({"status": "active"}, {"status": "suspended"})


class TestForms:
    """A chain that crosses from the first form to the second."""

    @pytest.fixture
    def crossing(self) -> list[AuditEntry]:
        old = [tell_in_the_first_form(str(number)) for number in range(2)]
        seal_audit()
        with transaction.atomic():
            record(
                replace(LIN, person=3, role="owner", agent="Firefox"), "tea.priced",
                subject=("tea", "9"), before={"price": 1.10}, after={"price": 1.20},
            )  # fmt: skip
        new = [AuditEntry.objects.latest("pk"), tell("10")]
        seal_audit()
        return [*old, *new]

    def test_it_is_whole_here_and_outside(self, crossing, tmp_path):
        assert verify(at=now()).broken is None
        lines = list(exported_lines(Stretch(1, 4)))
        assert ["version" in line for line in lines] == [False, False, True, True]
        assert outsider(tmp_path, lines)[0] == 0

    @pytest.mark.parametrize(
        ("index", "change"),
        [
            (0, "version = 2"), (0, "person = 3"), (0, "role = 'auditor'"), (0, "agent = 'x'"),
            (0, "before = '{\"a\": 1}'"), (0, "after = '{\"a\": 1}'"), (3, "version = 1"),
            (2, "version = 1"), (2, "person = 4"), (2, "person = NULL"), (2, "role = 'auditor'"),
            (2, "agent = ''"), (2, "before = after"), (2, "after = '{}'"),
        ],
    )  # fmt: skip
    def test_what_is_changed_behind_the_triggers_is_named(self, crossing, index, change):
        entry = crossing[index]
        behind_the_triggers(
            f"UPDATE compliance_auditentry SET {change} WHERE id = %s",  # noqa: S608
            (entry.pk,),
        )

        assert verify(at=now()).broken == Break(Fault.ALTERED, entry.pk, index + 1)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("person", 4), ("role", "auditor"), ("agent", ""), ("before", {}), ("after", {}),
         ("version", 3), ("version", "2"), ("version", True)],
    )  # fmt: skip
    def test_what_is_changed_in_an_export_is_named(self, crossing, tmp_path, name, value):
        lines = list(exported_lines(Stretch(1, 4)))
        lines[2] = changed(lines[2], name, value)

        code, said = outsider(tmp_path, lines)
        assert (code, "line 3" in said) == (1, True)

    def test_the_database_takes_no_form_that_nobody_knows(self):
        with pytest.raises(IntegrityError, match="audit_entry_form_is_known"), transaction.atomic():
            prepared(_OLD.replace("', 1)", "', 3)"), [NOON, "1"])
