"""What lists, searches and the day cost the database among 5,000,000 payments.

Rows are filled in as rows, over ninety days, some hundred merchants and two channels; one merchant
has a fifth of them. Then each page is turned over at its first and its last place. The floor is a
bare page by key of the same table in the same round; what is compared with the goal is the time of
all statements of a page, the way to the server and back included.

Alone: `python -m bench.lists`, on a scratch database. BENCH_PAYMENTS makes it smaller.
"""

import os
import secrets
import statistics
import sys
import time
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import django

django.setup()

from django.core.cache import caches  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp.oath import TOTP  # noqa: E402

from bench.desk import counted  # noqa: E402
from compliance import database  # noqa: E402
from compliance.audit.actor import SYSTEM  # noqa: E402
from compliance.identity.devices import add_device  # noqa: E402
from compliance.identity.models import User  # noqa: E402
from compliance.identity.roles import grant_role  # noqa: E402
from compliance.identity.states import StaffRole  # noqa: E402
from compliance.limits import forget  # noqa: E402
from merchants.accounts.register import add_member, register_merchant  # noqa: E402
from merchants.accounts.states import Role  # noqa: E402
from merchants.models import Merchant  # noqa: E402
from payments.acquiring.today import today_of_all  # noqa: E402
from paysite.demo.channels import connect_sandbox  # noqa: E402

PAYMENTS: Final = int(os.environ.get("BENCH_PAYMENTS", "5000000"))
MERCHANTS: Final = 100
DAYS: Final = 90
ROUNDS: Final = int(os.environ.get("BENCH_LIST_ROUNDS", "21"))
MILLISECONDS_MAX: Final = 10.0
DAY_MILLISECONDS_MAX: Final = 1000.0
"""The day reads two days of events, and is kept for half a minute where all see it."""

_PAYMENTS: Final = """
INSERT INTO payments_payment (public_id, merchant_id, livemode, merchant_order_no, amount_minor,
       currency, subject, fingerprint, state, method, channel_id, channel_trade_no, created_at,
       expires_at, paid_at, closed_at)
SELECT 'pay_list' || n,
       (%(merchants)s::bigint[])[CASE WHEN n %% 5 = 0 THEN 1 ELSE 1 + n %% %(count)s END],
       false, 'L' || n, 1 + (n * 7919) %% 1000000, 'CNY', 'Order of tea', '\\x00',
       CASE WHEN n %% 8 = 0 THEN 'closed' ELSE 'paid' END,
       CASE WHEN n %% 3 = 0 THEN 'alipay' ELSE 'wechatpay' END,
       CASE WHEN n %% 3 = 0 THEN %(alipay)s::bigint ELSE %(wechatpay)s::bigint END, '42' || n, t,
       t + interval '1 hour', CASE WHEN n %% 8 <> 0 THEN t END, CASE WHEN n %% 8 = 0 THEN t END
  FROM generate_series(1, %(payments)s) AS n,
       LATERAL (SELECT %(now)s - (%(payments)s - n) * %(step)s::interval AS t) AS time
"""
_ATTEMPTS: Final = """
INSERT INTO payments_attempt (number, payment_id, channel_id, method, product, state, amount_minor,
       currency, gateway_number, created_at, expires_at, ended_at)
SELECT replace(public_id, '_', ''), id, channel_id, method, 'native',
       CASE state WHEN 'paid' THEN 'succeeded' ELSE 'closed' END, amount_minor, currency,
       channel_trade_no, created_at, expires_at, created_at
  FROM payments_payment WHERE public_id LIKE 'pay_list%%'
"""
_EVENTS: Final = """
INSERT INTO payments_event (public_id, merchant_id, livemode, type, subject, data, created_at)
SELECT replace(public_id, 'pay', 'evt'), merchant_id, livemode, 'payment.' || state, public_id,
       jsonb_build_object('id', public_id, 'object', 'payment', 'amount', amount_minor, 'currency',
         currency, 'subject', subject, 'status', state, 'created_at', created_at::text), created_at
  FROM payments_payment WHERE public_id LIKE 'pay_list%%' ORDER BY id
"""
_ANALYZE: Final = "VACUUM ANALYZE payments_payment, payments_attempt, payments_event"
_FLOOR: Final = "SELECT * FROM payments_payment ORDER BY id DESC LIMIT 51"


def person(name: str, *roles: StaffRole) -> tuple[User, Client]:
    """Somebody, signed in with both factors."""
    password, secret = secrets.token_urlsafe(15), b32encode(secrets.token_bytes(20)).decode()
    now = timezone.now()
    user = User.objects.create_user(
        username=name, email=f"{name}@example.com", password=password, display_name=name
    )
    add_device(user=user, secret=secret, actor=SYSTEM, at=now)
    for role in roles:
        grant_role(user=user, role=role, actor=SYSTEM, at=now)
    return user, sign_in(name, password, secret)


def sign_in(name: str, password: str, secret: str) -> Client:
    """A browser with a session."""
    client = Client(headers={"host": "localhost"})
    client.post("/signin/", {"username": name, "password": password})
    client.post("/signin/code/", {"code": f"{TOTP(b32decode(secret)).token():06d}"})
    return client


