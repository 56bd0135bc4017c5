"""Fields of a resident's identity card (居民身份证) from what was read on either side. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final

from merchants.onboarding.formats import read_identity_number
from merchants.onboarding.recognising.layout import (
    Glyph,
    Zone,
    doubtful,
    find_anchors,
    glyphs_of,
    suggestion,
    text_of,
    zone_of,
)
from merchants.onboarding.recognising.printed import find_days, find_number, find_term
from merchants.onboarding.recognising.reading import (
    Kind,
    Page,
    Read,
    Suggestion,
)

NUMBER_LENGTH: Final = 18
SEXES: Final = {"男": "male", "女": "female"}
FRONT_LABELS: Final = {
    "姓名": "name", "性别": "sex", "民族": "ethnicity", "出生": "born", "住址": "address",
    "公民身份号码": "identity_number",
}  # fmt: skip
BACK_LABELS: Final = {
    "签发机关": "authority", "有效期限": "term",
    "中华人民共和国": "-state", "居民身份证": "-title",
}  # fmt: skip
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff·]+")


def read_front(page: Page, on: date) -> Read:
    """The side with the portrait. The number only if its check digit fits and its holder is of age;
    it also tells day of birth and sex where those are illegible, and makes them doubtful where they
    say otherwise.
    """
    lines = [glyphs_of(line) for line in page.lines]
    zones = _zones(lines, FRONT_LABELS)
    found = [*_named(page, zones), *_sex(page, zones), *_born(page, zones)]
    found += _address(page, zones)
    number = _number(page, lines, on)
    if number is not None:
        found = [*_agreed(found, number), number]
    return Read(Kind.IDENTITY_FRONT, tuple(found), page.lines)


def read_back(page: Page, on: date) -> Read:
    """The side with the emblem."""
    lines = [glyphs_of(line) for line in page.lines]
    zones = _zones(lines, BACK_LABELS)
    found = []
    authority, term = zones.get("authority"), zones.get("term")
    if authority is not None and (text := _only_chinese(authority.text)):
        found.append(suggestion(page, "authority", text, authority.glyphs))
    if term is not None:
        days = find_term(term.text)
        for field, value in (("valid_from", days.begins), ("valid_to", days.ends)):
            if value:
                told = suggestion(page, field, value, term.glyphs)
                found.append(doubtful(told) if days.is_odd else told)
    return Read(Kind.IDENTITY_BACK, tuple(found), page.lines)


def _zones(lines: Sequence[Sequence[Glyph]], labels: Mapping[str, str]) -> dict[str, Zone]:
    anchors = find_anchors(lines, labels)
    return {
        field: zone_of(anchor, anchors.values(), lines, has_columns=False)
        for field, anchor in anchors.items()
    }


def _named(page: Page, zones: Mapping[str, Zone]) -> list[Suggestion]:
    found = []
    for field in ("name", "ethnicity"):
        zone = zones.get(field)
        text = _only_chinese("".join(g.text for g in zone.lines[0])) if zone and zone.lines else ""
        if zone is not None and text:
            found.append(suggestion(page, field, text, zone.lines[0]))
    return found


def _sex(page: Page, zones: Mapping[str, Zone]) -> list[Suggestion]:
    zone = zones.get("sex")
    text = zone.text if zone is not None else ""
    return [
        suggestion(page, "sex", sex, zone.glyphs)
        for sign, sex in SEXES.items()
        if zone is not None and sign in text
    ][:1]


def _born(page: Page, zones: Mapping[str, Zone]) -> list[Suggestion]:
    zone = zones.get("born")
    days = find_days(zone.text) if zone is not None else []
    if zone is None or not days:
        return []
    return [suggestion(page, "born", days[0][1].isoformat(), zone.glyphs)]


def _address(page: Page, zones: Mapping[str, Zone]) -> list[Suggestion]:
    zone = zones.get("address")
    if zone is None or not zone.has_text:
        return []
    return [suggestion(page, "address", zone.text, zone.glyphs)]


def _number(page: Page, lines: Sequence[Sequence[Glyph]], on: date) -> Suggestion | None:
    """Anywhere on the card: nothing else has eighteen characters and a check digit.

    Never mended: one check digit lets every eleventh guess pass.
    """
    read = partial(read_identity_number, on=on)
    found = {
        number.value: suggestion(
            page, "identity_number", number.value, line[number.first : number.last + 1]
        )
        for line in lines
        if (number := find_number(text_of(line), NUMBER_LENGTH, read)) is not None
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _agreed(found: Sequence[Suggestion], number: Suggestion) -> list[Suggestion]:
    born = date(
        int(number.value[6:10]), int(number.value[10:12]), int(number.value[12:14])
    ).isoformat()
    sex = "male" if int(number.value[16]) % 2 else "female"
    told = {one.field: one for one in found}
    for field, value in (("born", born), ("sex", sex)):
        if field not in told:
            told[field] = replace(number, field=field, value=value)
        elif told[field].value != value:
            told[field] = doubtful(told[field])
    return list(told.values())


def _only_chinese(text: str) -> str:
    return "".join(_CHINESE.findall(text))
