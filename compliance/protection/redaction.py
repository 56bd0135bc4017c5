"""Takes out of a text what must not be read in logs. Pure rules.

Whoever writes a line should not put a secret into it; this is for the line that does it anyway, and
for exceptions, whose words nobody chose. Rather too much is taken out than too little.
"""

import re
from collections.abc import Callable
from typing import Final

GONE: Final = "***"

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"

_NAMES: Final = (
    r"(?:passw(?:or)?d|passphrase|secret|token|authori[sz]ation|cookie|credential|"
    r"api[_-]?key|private[_-]?key|access[_-]?key|sessionid|signature|totp|otp[_-]?code)[\w-]{0,40}"
)
"""Ends of the names of fields whose values are secret, whatever they look like."""
_IS: Final = r"(?:=>|[:=](?!>))\s*"


def _keep_first(found: re.Match[str]) -> str:
    return found[1] + GONE


def _identity(found: re.Match[str]) -> str:
    return GONE if is_identity_number(found[0]) else found[0]


def _card(found: re.Match[str]) -> str:
    return GONE if is_card_number(re.sub(r"\D", "", found[0])) else found[0]


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    # Longest first: what one rule takes out, no later one sees.
    (re.compile(r"(-----BEGIN [A-Z0-9 ]{1,40}-----)(?!\*).*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)",
                re.DOTALL), _keep_first),
    (re.compile(r"((?:set-)?cookie[\"']?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), _keep_first),
    (re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}", re.IGNORECASE), _keep_first),
    (re.compile(rf"({_NAMES}[\"']?\s*{_IS}b?\"(?!\*))(?:[^\"\\]|\\.)+", re.IGNORECASE),
     _keep_first),
    (re.compile(rf"({_NAMES}[\"']?\s*{_IS}b?'(?!\*))(?:[^'\\]|\\.)+", re.IGNORECASE),
     _keep_first),
    (re.compile(rf"({_NAMES}[\"']?\s*{_IS}(?!\*|bearer|basic))[^\s\"',;&)}}\]]+",
                re.IGNORECASE), _keep_first),
    (re.compile(r"(\b(?:sk_(?:test|live)|whsec)_)[\w+/=-]+"), _keep_first),
    (re.compile(r"(\w://[^/\s:@]*:)[^@\s/]+(?=@)"), _keep_first),
    # Of a checkout page: the payment's number stays, the proof goes. Of a link by e-mail: all.
    (re.compile(r"((?<![0-9a-z])[0-9a-hjkmnp-tv-z]{26})[0-9a-f]{22}(?![0-9a-z])"), _keep_first),
    (re.compile(r"(/(?:link/[\w-]+|help/tickets)/)[\w-]{16,}"), _keep_first),
    (re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])"), _identity),
    (re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){14,18}(?![0-9A-Za-z])"), _card),
    (re.compile(r"(?<![0-9A-Za-z])((?:\+?86[ -]?)?1[3-9][0-9])[ -]?[0-9]{4}[ -]?[0-9]{4}"
                r"(?![0-9A-Za-z])"), _keep_first),
)  # fmt: skip


def redacted(text: str) -> str:
    """The text without secrets, identity numbers, cards and mobile numbers."""
    for shape, replace in _RULES:
        text = shape.sub(replace, text)
    return text


def is_identity_number(text: str) -> bool:
    """Whether eighteen characters are a resident's number: the last proves the others."""
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == text[-1].upper()


def is_card_number(digits: str) -> bool:
    """Whether the last digit proves the others, as Luhn's rule has it."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 -- the sum of two digits
    return total % 10 == 0
