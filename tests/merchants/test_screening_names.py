"""Which names are taken for one another: near misses that must be found, and who is left alone."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchants.screening.matching import Profile, Reason, Score, Strength, edits, score
from merchants.screening.normal import (
    Entity,
    birth_of,
    form_of,
    identity_of,
    keys_of,
)

PERSON, COMPANY = Entity.PERSON, Entity.COMPANY
HOLD, LOG, NONE = Strength.HOLD, Strength.LOG, Strength.NONE


def profile(name: str, entity: Entity = PERSON, **more) -> Profile:
    return Profile(entity=entity, forms=(form_of(name, entity),), **more)


def compared(ours: str, theirs: str, entity: Entity = PERSON) -> Score:
    return score(profile(ours, entity), profile(theirs, entity))


def share_a_key(ours: str, theirs: str, entity: Entity = PERSON) -> bool:
    return bool(
        keys_of(form_of(ours, entity), entity) & keys_of(form_of(theirs, entity), entity)
    )  # fmt: skip


PERSONS_FOUND = [
    ("王伟", "王伟", HOLD), ("王 伟", "王伟", HOLD), ("王　伟", "王伟", HOLD),
    ("歐陽娜娜", "欧阳娜娜", HOLD), ("王偉", "王伟", HOLD), ("張偉明", "张伟明", HOLD),
    ("Wang Wei", "王伟", HOLD), ("WEI WANG", "王伟", HOLD), ("ＷＡＮＧ　Ｗｅｉ", "王伟", HOLD),
    ("Wang, Wei", "王伟", HOLD), ("WangWei", "王伟", HOLD), ("Wáng Wěi", "王伟", HOLD),
    ("Nana Ouyang", "欧阳娜娜", HOLD), ("Ouyang Na Na", "欧阳娜娜", HOLD),
    ("LYU BU", "吕布", HOLD), ("Lü Bu", "吕布", HOLD), ("LU BU", "吕布", HOLD),
    ("Shan Xiongxin", "单雄信", HOLD), ("Zeng Guofan", "曾国藩", HOLD), ("Qiu Ying", "仇英", HOLD),
    ("Yuchi Gong", "尉迟恭", HOLD), ("Wang Yue", "王乐", HOLD), ("Wang Le", "王乐", HOLD),
    ("买买提·艾力", "買買提艾力", HOLD), ("张未", "张末", HOLD), ("侯己", "候已", HOLD),
    ("José García", "Jose Garcia", HOLD), ("Garcia Jose", "José García", HOLD),
    ("Mohammed al-Rashid", "Muhammad Al Rashid", HOLD),
    ("John Quincy Adams", "ADAMS John Quincy", HOLD),
    ("Jonh Quincy Adams", "John Quincy Adams", HOLD),
    ("王伟", "汪伟", LOG), ("Wang Wie", "王伟", LOG), ("李娜", "黎娜", LOG),
]  # fmt: skip
COMPANIES_FOUND = [
    ("北京云杉贸易有限公司", "北京云杉贸易有限责任公司", HOLD),
    ("北京雲杉貿易有限公司", "北京云杉贸易股份有限公司", HOLD),
    ("北京云杉贸易（集团）有限公司", "北京云杉贸易", HOLD),
    ("Spruce Trading Co., Ltd.", "SPRUCE TRADING LIMITED", HOLD),
    ("Spruce Trading Co.,Ltd", "Spruce Trading Company", HOLD),
    ("北京云衫贸易有限公司", "北京云杉贸易有限公司", HOLD),
    ("上海夭元科技发展有限公司", "上海天元科技发展股份有限公司", HOLD),
    ("Beijing Yunshan Maoyi Co Ltd", "北京云杉贸易有限公司", HOLD),
    ("Spruce Tradlng Inc", "Spruce Trading Inc", HOLD),
    ("深圳市恒泰通达电子科技有限公司", "深圳市恒泰通远电子科技有限公司", HOLD),
]
PERSONS_APART = [
    ("王伟", "王芳"), ("王伟", "李伟"), ("张伟明", "张伟朋"), ("王伟", "王伟明"),
    ("Li Na", "Wang Wei"),
    ("Wang Fang", "Wang Wei"), ("欧阳娜娜", "欧阳修"), ("陈建国", "陈建军"), ("Li Ming", "Liu Min"),
    ("", "王伟"), ("···", "--"),
]  # fmt: skip
COMPANIES_APART = [
    ("有限公司", "公司"), ("北京云杉贸易有限公司", "上海云杉贸易有限公司"),
    ("北京云杉贸易有限公司", "北京云杉餐饮有限公司"), ("Spruce Ltd", "Maple Ltd"),
    ("Co Ltd", "Limited Company"),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "strength"), PERSONS_FOUND)
def test_these_persons_are_found(ours, theirs, strength):
    assert compared(ours, theirs).strength is strength
    assert share_a_key(ours, theirs)


@pytest.mark.parametrize(("ours", "theirs", "strength"), COMPANIES_FOUND)
def test_these_companies_are_found(ours, theirs, strength):
    assert compared(ours, theirs, COMPANY).strength is strength
    assert share_a_key(ours, theirs, COMPANY)


@pytest.mark.parametrize(("ours", "theirs"), PERSONS_APART)
def test_these_persons_disturb_nobody(ours, theirs):
    assert compared(ours, theirs).strength is NONE


@pytest.mark.parametrize(("ours", "theirs"), COMPANIES_APART)
def test_these_companies_disturb_nobody(ours, theirs):
    assert compared(ours, theirs, COMPANY).strength in {NONE, LOG}


def test_the_number_blocks_whatever_the_name():
    result = score(profile("王伟", identity=b"1"), profile("云杉", COMPANY, identity=b"1"))
    assert (result.strength, result.reasons) == (Strength.BLOCK, (Reason.IDENTITY,))
    assert score(profile("王伟", identity=b""), profile("李娜", identity=b"")).strength is NONE


@pytest.mark.parametrize(
    ("ours", "theirs", "born", "listed_born", "strength"),
    [
        ("王伟", "王伟", "1990-03-07", "1961-01-02", LOG),
        ("Wang Wei", "王伟", "1990-03-07", "1961-01-02", NONE),
        ("王伟", "王伟", "1990-03-07", "1961", LOG),
        ("王伟", "汪伟", "1990-03-07", "1990-03-07", HOLD),
        ("王伟", "汪伟", "1990-03-07", "1990", LOG),
        ("王伟", "王伟", "1990-03-07", "", HOLD),
    ],
)
def test_the_date_of_birth_tells_people_of_one_name_apart(
    ours, theirs, born, listed_born, strength
):
    assert score(profile(ours, born=born), profile(theirs, born=listed_born)).strength is strength


def test_a_name_alone_never_blocks():
    result = score(profile("王伟", born="1990-03-07"), profile("王伟", born="1990-03-07"))
    assert result.strength is HOLD


def test_an_alias_counts_like_the_name():
    both = (form_of("李娜", PERSON), form_of("王伟", PERSON))
    assert score(profile("王伟"), Profile(entity=PERSON, forms=both)).points == 98


def test_identity_numbers_have_one_spelling_and_hold_a_birthday():
    assert identity_of(" 110105 491231 002") == "11010519491231002X"
    assert identity_of("１１０１０５19491231002x") == "11010519491231002X"
    assert birth_of("11010519491231002X") == "1949-12-31"
    assert birth_of("91350100M000100Y43") == ""
    assert birth_of("110105189912310021") == ""


NAMES = st.text(
    st.sampled_from("王汪伟维威欧陽阳娜张未末吕布乐 ·-" + string.ascii_letters), max_size=16
)
ENTITIES = st.sampled_from(list(Entity))


@given(NAMES, NAMES, ENTITIES)
def test_what_is_alike_is_also_found_by_its_keys(ours, theirs, entity):
    result = compared(ours, theirs, entity)
    assert 0 <= result.points < 100
    if result.strength is HOLD:
        assert share_a_key(ours, theirs, entity)


@given(NAMES, NAMES, ENTITIES)
def test_it_does_not_matter_who_is_compared_with_whom(ours, theirs, entity):
    assert compared(ours, theirs, entity).points == compared(theirs, ours, entity).points


@given(st.text(max_size=40), ENTITIES)
def test_any_text_at_all_has_a_form_that_is_stable(text, entity):
    form = form_of(text, entity)
    assert form_of(form.plain, entity).plain == form.plain or entity is COMPANY
    assert keys_of(form, entity) or not form.plain


@given(st.text(st.sampled_from("abc"), max_size=7), st.text(st.sampled_from("abc"), max_size=7))
def test_edits_are_a_distance(ours, theirs):
    distance = edits(ours, theirs)
    assert distance == edits(theirs, ours) <= max(len(ours), len(theirs))
    assert (distance == 0) == (ours == theirs)


WRITTEN = st.sampled_from(
    [pair[side] for pair in PERSONS_FOUND + COMPANIES_FOUND for side in (0, 1)]
)


@given(WRITTEN, st.integers(0, 40), st.sampled_from(["", "a", "x ", "天", "0"]), WRITTEN, ENTITIES)
def test_what_holds_with_a_slip_of_the_pen_is_found_by_its_keys(name, place, sign, other, entity):
    place %= len(name)
    for written in (name[:place] + sign + name[place + 1 :], name[:place] + sign + name[place:]):
        for theirs in (name, other):
            if compared(written, theirs, entity).strength is HOLD:
                assert share_a_key(written, theirs, entity)
