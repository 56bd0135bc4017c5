"""Error pages wear the look, carry the policy, and need no database."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path


def forbid(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def suspect(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def break_down(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


def accept(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("forbid", forbid), path("suspect", suspect), path("break", break_down),
    path("accept", accept),
]  # fmt: skip

pytestmark = pytest.mark.urls(__name__)
"""No story here may touch the database: the runner forbids it unless it is asked for."""


@pytest.fixture
def browser() -> Client:
    return Client(
        enforce_csrf_checks=True,
        raise_request_exception=False,
        headers={"accept-language": "en"},
    )


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/suspect", 400, "This request cannot be read"),
        ("/forbid", 403, "You may not see this page"),
        ("/nowhere", 404, "There is no such page"),
        ("/break", 500, "Something broke on our side"),
    ],
)
def test_an_error_says_what_happened_and_what_to_do(browser, address, status, words):
    answer = browser.get(address)
    shown = answer.content.decode()

    assert answer.status_code == status
    assert words in shown
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "css/tokens.css" in shown
    assert 'href="/"' in shown
    assert "broken on purpose" not in shown
    assert not answer.cookies


def test_a_stale_form(browser):
    answer = browser.post("/accept")
    assert answer.status_code == 403
    assert "Nothing was changed." in answer.content.decode()


def test_chinese_is_the_rule(browser):
    assert 'lang="zh-hans"' in Client().get("/nowhere").content.decode()
