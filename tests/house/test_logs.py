"""Log lines: one for each thing that happened, whatever strangers write, and without secrets."""

import io
import json
import logging
import os
import subprocess
import sys

import pytest
from celery import shared_task
from celery.signals import before_task_publish
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.test import Client
from django.urls import path

from compliance.trace import note, traced
from paysite.logs import JsonLine, ReadableLine
from paysite.requests import broken

SHAPES = {
    "sk_live_0123456789abcdefghijklmnopqrstuv",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "11010519491231002X",
    "4111111111111111",
    "13800138000",
}
SECRETS = {*SHAPES, "hunter2"}
JUNK = b"\x00\xff\xfe\n\x1b[2J\r\n".decode(errors="surrogateescape") + "\u2028\u202e\x85"
FORGED = '\n2026-11-23T04:00:00Z CRITICAL paysite all is lost\n{"level": "CRITICAL"}'


def break_down(request: HttpRequest) -> HttpResponse:
    word = "hunter" + "2"
    raise RuntimeError(f"password={word} {' '.join(SHAPES)} {JUNK}{FORGED}")


def fine(request: HttpRequest) -> HttpResponse:
    note(person=7, merchant="mch_1")
    return HttpResponse("ok")


urlpatterns = [path("break", break_down), path("fine", fine)]
handler500 = broken

pytestmark = pytest.mark.urls(__name__)


