"""`manage.py seed_demo`: fill an empty demo platform, and write DATA_DIR/demo.json."""

import json
import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.audit.actor import SYSTEM
from merchants.models import Merchant
from paysite.demo.applicant import apply_for_one
from paysite.demo.channels import connect_sandbox
from paysite.demo.evenings import begin_evenings
from paysite.demo.history import DAYS, make_history
from paysite.demo.people import ask_for_a_colleague, make_cast
from paysite.demo.screening import load_invented_list


class Command(BaseCommand):
    """Safe to run at every start: an existing demo is kept, only addresses are brought up to
    date.
    """

    help = "Create demo merchants, staff, sandbox channels and ninety days of history."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside demo mode; otherwise do what is missing."""
        if not settings.DEMO:
            raise CommandError("The demo data is for demo mode only: set DEMO=true.")
        connect_sandbox(actor=SYSTEM)
        load_invented_list(at=timezone.now())
        path = settings.DATA_DIR / "demo.json"
        if Merchant.objects.exists():
            if not path.exists():
                raise CommandError(
                    f"There is data, but {path} is gone, and its secrets cannot be read back. "
                    "Remove the data folder to start anew."
                )
            self._write(json.loads(path.read_text()))
            return
        now = timezone.now()
        cast = make_cast(at=now - timedelta(days=DAYS + 1))
        cast.document["users"]["applicant"] = apply_for_one(at=now - timedelta(hours=5))
        self._write(cast.document)
        count = make_history(cast.merchants, now=now)
        begin_evenings(now=now)
        ask_for_a_colleague(cast.merchants[0], at=now)
        self.stdout.write(f"Created {count} payments over {DAYS} days.")

    def _write(self, document: dict[str, Any]) -> None:
        document = {
            "base_url": settings.BASE_URL,
            **document,
            "sandbox": {"control_url": f"{settings.BASE_URL}/sandbox/control/"},
        }
        document["base_url"] = settings.BASE_URL
        path = settings.DATA_DIR / "demo.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file, ensure_ascii=False, indent=2)
