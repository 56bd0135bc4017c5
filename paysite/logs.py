"""How log lines look: one JSON object a line in production, a readable line in the demo.

In both, nothing from outside begins a line of its own, and secrets are taken out last of all: when
the message, the facts and the exception stand there as they would be written.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from compliance.protection.redaction import redacted
from compliance.trace import trace
from paysite.env import env

MESSAGE_CHARACTERS_MAX: Final = 4_000
EXCEPTION_CHARACTERS_MAX: Final = 16_000
READ_CHARACTERS_MAX: Final = 50_000
"""Longer texts are cut before anything searches them, and far shorter afterwards."""

_FACTS: Final = ("status", "duration_ms")
"""What a caller may add to one line by `extra`."""
_REST: Final = "\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
_INVISIBLE: Final = re.compile(rf"[\x00-\x1f{_REST}]")
_INVISIBLE_BUT_NEWLINES: Final = re.compile(rf"[\x00-\x09\x0b-\x1f{_REST}]")


def on_one_line(text: str) -> str:
    """Everything that a terminal or a reader of lines would obey, written as what it is."""
    return _INVISIBLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "backslashreplace").decode()


class Line(logging.Formatter):
    """What both ways of writing share."""

    def message_of(self, record: logging.LogRecord) -> str:
        """The words of a line; a line that cannot be put together must not be lost."""
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 -- any value may refuse to be shown
            text = f"{record.msg!s} (its facts could not be shown)"
        cleaned = on_one_line(redacted(text[:READ_CHARACTERS_MAX]))
        return cleaned[:MESSAGE_CHARACTERS_MAX]

    def exception_of(self, record: logging.LogRecord) -> str:
        """The traceback with its lines; its end says most."""
        text = ""
        if record.exc_info and record.exc_info[0] is not None:
            text = self.formatException(record.exc_info)
        elif record.exc_text:
            text = record.exc_text
        if record.stack_info:
            text += "\n" + self.formatStack(record.stack_info)
        cleaned = redacted(text[-READ_CHARACTERS_MAX:])
        return _INVISIBLE_BUT_NEWLINES.sub(_escape, cleaned)[-EXCEPTION_CHARACTERS_MAX:]

    def facts_of(self, record: logging.LogRecord) -> dict[str, Any]:
        """What is known of the request or task, and what the caller added."""
        facts: dict[str, Any] = {}
        # Django tells of a refused request when it is over already.
        if number := getattr(getattr(record, "request", None), "request_id", ""):
            facts["request_id"] = _shown(number)
        for name, value in trace().items():
            facts[name] = value if isinstance(value, int) else _shown(value)
        facts |= {name: getattr(record, name) for name in _FACTS if hasattr(record, name)}
        if "status" not in facts and isinstance(status := getattr(record, "status_code", 0), int):
            facts |= {"status": status} if status else {}
        return facts


def _shown(value: object) -> str:
    return on_one_line(redacted(str(value)[:MESSAGE_CHARACTERS_MAX]))


class JsonLine(Line):
    """For programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """One object, in plain ASCII."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message_of(record),
            **self.facts_of(record),
        }
        if exception := self.exception_of(record):
            line["exception"] = exception
        return json.dumps(line, default=str, allow_nan=False)


class ReadableLine(Line):
    """For people in front of a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, words; lines of a traceback stand behind a bar."""
        told = " ".join(f"{name}={value}" for name, value in self.facts_of(record).items())
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{time} {record.levelname} {record.name} {self.message_of(record)}"
        if told:
            line += f" [{told}]"
        return "\n    | ".join([line, *self.exception_of(record).splitlines()])


def line_here() -> logging.Formatter:
    """For the web server's first process, which never reads the settings."""
    return ReadableLine() if env.bool("DEMO", default=False) else JsonLine()


def logging_settings(*, is_demo: bool) -> Mapping[str, Any]:
    """The value of Django's LOGGING. Every line of the platform goes through one handler."""
    quiet = {"handlers": [], "propagate": True, "level": "WARNING"}
    plain = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": ReadableLine if is_demo else JsonLine}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            # Django would mail faults with all their settings and values.
            "django": plain,
            "django.server": plain,
            "_granian": quiet,
            "granian.access": quiet,
            "axes": quiet,
            "celery": quiet,
            "httpx": quiet,
            "httpcore": quiet,
            "kombu": quiet,
            "fontTools": quiet,
            "pyhanko": quiet,
            "weasyprint": quiet,
        },
    }
