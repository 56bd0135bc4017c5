"""What the reviewers' pages cost the database, with many merchants and their papers in it.

A page counts as its statements and the time until each is answered, the way to the server and back
included, so a little more than the database's own.
"""

import secrets
import statistics
import sys
import time
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp.oath import TOTP  # noqa: E402

from compliance.audit.actor import SYSTEM  # noqa: E402
from compliance.identity.devices import add_device  # noqa: E402
from compliance.identity.models import User  # noqa: E402
from compliance.identity.roles import grant_role  # noqa: E402
from compliance.identity.states import StaffRole  # noqa: E402
from compliance.limits import forget  # noqa: E402
from merchants.onboarding.models import Application  # noqa: E402
from paysite.demo.applicant import apply_for_one  # noqa: E402

MERCHANTS: Final = 10_000
PAPERS: Final = 10
"""Of each merchant."""
ROUNDS: Final = 5
STATEMENTS_MAX: Final = 20
MILLISECONDS_MAX: Final = 100.0

_MERCHANTS: Final = """
INSERT INTO merchants_merchant (public_id, name, status, may_live, callback_url,
       callback_secret_sealed, callback_secret_before_sealed, created_at)
SELECT 'mch_desk' || n, '溪亭文具' || n, CASE WHEN n %% 5 = 0 THEN 'in_review' ELSE 'active' END,
       false, '', '', '', now() - n * interval '1 minute'
  FROM generate_series(1, %(merchants)s) AS n
"""
_APPLICATIONS: Final = """
INSERT INTO merchants_application (public_id, merchant_id, state, entity, name, credit_code, round,
       created_at, submitted_at, ended_at, told)
SELECT 'apl_desk' || m.id, m.id, CASE m.status WHEN 'active' THEN 'approved' ELSE 'in_review' END,
       'enterprise', m.name || '有限公司', '8' || lpad(m.id::text, 17, '0'), 1,
       m.created_at, m.created_at,
       CASE m.status WHEN 'active' THEN m.created_at END, ''
  FROM merchants_merchant m WHERE m.public_id LIKE 'mch_desk%%'
"""
_FILES: Final = """
INSERT INTO compliance_storedfile (public_id, purpose, owner_kind, owner_id, name, media_type, size,
       sha256, received_sha256, facts, state, storage_name, key_sealed, uploaded_by, created_at)
SELECT 'doc_desk' || m.id || '_' || n, 'onboarding', 'merchant', m.public_id, 'paper.png',
       'image/png', 300000, sha256(m.id::text::bytea), sha256((m.id || '-' || n)::bytea), '{}',
       'clean', 'desk' || m.id || '_' || n, '', 'desk', m.created_at
  FROM merchants_merchant m, generate_series(1, %(papers)s) AS n
 WHERE m.public_id LIKE 'mch_desk%%'
"""
_DOCUMENTS: Final = """
INSERT INTO merchants_document (application_id, kind, file_id, valid_to, added_by_id, added_at)
SELECT a.id, 'licence', f.id, current_date + (a.id %% 900)::int, %(person)s, f.created_at
  FROM merchants_application a
  JOIN merchants_merchant m ON m.id = a.merchant_id
  JOIN compliance_storedfile f ON f.owner_kind = 'merchant' AND f.owner_id = m.public_id
 WHERE m.public_id LIKE 'mch_desk%%'
"""
_TERMS: Final = """
INSERT INTO merchants_term (merchant_id, kind, last_day, told, begun_at)
SELECT m.id, kind, current_date + (m.id %% 900)::int, 0, m.created_at
  FROM merchants_merchant m, unnest(ARRAY['licence', 'identity']) AS kind
 WHERE m.public_id LIKE 'mch_desk%%'
"""
_ANALYZE: Final = (
    "ANALYZE merchants_merchant, merchants_application, merchants_document, merchants_term,"
    " compliance_storedfile"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one answer cost."""

    statements: int
    milliseconds: float


@contextmanager
def counted() -> Iterator[list[float]]:
    """The milliseconds of each statement."""
    took: list[float] = []

    def watch(execute: Callable[..., Any], *given: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*given)
        finally:
            took.append((time.perf_counter() - started) * 1000)

    with connection.execute_wrapper(watch):
        yield took


def reviewer() -> tuple[User, Client]:
    """An operator, signed in with both factors."""
    password, secret = secrets.token_urlsafe(15), b32encode(secrets.token_bytes(20)).decode()
    now = timezone.now()
    user = User.objects.create_user(
        username="desk", email="desk@example.com", password=password, display_name="Desk"
    )
    add_device(user=user, secret=secret, actor=SYSTEM, at=now)
    grant_role(user=user, role=StaffRole.OPERATOR, actor=SYSTEM, at=now)
    client = Client(headers={"host": "localhost"})
    client.post("/signin/", {"username": "desk", "password": password})
    code = f"{TOTP(b32decode(secret)).token():06d}"
    client.post("/signin/code/", {"code": code})
    return user, client


def fill(person: User) -> None:
    """Merchants with applications, papers and terms, as rows."""
    with connection.cursor() as cursor:
        for statement in (_MERCHANTS, _APPLICATIONS, _FILES, _DOCUMENTS, _TERMS):
            cursor.execute(
                statement, {"merchants": MERCHANTS, "papers": PAPERS, "person": person.pk}
            )
        cursor.execute(_ANALYZE)


def pages() -> dict[str, str]:
    """The pages of the desk, by name."""
    queue = "/admin/merchants/application/"
    last = Application.objects.latest("pk")
    return {
        "queue": f"{queue}?show=queue",
        "queue, last page": f"{queue}?show=queue&p={MERCHANTS // 5 // 50}",
        "all applications": queue,
        "by state": f"{queue}?state__exact=approved",
        "by beginning of name": f"{queue}?q=溪亭文具99",
        "by credit code": f"{queue}?q=8{77:017d}",
        "one application": f"{queue}{last.pk}/change/",
        "merchants": "/admin/merchants/merchant/",
        "merchant by name": "/admin/merchants/merchant/?q=文具9999",
        "one merchant": f"/admin/merchants/merchant/{last.merchant_id}/change/",
        "renewals": "/admin/merchants/renewal/",
        "screening hits": "/admin/merchants/screeninghit/",
    }


def cost_of(client: Client, page: str) -> Cost:
    """The median of some answers, after one that warms up."""
    rounds = []
    for number in range(ROUNDS + 1):
        with counted() as took:
            answer = client.get(page)
        if answer.status_code != 200:
            raise SystemExit(f"bench: {page} answered {answer.status_code}.")
        if number:
            rounds.append(Cost(len(took), sum(took)))
    return Cost(
        max(one.statements for one in rounds),
        statistics.median(one.milliseconds for one in rounds),
    )


def measure() -> bool:
    """Fill, look at the pages, print the figures, and say whether each goal was reached."""
    forget()
    person, client = reviewer()
    fill(person)
    apply_for_one(at=timezone.now())
    sys.stdout.write(
        f"\n{MERCHANTS} merchants, {MERCHANTS * PAPERS} papers: at most {STATEMENTS_MAX} statements"
        f" and {MILLISECONDS_MAX:.0f} ms of the database for a page\n"
    )
    is_reached = True
    for name, page in pages().items():
        cost = cost_of(client, page)
        is_good = cost.statements < STATEMENTS_MAX and cost.milliseconds < MILLISECONDS_MAX
        is_reached = is_reached and is_good
        told = "" if is_good else "   MISSED"
        sys.stdout.write(f"{name:24}{cost.statements:>4}{cost.milliseconds:>9.1f} ms{told}\n")
    return is_reached


def main() -> None:
    """Measure, and fail beyond the goals."""
    is_reached = measure()
    connection.close()
    if not is_reached:
        raise SystemExit("bench: a page of the desk costs the database too much")


if __name__ == "__main__":
    main()
