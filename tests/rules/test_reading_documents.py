"""What is proposed from the print of a licence or an identity card, and what never is."""

from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from merchants.onboarding import formats
from merchants.onboarding.formats import read_credit_code, read_identity_number
from merchants.onboarding.recognising.crosscheck import (
    Advice,
    Disagreement,
    agrees,
    crosscheck,
    suggest,
)
from merchants.onboarding.recognising.identity_card import read_back, read_front
from merchants.onboarding.recognising.layout import is_wide
from merchants.onboarding.recognising.licence import read_licence
from merchants.onboarding.recognising.printed import find_days, find_term
from merchants.onboarding.recognising.reading import (
    REPAIRED_CONFIDENCE_MAX,
    Box,
    Kind,
    Line,
    Page,
    Read,
    Suggestion,
    Word,
)

TODAY = date(2026, 11, 23)
CODE = "91110102MA0179UA3A"
NUMBER = "11010519491231002X"
HIGH, PITCH = 20, 30


def page(*rows: str, confidence: int = 90) -> Page:
    """Rows as printed with characters of equal size; between words is at least one space."""
    lines, widest = [], 1
    for number, row in enumerate(rows):
        words, x, word = [], 0, ""
        top = number * PITCH
        for character in f"{row} ":
            if character in " \u3000":
                if word:
                    begin = x - width(word)
                    words.append(Word(word, confidence, Box(begin, top, x, top + HIGH)))
                x, word = x + (20 if character == "\u3000" else 10), ""
            else:
                x, word = x + width(character), word + character
        widest = max(widest, x)
        if words:
            lines.append(Line(tuple(words)))
    return Page(widest, max(1, len(rows) * PITCH), tuple(lines))


def width(text: str) -> int:
    return sum(20 if is_wide(sign) or sign in "（），。；：" else 10 for sign in text)


LYING = page(
    "统一社会信用代码",
    CODE,
    "",
    "名　　　称　上海云帆百货有限公司　　　　　　注册资本　人民币500万元整",
    "",
    "类　　　型　有限责任公司(自然人投资或控股)　　成立日期　2018年06月12日",
    "",
    "法定代表人　林晓梅　　　　　　　　　　　　　营业期限　2018年06月12日至20",
    "　　　　　　　　　　　　　　　　　　　　　　　　　　　38年06月11日",
    "",
    "经营范围　　一般项目:日用百货销售;服装　　　　住　　所　上海市浦东新区张江路88",
    "　　　　　　零售。(除依法须经批准的项目　　　　　　　　　号3幢1205室",
    "　　　　　　外)许可项目:食品销售。",
    "",
    "　　　　　　　　　　　　　　　　　　　　　　　登记机关",
    "　　　　　　　　　　　　　　　　　　　　　　　　　　2021年03月15日",
)


class TestLicence:
    def test_two_columns_with_broken_lines(self):
        assert read_licence(LYING, TODAY).values == {
            "credit_code": CODE,
            "name": "上海云帆百货有限公司",
            "type": "有限责任公司（自然人投资或控股）",
            "legal_person": "林晓梅",
            "scope": "一般项目：日用百货销售；服装零售。（除依法须经批准的项目外）"
            "许可项目：食品销售。",
            "capital": "人民币500万元整",
            "address": "上海市浦东新区张江路88号3幢1205室",
            "established": "2018-06-12",
            "valid_from": "2018-06-12",
            "valid_to": "2038-06-11",
        }

    def test_one_column_of_an_individual_business(self):
        read = read_licence(
            page(
                "　　　　统一社会信用代码:92350100M000100Y40",
                "名　　　称:福州市鼓楼区老陈茶叶店",
                "类　　　型:个体工商户",
                "经营场所:福州市鼓楼区五一北路12号",
                "经营者:陈建国",
                "注册日期:2020年9月1日",
                "经营范围:茶叶零售。",
            ),
            TODAY,
        )
        assert read.values == {
            "credit_code": "92350100M000100Y40",
            "name": "福州市鼓楼区老陈茶叶店",
            "type": "个体工商户",
            "legal_person": "陈建国",
            "scope": "茶叶零售。",
            "address": "福州市鼓楼区五一北路12号",
            "established": "2020-09-01",
        }

    @pytest.mark.parametrize(
        "printed",
        ["法定代表人林晓梅", "法定代表入　林晓梅", "法 定 代 表 人 : 林 晓 梅", "定代表人　林晓梅",
         "法定代表人”林晓梅", "法定代表人：　林晓梅　　　　　　　　　　　　　　成竺亡日　2018"],
    )  # fmt: skip
    def test_a_label_may_be_damaged(self, printed):
        assert read_licence(page(printed), TODAY).values["legal_person"] == "林晓梅"

    def test_a_label_within_a_text_is_none(self):
        read = read_licence(
            page("经营者　　陈建国", "", "经营范围　打印名称类型住所", "　　　　　经营者服务"),
            TODAY,
        )
        assert read.values == {"legal_person": "陈建国", "scope": "打印名称类型住所经营者服务"}

    def test_a_name_ends_where_a_type_begins(self):
        read = read_licence(
            page("名　　称　上海云帆百货有限公司", "　 奖 　　”有限责任公司〈自然人独资)"), TODAY
        )
        assert read.values == {"name": "上海云帆百货有限公司"}

    @pytest.mark.parametrize(
        ("printed", "amount"),
        [("人民币500万元整", "人民币500万元整"), ("壹佰万元整", "壹佰万元整"),
         ("人民币伍仟万元", "人民币伍仟万元"), ("坦佰万元整", None), ("过佰万元整", None)],
    )  # fmt: skip
    def test_an_amount_without_its_first_figure_is_none(self, printed, amount):
        read = read_licence(page(f"注册资本　{printed}"), TODAY)
        assert read.values.get("capital") == amount

    def test_a_stroke_in_a_house_number_is_one(self):
        read = read_licence(page("住　　所　文三路259号]幢|2]室"), TODAY)
        assert read.values["address"] == "文三路259号1幢121室"

    def test_a_name_without_a_label_is_doubtful(self):
        [told] = read_licence(page("上海云帆百货有限公司"), TODAY).suggestions
        assert (told.field, told.value) == ("name", "上海云帆百货有限公司")
        assert told.confidence == REPAIRED_CONFIDENCE_MAX

    def test_places_are_told_in_thousandths(self):
        [told] = read_licence(page(f"代码　　{CODE}"), TODAY).suggestions
        assert told.box == Box(296, 0, 962, 666)


