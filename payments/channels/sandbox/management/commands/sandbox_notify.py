"""`manage.py sandbox_notify`: the process that sends the sandbox gateways' notifications."""

import signal
import threading
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, close_old_connections

from payments.channels.sandbox.notifier import deliver_due

POLL_SECONDS: Final = 0.2
TROUBLE_SECONDS: Final = 2.0


class Command(BaseCommand):
    """Runs until it is told to stop; a database restart only delays it."""

    help = "Send the sandbox gateways' notifications until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` sends what is due now and ends."""
        parser.add_argument("--once", action="store_true", help="Send what is due now and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Poll, send, and stop between two rounds when asked to."""
        if options["once"]:
            self.stdout.write(f"{deliver_due()} sent")
            return
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        while not stop.is_set():
            try:
                wait = 0.0 if deliver_due() else POLL_SECONDS
            except OperationalError as error:
                self.stderr.write(f"database: {error}")
                close_old_connections()
                wait = TROUBLE_SECONDS
            stop.wait(wait)
