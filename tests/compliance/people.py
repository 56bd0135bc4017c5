"""People who sign in, for stories of this folder and of others."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django_otp.oath import TOTP

from compliance.audit.actor import SYSTEM
from compliance.identity.devices import add_device
from compliance.identity.roles import grant_role
from compliance.identity.states import StaffRole
from compliance.models import User

PASSWORD = "spring tea before the rain"
SECRET = base64.b32encode(b"the secret of a app!").decode()
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def code_now(*, secret: str = SECRET, steps: int = 0) -> str:
    """What the person's authenticator shows now, or some steps of thirty seconds away."""
    totp = TOTP(base64.b32decode(secret))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


@dataclass(frozen=True)
class Person:
    """Someone with a password, and an authenticator unless this is their first sign-in."""

    user: User

    def type_password(self, client: Client, *, page: str = "", password: str = PASSWORD) -> Any:
        """The first step."""
        form = {"username": self.user.username, "password": password, "next": page}
        return client.post("/signin/", form)

    def sign_in(self, client: Client, *, page: str = "") -> Any:
        """Both steps."""
        self.type_password(client, page=page)
        return client.post("/signin/code/", {"code": code_now()})


def confirm(client: Client, asked: Any, *, code: str = "") -> Any:
    """Go through the step-up that a page asks for, to the page's own answer."""
    assert asked.status_code == 302, asked.status_code
    assert asked.url.startswith("/confirm/")
    passed = client.post(asked.url, {"code": code or code_now(steps=1)})
    assert passed.status_code == 302, passed.content.decode()
    ready = client.get(passed["Location"])
    form: dict[str, list[str]] = {}
    for name, value in ready.context["fields"]:
        form.setdefault(name, []).append(value)
    return client.post(ready.context["wanted"].path, form)


def hire(
    username: str = "lin", *, has_device: bool = True, roles: Sequence[str] = (), **more: Any
) -> Person:
    """A new person, with roles as if the installation had given them."""
    user = User.objects.create_user(
        username=username, email=f"{username}@example.com", password=PASSWORD,
        display_name=username.title(), **more,
    )  # fmt: skip
    if has_device:
        add_device(user=user, secret=SECRET, actor=SYSTEM, at=NOON)
    for role in roles:
        grant_role(user=user, role=StaffRole(role), actor=SYSTEM, at=NOON)
    if roles:
        user.refresh_from_db()
    return Person(user)
