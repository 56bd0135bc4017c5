"""Passwords that somebody would guess: leaked ones, runs on the keyboard, names with a number."""

from collections.abc import Iterator
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

SCORE_MIN: Final = 3
"""Of 4, on zxcvbn's scale: it takes a hundred million guesses and more."""
LOOKED_AT_MAX: Final = 72
"""Nobody guesses what comes after so many characters, and looking takes its time."""
WORDS_HERE: Final = (
    "paysite", "payment", "zhifu", "zhifubao", "weixin", "woaini", "woaiwojia", "nihao", "mima",
    "wodemima", "zhongguo", "beijing", "shanghai", "laopo", "baobei", "1314", "520", "1314520",
    "5201314", "支付", "密码", "中国",
)  # fmt: skip
"""What people here build passwords from and the lists, which are English, lack."""


class NotGuessable:
    """A validator of Django's: measured with zxcvbn and its lists of leaked passwords, offline."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError when the password is easy to guess for somebody who knows whose it
        is.
        """
        found = zxcvbn(password[:LOOKED_AT_MAX], user_inputs=[*WORDS_HERE, *_words_of(user)])
        if found["score"] < SCORE_MIN:
            raise ValidationError(
                _(
                    "This password is easy to guess: it leaked somewhere, repeats itself, or"
                    " follows the keyboard. Take several words that do not belong together."
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """For pages that list the rules."""
        return _("Your password must not be easy to guess.")


def _words_of(user: object) -> Iterator[str]:
    for name in ("username", "display_name", "email"):
        value = str(getattr(user, name, "") or "")
        yield value
        yield from value.replace("@", " ").replace(".", " ").split()