class TestCreditCode:
    @pytest.mark.parametrize(
        "printed",
        [CODE, "9111O1O2MAo179UA3A", "９１１１０１０２ＭＡ０１７９ＵＡ３Ａ", "91 110102 MA0179UA3A",
         f"统一社会信用代码{CODE}(1/1)", "9lI|0102MA0179UA3A", f"编号7{CODE}"],
    )  # fmt: skip
    def test_what_can_be_nothing_else_is_as_sure_as_its_print(self, printed):
        [told] = read_licence(page(printed), TODAY).suggestions
        assert (told.field, told.value, told.confidence) == ("credit_code", CODE, 90)

    @pytest.mark.parametrize(
        "printed",
        ["91110102MAU0179UA3A", "9111010ZMA0179UABA", "91110102MADI79UA3A", "91110102MA0179UA34",
         "91110102NA0179UA3A"],
    )  # fmt: skip
    def test_one_character_is_mended_and_makes_it_doubtful(self, printed):
        [told] = read_licence(page(printed), TODAY).suggestions
        assert (told.field, told.value) == ("credit_code", CODE)
        assert told.confidence == REPAIRED_CONFIDENCE_MAX

    @pytest.mark.parametrize(
        "printed",
        ["91110102MA0179UA3", "91110102MAB1T9UABA", "98110102MA0179UA3A9", "9111 0102 M A",
         f"{CODE} 92350100M000100Y40", "000000000000000000"],
    )  # fmt: skip
    def test_there_is_no_guess(self, printed):
        assert read_licence(page(printed), TODAY).suggestions == ()


ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@st.composite
def codes(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(sorted(formats.PROVINCES)))
    head = draw(st.sampled_from(["91", "92", "93", "12"]))
    district = draw(st.text("0123456789", min_size=4, max_size=4))
    body = draw(st.text(ALPHABET, min_size=8, max_size=8))
    for body_check in "0123456789X":
        for last in ALPHABET:
            try:
                return read_credit_code(f"{head}{area}{district}{body}{body_check}{last}")
            except formats.Unfit:
                continue
    assume(False)
    raise AssertionError


anything = st.text(st.sampled_from(ALPHABET + "IOZSVloz|] 统一码：名称公司"), max_size=60)


@given(codes())
def test_a_legible_code_is_found(code):
    assert read_licence(page(f"代码 {code}"), TODAY).values == {"credit_code": code}


@given(codes(), st.data())
def test_an_impossible_letter_is_read_as_the_digit_it_looks_like(code, data):
    looks = {"0": "OoO", "1": "Il|", "2": "Zz", "5": "Ss"}
    seen = "".join(data.draw(st.sampled_from(c + looks.get(c, ""))) for c in code)
    assert read_licence(page(f"代码 {seen}"), TODAY).values == {"credit_code": code}


@given(codes(), st.integers(0, 17), st.sampled_from(ALPHABET + "?中"))
@example(CODE, 10, "D")
def test_no_wrong_character_becomes_an_unfit_code(code, place, other):
    seen = f"{code[:place]}{other}{code[place + 1 :]}"
    for told in read_licence(page(seen), TODAY).suggestions:
        if told.field == "credit_code":
            assert read_credit_code(told.value) == told.value
            assert told.value == code or told.confidence <= REPAIRED_CONFIDENCE_MAX