class Written:
    """What a process wrote with one of the two ways."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(params=[JsonLine, ReadableLine])
def either(request):
    yield from _attached(Written(request.param()))


@pytest.fixture
def written():
    yield from _attached(Written(JsonLine()))


def _attached(written):
    root = logging.getLogger()
    root.addHandler(written.handler)
    level = root.level
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(written.handler)
    root.setLevel(level)


@pytest.fixture
def browser(settings) -> Client:
    settings.ACCESS_LOG = True
    return Client(raise_request_exception=False, headers={"accept-language": "en"})


def test_a_fault_is_one_line_with_the_number_that_its_page_shows(browser, written):
    answer = browser.get("/break?card=4111111111111111", headers={"user-agent": "x" + FORGED})

    number = answer["X-Request-Id"]
    assert number in answer.content.decode()
    fault, told = written.lines
    assert fault["exception"].splitlines()[0] == "Traceback (most recent call last):"
    assert fault["level"], fault["logger"] == ("ERROR", "django.request")
    assert told["message"] == "answered"
    assert told["status"] == 500
    assert told["path"] == "/break"
    assert fault["request_id"] == told["request_id"] == number


def test_no_line_holds_a_secret(browser, either):
    browser.get("/break?password=hunter2")
    log = logging.getLogger("payments.anything")
    log.error("credentials %r", {"app_secret": "hunter2"})
    log.warning("given %s", SHAPES, extra={"status": 400})
    assert [secret for secret in SECRETS if secret in either.text] == []
    assert "***" in either.text


def test_nothing_from_outside_begins_a_line(browser, either):
    browser.get("/nowhere%0A2026-11-23T04:00:00Z%20CRITICAL%20x%1B[2J")
    browser.get("/break")
    with traced(request_id="r", path="/" + FORGED, person=JUNK):
        logging.getLogger("some").warning("user %s signs in as %s", FORGED, JUNK)
    for line in either.text.split("\n"):
        assert line.isprintable()
        assert not line.startswith(("2026-11-23T04:00:00Z CRITICAL", '{"level": "CRITICAL"'))
    assert "all is lost" in either.text


def test_every_line_is_json_and_says_who_and_how_long(browser, written):
    browser.get("/fine?secret=1")
    [line] = written.lines
    assert line["person"] == 7
    assert line["merchant"] == "mch_1"
    assert line["method"] == "GET"
    assert line["path"] == "/fine"
    assert line["status"] == 200
    assert line["duration_ms"] >= 0
    assert line["time"].endswith("+00:00")


def test_nobody_is_left_over_for_the_next_request(browser, written):
    browser.get("/fine")
    browser.get("/nowhere")
    assert "person" not in written.lines[-1]


def test_a_line_that_cannot_be_put_together_is_not_lost(either):
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    for message, *facts in [("two %s %s", "one"), ("shy %s", Shy()), ("x" * 1_000_000,)]:
        line = logging.LogRecord("some", logging.WARNING, "here", 1, message, tuple(facts), None)
        with traced(request_id="r", person=float("nan")):
            either.handler.handle(line)
    assert len(either.text.splitlines()) == 3
    assert max(map(len, either.text.splitlines())) < 6_000
    assert "two %s %s (its facts could not be shown)" in either.text


def test_a_page_about_faults_that_is_at_fault_still_says_the_number(browser, monkeypatch):
    def broken_too(name: str) -> object:
        raise ValueError("no manifest")

    monkeypatch.setattr(loader, "get_template", broken_too)
    answer = browser.get("/break")
    assert answer.status_code == 500
    assert answer["X-Request-Id"] in answer.content.decode()


@pytest.mark.parametrize(
    ("proxies", "told", "is_taken"),
    [
        (0, "0123456789abcdef", False),
        (1, "0123456789abcdef", True),
        (1, "short", False),
        (1, "x" * 65, False),
        (1, "0123456789\nabcdef", False),
        (1, "0123456789 abcdef", False),
        (1, "０１２３４５６７８９", False),
    ],
)
def test_only_a_proxy_of_ours_names_a_request_and_only_well(
    browser, settings, proxies, told, is_taken
):
    settings.TRUSTED_PROXIES = proxies
    answer = browser.get("/fine", headers={"x-request-id": told})
    assert (answer["X-Request-Id"] == told) is is_taken
    assert len(answer["X-Request-Id"]) == (16 if is_taken else 32)


@shared_task(name="tests.tell")
def tell(secret: str) -> None:
    logging.getLogger("tests.tell").info("told")
    raise RuntimeError(f"with {secret}")


def test_a_request_s_number_goes_along_with_a_task(written):
    headers: dict[str, str] = {}
    with traced(request_id="number-of-request"):
        before_task_publish.send(sender="tests.tell", headers=headers)
    tell.apply(args=("sk_live_0123456789abcdefghijklmnopqrstuv",), headers=headers)
    logging.getLogger("tests.tell").info("after")

    told, failed, after = written.lines
    assert told["request_id"] == "number-of-request"
    assert told["task"] == "tests.tell"
    assert "Traceback" in failed["exception"]
    assert "sk_live_0123" not in written.text
    assert "request_id" not in after


def test_arguments_of_tasks_that_nobody_knows_are_cleaned(written):
    logging.getLogger("celery.worker").error(
        "Received unregistered task. The message: %r", {"args": ["whsec_MfKQ9r8GKYqrTwjUPD"]}
    )
    assert "MfKQ" not in written.text


PRODUCTION = {
    "DEMO": "false", "BASE_URL": "https://pay.example", "SECRET_KEY": "k" * 64,
    "ALLOWED_HOSTS": "pay.example", "FIELD_KEYS": "k1:" + "A" * 43 + "=",
    "CACHE_URL": "redis://127.0.0.1:1/1", "EMAIL_URL": "smtp://127.0.0.1:25",
}  # fmt: skip
SCRIPT = """
import logging, warnings, django
django.setup()
warnings.warn("old\\nthing")
logging.getLogger("payments").error("one\\ntwo sk_live_0123456789abcdef")
logging.getLogger("_granian").warning("worker died")
"""


def test_a_process_in_production_writes_one_object_a_line():
    here = {**os.environ, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "paysite.settings"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=here, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["logger"] for line in lines} >= {"py.warnings", "payments", "_granian"}
    assert "0123456789" not in done.stderr
