"""What the real web server answers in production, errors above all: headers, numbers, log lines.

It has neither a database nor a shared store here: a platform in trouble must still speak safely.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from paysite.launcher.running import free_port, granian
from tests.house.test_headers import directives

pytestmark = [pytest.mark.slow, pytest.mark.process]

AWAY: Final = "127.0.0.1:1"
PRODUCTION: Final = {
    "DEMO": "false", "BASE_URL": "https://pay.example", "ALLOWED_HOSTS": "pay.example",
    "SECRET_KEY": "kJ8dQ2mZ4xV7bN1cR5tY9wE3uI6oP0aSdF2gH4jK6lZ8xC0vB3nM5qW7eR9tY1uI",
    "FIELD_KEYS": "k1:" + "A" * 43 + "=", "TRUSTED_PROXIES": "1",
    "DATABASE_URL": f"postgres://nobody@{AWAY}/none?connect_timeout=1",
    "CACHE_URL": f"redis://{AWAY}/0", "BROKER_URL": f"redis://{AWAY}/1",
    "EMAIL_URL": f"smtp://{AWAY}", "DJANGO_SETTINGS_MODULE": "paysite.settings",
}  # fmt: skip
SECONDS: Final = 30.0


@dataclass(frozen=True)
class Told:
    """One answer as it came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: str


class Server:
    """One process of the platform and what it writes."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.output = data / "web.log"
        self.environ = {**os.environ, **PRODUCTION, "DATA_DIR": str(data)}

    def ask(self, path: str, *, verb: str = "GET", body: str = "", **headers: str) -> Told:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        sent = {
            "Host": "pay.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        line.request(verb, path, body=body or None, headers=sent)
        answer = line.getresponse()
        told = Told(answer.status, answer.headers, answer.read().decode(errors="replace"))
        line.close()
        return told

    def sign_in(self) -> Told:
        """Type a password as a browser would, from a form that this server gave out."""
        page = self.ask("/signin/")
        token, *_same = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        form = f"username=lin&password=hunter2hunter2&csrfmiddlewaretoken={token}"
        return self.ask(
            "/signin/", verb="POST", body=form, Cookie=cookie, Origin="https://pay.example",
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("production"))
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        env=server.environ, check=True, capture_output=True,
    )  # fmt: skip
    command = [sys.executable, "-m", *granian("127.0.0.1", server.port, workers=1)]
    with server.output.open("wb") as output:
        process = subprocess.Popen(command, env=server.environ, stdout=output, stderr=output)
    try:
        wait_until_it_answers(server)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def wait_until_it_answers(server: Server) -> None:
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        try:
            if server.ask("/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(server.output.read_text())


def faults_of(told: Told) -> list[str]:
    """What is missing in the headers of an answer, whatever it says."""
    policy = directives(told.headers.get("Content-Security-Policy", ""))
    good = {
        "policy": policy.get("default-src") == {"'none'"},
        "inline": not {"'unsafe-inline'", "'unsafe-eval'"} & set().union(*policy.values(), set()),
        "frames": policy.get("frame-ancestors") == {"'none'"},
        "old frames": told.headers.get("X-Frame-Options") == "DENY",
        "hsts": told.headers.get("Strict-Transport-Security")
        == "max-age=31536000; includeSubDomains; preload",
        "nosniff": told.headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": told.headers.get("Referrer-Policy") == "same-origin",
        "number": re.fullmatch("[0-9a-f]{32}", told.headers.get("X-Request-Id", "")) is not None,
        "says nothing of itself": "Traceback" not in told.body and AWAY not in told.body,
    }
    return [name for name, is_good in good.items() if not is_good]


def test_every_kind_of_error_carries_every_header(server):
    answers = {
        400: server.ask("/", Host="evil.example"),
        403: server.ask("/signin/", verb="POST", body="username=a"),
        404: server.ask("/nowhere"),
        405: server.ask("/signin/", verb="DELETE", Origin="https://pay.example"),
        413: server.ask("/signin/", verb="POST", body="x" * 1_100_000),
        500: server.ask("/account/", Cookie=f"sessionid={'a' * 32}"),
        503: server.sign_in(),
    }
    for _ in range(121):
        answers[429] = server.ask("/pay/nonsense/status")
    answers[405] = answers.pop(405)
    told = {status: answer.status for status, answer in answers.items() if status != 405}
    assert told == {status: status for status in told}
    assert {s: f for s, answer in answers.items() if (f := faults_of(answer))} == {}
    assert answers[500].headers["X-Request-Id"] in answers[500].body
    assert int(answers[503].headers["Retry-After"]) > 0
    assert int(answers[429].headers["Retry-After"]) > 0


def test_machines_are_answered_as_safely(server):
    answers = [
        server.ask("/api/v1/payments", Authorization="Bearer sk_live_" + "a" * 32),
        server.ask("/api/v1/nothing"),
        server.ask("/readyz"),
    ]
    assert [answer.status for answer in answers] == [503, 404, 503]
    wanted = {"policy", "frames", "old frames", "nosniff", "number", "says nothing of itself"}
    assert [set(faults_of(answer)) & wanted for answer in answers] == [set(), set(), set()]


def test_without_tls_nothing_is_answered_but_where_to_go(server):
    answer = server.ask("/signin/?next=/portal/", X_Forwarded_Proto="http")
    assert answer.status == 301
    assert answer.headers["Location"] == "https://pay.example/signin/?next=/portal/"


def test_every_line_of_the_process_is_one_object_without_secrets(server):
    server.ask(
        "/no%0Awhere?card=4111111111111111", Cookie="sessionid=seeded-session-value",
        User_Agent="browser 4111111111111111",
    )  # fmt: skip
    server.ask("/api/v1/payments", Authorization="Bearer sk_live_" + "s" * 32)
    lines = [json.loads(line) for line in server.lines]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    paths = {line.get("path") for line in lines}
    assert "/no\\nwhere" in paths
    asked = [line for line in lines if line["logger"] == "django.request"]
    assert all(len(str(line.get("request_id"))) == 32 for line in asked)
    text = server.output.read_text()
    seeded = ["hunter2", "seeded-session-value", "s" * 32, "4111111111111111"]
    assert [secret for secret in seeded if secret in text] == []
