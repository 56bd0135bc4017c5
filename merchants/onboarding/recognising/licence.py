"""Fields of a business licence (营业执照) from what was read on it. Pure.

Forms of 2014 (one column, upright) and since 2019 (two columns, lying), of companies, partnerships,
sole owners, branches and individual businesses: they differ in labels, not in kind.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from merchants.onboarding.formats import read_credit_code
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
from merchants.onboarding.recognising.printed import chinese, find_days, find_term, mend_number
from merchants.onboarding.recognising.reading import (
    Kind,
    Page,
    Read,
    Suggestion,
)

CREDIT_CODE_LENGTH: Final = 18
LABELS: Final = {
    "名称": "name", "字号名称": "name",
    "类型": "type", "主体类型": "type", "组成形式": "type",
    "法定代表人": "legal_person", "负责人": "legal_person", "经营者": "legal_person",
    "投资人": "legal_person", "执行事务合伙人": "legal_person",
    "经营范围": "scope",
    "注册资本": "capital", "出资额": "capital", "资金数额": "capital",
    "成立日期": "established", "注册日期": "established",
    "营业期限": "term", "合伙期限": "term", "经营期限": "term", "有效期限": "term",
    "有效期": "term",
    "住所": "address", "经营场所": "address", "营业场所": "address", "主要经营场所": "address",
    "登记机关": "-registrar", "国家企业信用信息公示系统": "-site",
}  # fmt: skip
"""Label and field. Of the last two nothing is read."""
_COMPANY: Final = re.compile(
    r"[\u4e00-\u9fff（）()A-Za-z0-9·&]{3,60}"
    r"(?:公司|合伙\)|合伙）|事务所|中心|商行|商店|经营部|工作室|工厂|厂|店|行|社|馆|院|场)"
)
_TYPE: Final = re.compile(
    r"(?:有限责任公司|股份有限公司|个体工商户|个人独资企业|(?:有限|普通)合伙).*"
)
_TYPE_LINE: Final = re.compile(
    r"\W{0,2}(?:(?:有限责任公司|股份有限公司|(?:有限|普通)合伙企业)[（(〈《\[]|个体工商户|个人独资企业)"
)
"""How a line begins that is no rest of a name."""
_AMOUNT: Final = re.compile(r"\d|^\W*(?:人民币|美元)?[零壹贰叁肆伍陆柒捌玖拾]")
"""An amount whose first figure is legible."""
_PERSON: Final = re.compile(r"[\u4e00-\u9fff·]{2,30}")


def read_licence(page: Page, on: date) -> Read:
    """Whatever fields are legible. The credit code only if its check digits fit."""
    lines = [glyphs_of(line) for line in page.lines]
    anchors = find_anchors(lines, LABELS)
    zones = {
        field: zone_of(anchor, anchors.values(), lines, has_columns=True)
        for field, anchor in anchors.items()
    }
    found = [
        *_credit_code(page, lines),
        *_name(page, zones, lines),
        *_texts(page, zones),
        *_established(page, zones),
        *_term(page, zones),
    ]
    return Read(Kind.LICENCE, tuple(found), page.lines)


def _credit_code(page: Page, lines: Sequence[Sequence[Glyph]]) -> list[Suggestion]:
    """Anywhere on the page: nothing else there has such check digits. Unmended ones come first."""
    found = [
        (line, number)
        for line in lines
        if (number := mend_number(text_of(line), CREDIT_CODE_LENGTH, read_credit_code)) is not None
    ]
    unmended = [pair for pair in found if not pair[1].is_repaired]
    if len({number.value for _, number in unmended or found}) != 1:
        return []
    line, number = (unmended or found)[0]
    told = suggestion(page, "credit_code", number.value, line[number.first : number.last + 1])
    if number.is_repaired:
        told = doubtful(told)
    return [told]


def _name(page: Page, zones: dict[str, Zone], lines: Sequence[Sequence[Glyph]]) -> list[Suggestion]:
    """Beside its label; where that is illegible, whatever alone is called like a business."""
    zone = zones.get("name")
    if zone is not None:
        # Where the next label is illegible, its value seems to belong to the name.
        zone = Zone(tuple(line for line in zone.lines if not _TYPE_LINE.match(text_of(line))))
    if zone is not None and zone.has_text:
        return [suggestion(page, "name", chinese(zone.text), zone.glyphs)]
    for line in lines:
        text = text_of(line)
        for match in _COMPANY.finditer(text):
            if _TYPE.match(match[0]) or "信用" in match[0]:
                continue
            used = line[match.start() : match.end()]
            return [doubtful(suggestion(page, "name", chinese(match[0]), used))]
    return []


def _texts(page: Page, zones: dict[str, Zone]) -> list[Suggestion]:
    found = []
    for field in ("type", "legal_person", "scope", "capital", "address"):
        zone = zones.get(field)
        if zone is None or not zone.has_text:
            continue
        value = chinese(zone.text)
        if field == "capital" and not _AMOUNT.search(value):
            continue
        told = suggestion(page, field, value, zone.glyphs)
        if field == "legal_person" and not _PERSON.fullmatch(value):
            told = doubtful(told)
        found.append(told)
    return found


def _established(page: Page, zones: dict[str, Zone]) -> list[Suggestion]:
    zone = zones.get("established")
    days = find_days(zone.text) if zone is not None else []
    if zone is None or not days:
        return []
    return [suggestion(page, "established", days[0][1].isoformat(), zone.glyphs)]


def _term(page: Page, zones: dict[str, Zone]) -> list[Suggestion]:
    zone = zones.get("term")
    if zone is None:
        return []
    term = find_term(zone.text)
    found = [
        suggestion(page, field, value, zone.glyphs)
        for field, value in (("valid_from", term.begins), ("valid_to", term.ends))
        if value
    ]
    return [doubtful(told) for told in found] if term.is_odd else found
