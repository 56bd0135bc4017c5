"""People who sign in, for stories of this folder and of others."""

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django_otp.oath import TOTP

from compliance.audit.actor import SYSTEM
from compliance.identity.devices import add_device
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


def hire(username: str = "lin", *, has_device: bool = True, **more: Any) -> Person:
    """A new person."""
    user = User.objects.create_user(
        username=username, email=f"{username}@example.com", password=PASSWORD,
        display_name=username.title(), **more,
    )  # fmt: skip
    if has_device:
        add_device(user=user, secret=SECRET, actor=SYSTEM, at=NOON)
    return Person(user)