def fill(merchants: list[int]) -> None:
    """Payments, attempts and events, as rows."""
    connect_sandbox(actor=SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, id FROM payments_channel")
        channels = dict(cursor.fetchall())
        values = {
            "merchants": merchants, "count": len(merchants), "payments": PAYMENTS,
            "now": timezone.now(), "step": timedelta(days=DAYS) / PAYMENTS,
            "alipay": channels["alipay"], "wechatpay": channels["wechatpay"],
        }  # fmt: skip
        for statement in (_PAYMENTS, _ATTEMPTS, _EVENTS):
            cursor.execute(statement, values)
        cursor.execute(_ANALYZE)


def staff_pages() -> dict[str, str]:
    """Lists of the admin, by name."""
    today = timezone.localdate()
    month = f"from={today - timedelta(days=40)}&to={today - timedelta(days=10)}"
    narrowed = {
        "all": "", "closed": "state__exact=closed", "by method": "method=alipay",
        "none of a method": "method=unionpay", "by amount": "least=9000&most=9999",
        "rare amount": "least=9999.99", "by days": month,
        "days and state": f"{month}&state__exact=closed",
    }  # fmt: skip
    base = "/admin/payments/payment/?"
    pages = {}
    for name, query in narrowed.items():
        pages[f"staff: {name}"] = f"{base}{query}"
        pages[f"staff: {name}, last"] = f"{base}{query}&end=1"
    half = PAYMENTS // 2
    for name, number in {"ours": f"pay_list{half}", "order": f"L{half}", "gateway's": f"42{half}",
                         "nobody's": "nothing"}.items():  # fmt: skip
        pages[f"staff: search {name}"] = f"{base}q={number}"
    return pages


def own_pages() -> dict[str, str]:
    """Lists of the portal of the merchant with a fifth of all payments."""
    today = timezone.localdate()
    narrowed = {
        "all": "", "closed": "status=closed", "none pending": "status=pending",
        "by amount": "least=9000&most=9999",
        "by days": f"from={today - timedelta(days=40)}&to={today - timedelta(days=10)}",
    }  # fmt: skip
    base, pages = "/portal/payments/?", {}
    for name, query in narrowed.items():
        pages[f"portal: {name}"] = f"{base}{query}"
        pages[f"portal: {name}, last"] = f"{base}{query}&end=1"
    return {**pages, "portal: search": f"{base}q=L{PAYMENTS // 2 // 5 * 5}"}


def floor() -> float:
    """Milliseconds of a bare page by key."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(_FLOOR)
        cursor.fetchall()
    return (time.perf_counter() - started) * 1000


@contextmanager
def all_counted() -> Iterator[list[float]]:
    """The milliseconds of each statement, prepared ones too."""
    run = database._run  # noqa: SLF001  the only place that sees them
    with counted() as took:

        def watch(*given: Any) -> Any:
            started = time.perf_counter()
            try:
                return run(*given)
            finally:
                took.append((time.perf_counter() - started) * 1000)

        database._run = watch  # type: ignore[assignment]  # noqa: SLF001
        try:
            yield took
        finally:
            database._run = run  # noqa: SLF001


def told(name: str, ask: Callable[[], Any], *, most: float) -> bool:
    """Ask some rounds, print the line, and say whether the goal was reached."""
    floors, ours, statements = [], [], 0
    for number in range(ROUNDS + 1):
        bare = floor()
        with all_counted() as took:
            ask()
        statements = len(took)
        if number:
            floors.append(bare)
            ours.append(sum(took))
            statements = len(took)
    half, tail = statistics.median(ours), statistics.quantiles(ours, n=100)[98]
    ratio = half / statistics.median(floors)
    is_good = half <= most
    sys.stdout.write(
        f"{name:34}{statements:>4}{statistics.median(floors):>8.2f}{half:>9.2f}{ratio:>8.1f}"
        f"{tail:>9.2f} ms{'' if is_good else '   MISSED'}\n"
    )
    return is_good


def seen(client: Client, page: str) -> Callable[[], None]:
    """A look at a page, which must be there."""

    def look() -> None:
        answer = client.get(page)
        if answer.status_code != 200:
            raise SystemExit(f"bench: {page} answered {answer.status_code}.")

    return look


def measure() -> bool:
    """Fill, turn pages over, print the figures, and say whether each goal was reached."""
    forget()
    now = timezone.now()
    _office, wei = person("wei", StaffRole.OPERATOR)
    owner, lin = person("lin")
    merchants = [
        register_merchant(name=f"Bench Tea {n}", actor=SYSTEM, at=now).pk for n in range(MERCHANTS)
    ]
    add_member(user=owner, merchant_id=merchants[0], role=Role.OWNER, actor=SYSTEM, at=now)
    fill(merchants)
    own = Merchant.objects.get(pk=merchants[0]).name
    sys.stdout.write(
        f"\n{PAYMENTS:,} payments, a fifth of {own}: at most {MILLISECONDS_MAX:.0f} ms of the"
        f" database for a page\n{'':34}{'n':>4}{'floor':>8}{'ours':>9}{'ratio':>8}{'p99':>9}\n"
    )
    results = [told(name, seen(wei, page), most=MILLISECONDS_MAX)
               for name, page in staff_pages().items()]  # fmt: skip
    results += [told(name, seen(lin, page), most=MILLISECONDS_MAX)
                for name, page in own_pages().items()]  # fmt: skip
    caches["default"].clear()
    everybody = lambda: today_of_all(livemode=False, at=timezone.now())  # noqa: E731
    results.append(told("the day of all merchants", everybody, most=DAY_MILLISECONDS_MAX))
    results.append(told("portal: the day", seen(lin, "/portal/"), most=DAY_MILLISECONDS_MAX))
    return all(results)


def main() -> None:
    """Measure, and fail beyond the goals."""
    is_reached = measure()
    connection.close()
    if not is_reached:
        raise SystemExit("bench: a list costs the database too much")


if __name__ == "__main__":
    main()
