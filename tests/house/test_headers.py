"""Every address tells browsers to run, frame and send nothing that is not ours, whoever asks."""

import re

import pytest
from django.test import Client

from compliance.identity.states import StaffRole
from merchants.accounts.states import Role
from tests.cast import open_shop
from tests.house.addresses import ONLY_POST, addresses, path_of, things_of
from tests.house.test_rights import Visitor, browser_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

ASKING = (
    Visitor("nobody"),
    Visitor("tea owner", member=Role.OWNER),
    Visitor("compliance_officer", staff=StaffRole.COMPLIANCE_OFFICER),
    Visitor("administrator", staff=StaffRole.ADMINISTRATOR),
)


def directives(policy: str) -> dict[str, set[str]]:
    parts = [part.split() for part in policy.split(";") if part.strip()]
    return {part[0]: set(part[1:]) for part in parts}


INLINE = re.compile(rb"<script(?![^>]*src=)|<style|\son\w+=|style=\"")
OPEN = {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:"}


def faults_of(answer) -> list[str]:
    """What is wrong with the headers of one answer."""
    told = answer.headers
    policy = directives(told.get("Content-Security-Policy", ""))
    good = {
        "default-src": policy.get("default-src") == {"'none'"},
        "open sources": not any(OPEN & sources for sources in policy.values()),
        "script-src": policy.get("script-src", {"'self'"}) == {"'self'"},
        "frame-ancestors": policy.get("frame-ancestors") == {"'none'"},
        "frames": told.get("X-Frame-Options") == "DENY",
        "nosniff": told.get("X-Content-Type-Options") == "nosniff",
        "referrer": told.get("Referrer-Policy") in {"same-origin", "strict-origin", "no-referrer"},
    }
    if told.get("Content-Type", "").startswith("text/html"):
        good["permissions"] = "camera=()" in told.get("Permissions-Policy", "")
        good["inline script or style"] = INLINE.search(answer.content) is None
    return [name for name, is_good in good.items() if not is_good]


@pytest.mark.parametrize("visitor", ASKING, ids=lambda visitor: visitor.name)
def test_every_answer_carries_the_policy(visitor, tea):
    things = things_of(tea)
    client = browser_of(visitor, tea, open_shop("云间书店"))
    client.raise_request_exception = False
    wrong = {}
    for address in addresses():
        if address.name in {"identity:signout", "admin:logout"} or "sandbox" in address.name:
            continue
        path = path_of(address, things)
        answers = [client.get(path)]
        if address.name in ONLY_POST:
            answers.append(client.post(path))
        for answer in answers:
            if not answer.streaming and (found := faults_of(answer)):
                wrong[address.name] = found
    assert wrong == {}


def test_answers_to_nonsense_carry_it_too(tea):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answers = {
        "no such page": client.get("/nowhere"),
        "stale form": client.post("/signin/", {"username": "a"}),
        "wrong host": client.get("/", headers={"host": "evil.example"}),
        "too long": client.post("/signin/", "x" * 2_000_000, content_type="text/plain"),
        "wrong verb": client.delete("/signin/"),
        "no such call": client.get("/api/v1/nothing"),
        "no such payment": client.get("/pay/nonsense/"),
    }
    assert {name: faults_of(answer) for name, answer in answers.items() if faults_of(answer)} == {}
