"""Who holds the key-encryption keys: the interface, and the service that reads FIELD_KEYS."""

import base64
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from compliance.protection.fields import key_id_of, seal, unseal
from compliance.protection.keys import keys


class KeyService(Protocol):
    """Wraps data keys so that the database alone opens nothing. A vault or HSM fits behind it."""

    def wrap(self, key: bytes, *, context: str) -> str:
        """Encrypt a data key under the current key-encryption key, bound to `context`."""

    def unwrap(self, wrapped: str, *, context: str) -> bytes:
        """Decrypt what `wrap` made for the same context. Raises KeyUnknown or Tampered."""

    def is_current(self, wrapped: str) -> bool:
        """Whether the current key-encryption key wrapped this."""

    def names(self) -> list[str]:
        """The ids of the key-encryption keys, the current one first."""


class LocalKeys:
    """Keys from the environment (FIELD_KEYS) or from a file (FIELD_KEYS_FILE)."""

    def wrap(self, key: bytes, *, context: str) -> str:
        """See KeyService."""
        return seal(base64.b64encode(key).decode(), bound_to=context)

    def unwrap(self, wrapped: str, *, context: str) -> bytes:
        """See KeyService."""
        return base64.b64decode(unseal(wrapped, bound_to=context))

    def is_current(self, wrapped: str) -> bool:
        """See KeyService."""
        return key_id_of(wrapped) == self.names()[0]

    def names(self) -> list[str]:
        """See KeyService."""
        return list(keys())


@cache
def _service(path: str) -> KeyService:
    service: KeyService = import_string(path)()
    return service


def key_service() -> KeyService:
    """The service that the settings name."""
    return _service(settings.KEY_SERVICE)
