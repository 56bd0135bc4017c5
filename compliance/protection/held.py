"""Secrets that rows hold for the platform's own use: sealed under a data key, bound to their place.

Rows from before data keys are sealed directly under the key-encryption key. They still open, and
`rotate_keys` moves them over.
"""

import logging
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from compliance.audit.actor import SYSTEM
from compliance.audit.trail import record
from compliance.limits import TooMany, spend
from compliance.protection.envelope import VERSION, Place, seal_at, unseal_at
from compliance.protection.errors import Unreadable
from compliance.protection.fields import unseal

log: Final = logging.getLogger(__name__)

MARK: Final = f"{VERSION}:"
"""How values under a data key begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A column with secrets of one purpose. `prefix` is what its oldest values are bound to."""

    table: str
    column: str
    purpose: str
    prefix: str

    def seal(self, secret: str, *, row: object) -> str:
        """What the row keeps. Called in the transaction that writes it."""
        return seal_at(secret, place=self._place(row), purpose=self.purpose)

    def open(self, value: str, *, row: object) -> str:
        """The secret. Raises KeyUnknown or Tampered, and then an entry in the trail says so."""
        try:
            return self.open_quietly(value, row=row)
        except Unreadable as error:
            self._alarm(str(row), error)
            raise

    def open_quietly(self, value: str, *, row: object) -> str:
        """The secret, for a rotation, which tells of its failures itself."""
        if value.startswith(MARK):
            return unseal_at(value, place=self._place(row))
        return unseal(value, bound_to=f"{self.prefix}:{row}")

    def _place(self, row: object) -> Place:
        return Place(self.table, self.column, str(row))

    def _alarm(self, row: str, error: Unreadable) -> None:
        where = f"{self.table}.{self.column}"
        log.critical("%s of %s does not open: %s", where, row, type(error).__name__)
        try:
            spend("trail.failure", f"held {where} {row}")
        except TooMany:
            return
        facts = {"column": where, "why": type(error).__name__}
        with transaction.atomic():
            record(SYSTEM, "secret.unreadable", subject=(self.table[:32], row[:64]), facts=facts)
