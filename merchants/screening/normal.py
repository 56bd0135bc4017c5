"""Spellings of a name made alike, how it sounds in Pinyin, and the keys it is looked up by. Pure.

What counts as the same is decided here and in `matching`; whoever changes either raises ALGORITHM.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice, product
from typing import Final

import opencc
from pypinyin import lazy_pinyin

from merchants.screening.readings import (
    COMPOUND_READINGS,
    COMPOUND_SURNAMES,
    LOOKS_LIKE,
    READINGS,
    SUFFIXES,
)

READINGS_MAX: Final = 8
"""How many ways to read one name are looked at."""
DELETIONS_FROM_HAN: Final = 4
DELETIONS_FROM_LETTERS: Final = 6
"""Shorter names with one sign wrong are other names."""
DELETIONS_MAX: Final = 40
ENDS_FROM: Final = 16
ENDS_LENGTH: Final = 12
"""Of what is long, so many signs at either end are a key: there may be more than one wrong sign."""
SKELETON_FROM: Final = 4

_UMLAUTS: Final = (("lyu", "lu"), ("nyu", "nu"), ("lv", "lu"), ("nv", "nu"))
_JOINING: Final = "'’·・‧•"
"""Signs inside one name."""
_VOWELS: Final = frozenset("aeiouyw")
_OLD_IDENTITY: Final = 15
_IDENTITY: Final = 18
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SIGNS: Final = "10X98765432"

_to_simplified: Final = opencc.OpenCC("t2s")


class Entity(StrEnum):
    """Whose name it is."""

    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Form:
    """One name, ready to be compared."""

    exact: str
    """As written, but for case, width and spaces at the ends."""
    plain: str
    """Simplified, without spaces, punctuation and a company's suffix."""
    shape: str
    """`plain`, with one sign for all that look alike."""
    sounds: tuple[str, ...]
    """Pinyin without tones: each reading in each order of surname and given name."""
    is_han: bool
    """Written in Chinese characters, which say more than their sound."""


@lru_cache(maxsize=4096)
def form_of(name: str, entity: Entity) -> Form:
    """Make a name comparable. What holds no letter at all has an empty `plain`."""
    words = _words(name)
    if entity is Entity.COMPANY:
        words = _without_suffix(words)
    plain = "".join(words)
    return Form(
        exact=" ".join(unicodedata.normalize("NFKC", name).casefold().split()),
        plain=plain,
        shape=plain.translate(LOOKS_LIKE),
        sounds=tuple(dict.fromkeys(_sounds(words, entity))),
        is_han=any(_is_han(sign) for sign in plain),
    )


def keys_of(form: Form, entity: Entity) -> frozenset[int]:
    """Numbers: two names that `matching` would hold share one; weaker ones mostly do."""
    return frozenset(_number(text) for text in _key_texts(form, entity))


def ends_of(text: str) -> tuple[str, ...]:
    """The beginning and the end of a long text; nothing of a short one."""
    return (text[:ENDS_LENGTH], text[-ENDS_LENGTH:]) if len(text) >= ENDS_FROM else ()


def consonants(form: Form) -> str:
    """The consonants of letters, in an order that the order of words does not change."""
    return "".join(sorted(sign for sign in form.plain if sign not in _VOWELS))


def identity_key(digest: bytes) -> int:
    """The key by which the digest of an identity number is looked up."""
    return _number(f"i{digest.hex()}")


def identity_of(number: str) -> str:
    """One spelling of an identity number; the fifteen digits of before 1999 become eighteen."""
    folded = unicodedata.normalize("NFKC", number).upper()
    text = "".join(sign for sign in folded if sign.isalnum())
    if len(text) != _OLD_IDENTITY or not (text.isascii() and text.isdecimal()):
        return text
    longer = f"{text[:6]}19{text[6:]}"
    total = sum(int(digit) * weight for digit, weight in zip(longer, _WEIGHTS, strict=True))
    return longer + _CHECK_SIGNS[total % 11]


