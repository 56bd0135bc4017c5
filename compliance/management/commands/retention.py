"""`manage.py retention`: what is kept how long, and what is due. It changes nothing."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from compliance.retention.erase import look_through


class Command(BaseCommand):
    """A dry run: erasing is asked for on the compliance desk, and agreed to by somebody else."""

    help = "Show what is kept how long and what is due. Changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per class."""
        for one in look_through(at=timezone.now()):
            term = "for ever" if one.kept.term is None else f"{one.kept.term.days} days"
            count = "by itself" if one.count is None else f"{one.count} due"
            self.stdout.write(f"{one.kept.name:12} {term:12} {count:12} {one.kept.basis}")