@given(st.lists(anything, max_size=6), st.integers(0, 100))
def test_whatever_stands_there_nothing_unfit_is_proposed(rows, confidence):
    read = page(*rows, confidence=confidence)
    for told in (
        *read_licence(read, TODAY).suggestions,
        *read_front(read, TODAY).suggestions,
        *read_back(read, TODAY).suggestions,
    ):
        assert told.value
        assert 0 <= told.confidence <= 100
        if told.field == "credit_code":
            assert read_credit_code(told.value) == told.value
        if told.field == "identity_number":
            assert read_identity_number(told.value, on=TODAY) == told.value


words = st.builds(
    Word,
    st.text(
        st.sampled_from("名称类型住所姓名出生法定代表人2018年月日至长期91O0…㈱\u0301a"), max_size=8
    ),
    st.integers(0, 100),
    st.builds(
        lambda x, y, w, h: Box(x, y, x + w, y + h),
        *(st.integers(0, 3000) for _ in range(2)), *(st.integers(0, 300) for _ in range(2)),
    ),
)  # fmt: skip


@given(st.lists(st.lists(words, min_size=1, max_size=6), max_size=8))
def test_words_may_lie_anywhere(lines):
    read = Page(2000, 1400, tuple(Line(tuple(line)) for line in lines))
    for told in (
        *read_licence(read, TODAY).suggestions,
        *read_front(read, TODAY).suggestions,
        *read_back(read, TODAY).suggestions,
    ):
        box = told.box
        assert 0 <= box.left <= box.right <= 1000
        assert 0 <= box.top <= box.bottom <= 1000


class TestTerms:
    @pytest.mark.parametrize(
        ("text", "begins", "ends", "is_odd"),
        [
            ("2018年06月12日至2038年06月11日", "2018-06-12", "2038-06-11", False),
            ("2018年06月12日全20383年6月12日", "2018-06-12", "", False),
            ("2018年6月12日至2O38年6月l2日", "2018-06-12", "2038-06-12", False),
            ("2018年06月12日至2038年06月1日", "2018-06-12", "2038-06-01", True),
            ("2018年06月12日至长期", "2018-06-12", "long", False),
            ("2016.05.20-长期", "2016-05-20", "long", False),
            ("2016.05.20-2036.05.20", "2016-05-20", "2036-05-20", False),
            ("长期", "", "long", False),
            ("20183年06月12日至2038年06月11日", "", "2038-06-11", True),
            ("2038年06月12日至2018年06月11日", "", "", True),
            ("2018年02月31日", "", "", False),
            ("", "", "", False),
        ],
    )
    def test_they_are_read(self, text, begins, ends, is_odd):
        term = find_term(text)
        assert (term.begins, term.ends, term.is_odd) == (begins, ends, is_odd)

    @given(st.dates(date(1000, 1, 1)))
    def test_each_day_is_found_as_printed(self, day):
        assert find_days(f"自{day:%Y年%m月%d日}起") == [(1, day)]


FRONT = page(
    "姓　名　林晓梅",
    "性　别　女　　民　族　汉",
    "出　生　1949　年　12　月　31　日",
    "住　址　北京市朝阳区幸福路18号",
    "　　　　院4号楼602室",
    "",
    "公民身份号码　11010519491231002x",
)


class TestIdentityCard:
    def test_the_side_with_the_portrait(self):
        assert read_front(FRONT, TODAY).values == {
            "name": "林晓梅",
            "sex": "female",
            "ethnicity": "汉",
            "born": "1949-12-31",
            "address": "北京市朝阳区幸福路18号院4号楼602室",
            "identity_number": NUMBER,
        }

    def test_the_side_with_the_emblem(self):
        read = read_back(
            page("中华人民共和国", "居民身份证", "签发机关　北京市公安局朝阳分局",
                 "有效期限　2016.05.20-长期"),
            TODAY,
        )  # fmt: skip
        assert read.kind == Kind.IDENTITY_BACK
        assert read.values == {
            "authority": "北京市公安局朝阳分局", "valid_from": "2016-05-20", "valid_to": "long",
        }  # fmt: skip

    def test_the_number_tells_what_is_illegible(self):
        read = read_front(page(f"公民身份号码　{NUMBER}"), TODAY)
        assert read.values == {"identity_number": NUMBER, "born": "1949-12-31", "sex": "female"}

    def test_what_contradicts_the_number_is_doubtful(self):
        read = read_front(page("出生　1949年12月81日", "性别　男", NUMBER), TODAY)
        sure = {told.field: told.confidence for told in read.suggestions}
        assert read.values["sex"] == "male"
        assert sure == {"identity_number": 90, "born": 90, "sex": REPAIRED_CONFIDENCE_MAX}

    @pytest.mark.parametrize(
        "printed",
        ["110105194912310021", "110105201912310023", "1101051949123100",
         f"{NUMBER} 110105199003071239", "11010519491231O08X"],
    )  # fmt: skip
    def test_a_number_that_does_not_fit_is_not_proposed(self, printed):
        assert "identity_number" not in read_front(page(printed), TODAY).values

    def test_confused_letters_are_digits(self):
        assert read_front(page("11OlO5l9491231002X"), TODAY).values["identity_number"] == NUMBER


