"""`manage.py grant_role`: give the first people of an installation their roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from compliance.identity.errors import RoleRefused
from compliance.identity.models import User
from compliance.identity.roles import grant_role, is_founded
from compliance.identity.states import StaffRole


class Command(BaseCommand):
    """It closes itself: once two people can change roles by an approval, it refuses."""

    help = "Give a role to one of the first people. Later on, roles are given by an approval."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who gets which role."""
        parser.add_argument("username")
        parser.add_argument("role", choices=[str(role) for role in StaffRole])

    def handle(self, *args: Any, **options: Any) -> None:
        """Grant, or say why not."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"Nobody is called {options['username']}.")
        if is_founded():
            raise CommandError(
                "There are people who can give roles by an approval: ask them, in the"
                " administration."
            )
        role = StaffRole(options["role"])
        try:
            grant_role(
                user=user, role=role, actor=SYSTEM, at=timezone.now(),
                reason="given on the server, before anybody could approve it",
            )  # fmt: skip
        except RoleRefused as refusal:
            raise CommandError(f"Refused: {refusal.code} {refusal.other}".rstrip()) from None
        self.stdout.write(f"{user.username} is now {role}.")
