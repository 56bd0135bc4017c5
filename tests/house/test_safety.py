"""A production platform refuses to start unsafely, and says in one line each what to mend."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from paysite.safety import faults


def settings(**changes):
    safe = {
        "DEMO": False, "DEBUG": False, "BASE_URL": "https://pay.example",
        "ALLOWED_HOSTS": ["pay.example"], "SECRET_KEY": "k" * 64, "INSTALLED_APPS": ["payments"],
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}},
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "CLAMD": "tcp://clamd.example:3310", "RECOGNISER": "none", "VAULT_SWEEP": "tell",
    }  # fmt: skip
    return SimpleNamespace(**(safe | changes))


def test_safe_settings_have_no_fault():
    assert faults(settings()) == []
    assert faults(settings(ALLOWED_HOSTS=[".example"])) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"DEBUG": True}, "DEBUG"),
        ({"BASE_URL": "http://pay.example"}, "https"),
        ({"ALLOWED_HOSTS": ["pay.example", "*"]}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ["pay.elsewhere"]}, "host of BASE_URL"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        (
            {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}},
            "CACHE_URL",
        ),
        ({"CLAMD": "tcp://clamd:many"}, "CLAMD"),
        ({"RECOGNISER": "paddle"}, "RECOGNISER"),
        ({"VAULT_SWEEP": "yes"}, "VAULT_SWEEP"),
        ({"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "EMAIL_URL"),
        ({"INSTALLED_APPS": ["payments.channels.sandbox.apps.SandboxConfig"]}, "sandbox"),
    ],
)
def test_each_unsafe_setting_is_one_line(change, word):
    [line] = faults(settings(**change))
    assert word in line
    assert "\n" not in line


def test_a_demo_may_do_all_of_it():
    assert faults(settings(DEMO=True, DEBUG=True, ALLOWED_HOSTS=["*"])) == []


def test_a_process_with_unsafe_settings_ends_at_once_with_every_line():
    unsafe = {
        "DEMO": "false", "DEBUG": "true", "BASE_URL": "http://pay.example",
        "ALLOWED_HOSTS": "pay.example", "SECRET_KEY": "x" * 64,
        "FIELD_KEYS": "k1:" + "A" * 43 + "=", "CACHE_URL": "", "EMAIL_URL": "",
    }  # fmt: skip
    here = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**here, **unsafe}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    assert lines[0] == "Paysite does not start like this:"
    assert [line.split(" ")[0] for line in lines[1:]] == [
        "DEBUG", "BASE_URL", "CACHE_URL", "EMAIL_URL",
    ]  # fmt: skip


def test_missing_secrets_are_lines_among_the_others():
    bare = {"DEMO": "false", "DEBUG": "true", "BASE_URL": "https://pay.example", "SECRET_KEY": "",
            "ALLOWED_HOSTS": "pay.example", "FIELD_KEYS": "", "CACHE_URL": "redis://127.0.0.1/1",
            "EMAIL_URL": "smtp://127.0.0.1:25"}  # fmt: skip
    here = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput"],
        env={**here, **bare}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode == 1
    assert [line.split(" ")[0] for line in lines[1:]] == ["SECRET_KEY", "FIELD_KEYS", "DEBUG"]