def birth_of(identity: str) -> str:
    """The date of birth that a Chinese identity number holds (GB 11643), or nothing."""
    digits = identity[:17]
    if len(identity) != _IDENTITY or not (digits.isascii() and digits.isdecimal()):
        return ""
    year, month, day = identity[6:10], identity[10:12], identity[12:14]
    is_date = "1900" <= year <= "2100" and "01" <= month <= "12" and "01" <= day <= "31"
    return f"{year}-{month}-{day}" if is_date else ""


def _words(name: str) -> list[str]:
    """Letters and digits only, in words."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    kept = (_sign(sign) for sign in folded)
    composed = unicodedata.normalize("NFKC", "".join(kept))
    simplified: str = _to_simplified.convert(composed)
    return simplified.split()


def _sign(sign: str) -> str:
    """Letters and digits stay; marks and what nobody sees go; the rest parts words."""
    match unicodedata.category(sign)[0]:
        case "L" | "N":
            return sign
        case "M" | "C":
            return "" if not sign.isspace() else " "
        case _:
            return "" if sign in _JOINING else " "


def _without_suffix(words: list[str]) -> list[str]:
    """What is left of a company's name without its legal form, never nothing."""
    while len(words) > 1 and words[-1] in SUFFIXES:
        words = words[:-1]
    *before, last = words or [""]
    while suffix := next((s for s in SUFFIXES if _is_han(s[0]) and last.endswith(s)), ""):
        if last == suffix:
            break
        last = last.removesuffix(suffix)
    return [*before, last] if last else before


def _sounds(words: Sequence[str], entity: Entity) -> Iterator[str]:
    is_person = entity is Entity.PERSON
    syllables = [part for word in words for part in _syllables(word)]
    if not syllables:
        return
    if not is_person:  # Companies are called by words, which are read in one way.
        syllables = [readings[:1] for readings in syllables]
    joined = "".join(words)
    surname = 2 if joined.startswith(COMPOUND_SURNAMES) else 1
    readings: list[tuple[str, ...]] = list(islice(product(*syllables), READINGS_MAX))
    if compound := COMPOUND_READINGS.get(joined[:2]):
        readings.append((*compound, *readings[0][2:]))
    for reading in readings:
        yield _folded("".join(reading))
        if not is_person:
            continue
        yield _folded("".join((*reading[surname:], *reading[:surname])))
        if not _is_han(joined[0]):
            yield _folded("".join((*reading[-1:], *reading[:-1])))


def _syllables(word: str) -> Iterator[tuple[str, ...]]:
    """The readings of each character; letters stay together."""
    if not any(_is_han(sign) for sign in word):
        yield (word,)
        return
    read = lazy_pinyin(word)
    if len(read) != len(word):  # Letters among the characters.
        yield from ((part,) for part in read)
        return
    for sign, sound in zip(word, read, strict=True):
        yield tuple(dict.fromkeys((sound, *READINGS.get(sign, ()))))


def _folded(sound: str) -> str:
    """Passports write LYU and LU for what keyboards write lv."""
    for written, folded in _UMLAUTS:
        sound = sound.replace(written, folded)
    return sound


def _key_texts(form: Form, entity: Entity) -> Iterator[str]:
    if not form.plain:
        return
    yield f"n{form.plain}"
    yield f"h{form.shape}"
    yield from (f"s{sound}" for sound in form.sounds)
    if form.is_han:
        yield from _deletions(form.shape, DELETIONS_FROM_HAN)
    for sound in form.sounds:
        yield from _deletions(sound, DELETIONS_FROM_LETTERS)
    if not form.is_han and len(skeleton := consonants(form)) >= SKELETON_FROM:
        yield f"c{skeleton}"


def _deletions(text: str, shortest: int) -> Iterator[str]:
    """The text, and it without each of its signs: two that are one edit apart share one of them."""
    if len(text) < shortest:
        return
    yield from (f"{side}{end}" for side, end in zip("az", ends_of(text), strict=False))
    if len(text) <= DELETIONS_MAX:
        yield f"d{text}"
        yield from (f"d{text[:index]}{text[index + 1 :]}" for index in range(len(text)))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


def _is_han(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("CJK ") or sign == "\u3007"