def read(kind: Kind, confidence: int = 90, **values: str) -> Read:
    box = Box(0, 0, 1, 1)
    told = (Suggestion(field, value, confidence, box) for field, value in values.items())
    return Read(kind, tuple(told), ())


class TestCrosscheck:
    def test_only_empty_fields_are_filled_and_typed_ones_are_questioned(self):
        typed = {"name": "上海云机百货有限公司", "credit_code": " ", "address": ""}
        before = dict(typed)
        advice = suggest(
            typed,
            read(Kind.LICENCE, name="上海云帆百货有限公司", credit_code=CODE, capital="500万元"),
            section="licence",
        )
        assert [(told.field, told.value) for told in advice.fills] == [("credit_code", CODE)]
        assert advice.disagreements == (
            Disagreement(
                "licence", "name", "上海云帆百货有限公司", "上海云机百货有限公司", Kind.LICENCE
            ),
        )
        assert typed == before

    def test_a_blurred_reading_neither_fills_nor_contradicts(self):
        advice = suggest({"name": "", "type": "a"}, read(Kind.LICENCE, 29, name="b", type="c"))
        assert advice == Advice((), ())

    @pytest.mark.parametrize(
        ("field", "one", "other", "same"),
        [
            ("name", "上海云帆（集团）有限公司", "上海云帆(集团)有限公司 ", True),
            ("name", "ＡＢ科技有限公司", "ab 科技有限公司", True),
            ("name", "阿依古丽·买买提", "阿依古丽•买买提", True),
            ("name", "王伟", "汪伟", False),
            ("credit_code", CODE, CODE.lower(), True),
            ("valid_to", "2038-06-11", "2038-06-12", False),
            ("address", "上海市浦东新区张江路88号3幢5室", "上海市浦东新区张江路88号3憧5室", True),
            ("address", "上海市浦东新区张江路88号3幢5室", "上海市浦东新区张江路89号3幢5室", False),
            ("scope", "日用百货销售；服装服饰零售。", "日用百货销售,服装服饰雾售", True),
            ("scope", "日用百货销售。", "食品销售。", False),
        ],
    )  # fmt: skip
    def test_how_strictly_values_are_compared(self, field, one, other, same):
        assert agrees(field, one, other) is same
        assert agrees(field, other, one) is same

    def test_names_are_compared_between_documents_and_sections(self):
        forms = {
            "licence": {"name": "上海云帆百货有限公司"},
            "legal_person": {"name": "林小梅", "identity_number": NUMBER},
            "account": {"kind": "company", "holder": "上海云帆贸易有限公司"},
        }
        reads = {
            Kind.LICENCE: read(Kind.LICENCE, name="上海云帆百货有限公司", legal_person="林晓梅"),
            Kind.IDENTITY_FRONT: read(
                Kind.IDENTITY_FRONT, name="林晓梅", identity_number=NUMBER.lower()
            ),
        }
        found = [(one.section, one.field, one.kind) for one in crosscheck(forms, reads)]
        assert found == [
            ("legal_person", "name", Kind.IDENTITY_FRONT),
            ("legal_person", "name", Kind.LICENCE),
            ("account", "holder", Kind.LICENCE),
        ]

    def test_an_operators_own_card_bears_the_operators_name(self):
        reads = {Kind.IDENTITY_FRONT: read(Kind.IDENTITY_FRONT, name="陈建国")}
        forms = {"account": {"kind": "personal", "holder": "陈建国"}}
        assert crosscheck(forms, reads) == ()
        forms["account"]["holder"] = "陈建围"
        [found] = crosscheck(forms, reads)
        assert (found.document, found.form) == ("陈建国", "陈建围")

    @given(
        st.dictionaries(st.sampled_from(["name", "scope", "x"]), st.text(max_size=9)),
        st.dictionaries(st.sampled_from(["name", "scope", "y"]), st.text(min_size=1, max_size=9)),
    )
    def test_nothing_typed_is_ever_replaced(self, typed, said):
        advice = suggest(typed, read(Kind.LICENCE, **said))
        assert all(not typed[told.field].strip() for told in advice.fills)
        assert all(typed[one.field].strip() for one in advice.disagreements)
