"""The platform's settings as tests and type checks see them: quick hashing, mail in memory."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("DEMO", "true")

from paysite.settings import *  # noqa: F403 -- the line above must come first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
EVEN_ANSWER_SECONDS = 0
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "vault": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Static files come from where they lie: tests collect none.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
# Each process of the test runner counts for itself; "shared" is the store where a platform counts.
CACHES["shared"] = {**CACHES["default"], "KEY_PREFIX": f"test{os.getpid()}"}  # noqa: F405
CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}  # noqa: F405
# A table of sealed columns for stories, and nothing else.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.compliance.cards"]  # noqa: F405
# Each process its own: a story's chain is not the next one's.
AUDIT_ANCHOR_FILE = Path(tempfile.gettempdir()) / f"paysite-audit-heads-{os.getpid()}.jsonl"
