"""Tables of names: surnames of two characters, other readings, look-alikes, legal forms. Pure."""

from collections.abc import Mapping
from typing import Final

COMPOUND_SURNAMES: Final = (
    "欧阳", "上官", "司马", "诸葛", "皇甫", "夏侯", "尉迟", "公孙", "慕容", "长孙", "宇文", "司徒",
    "司空", "令狐", "万俟", "端木", "东方", "南宫", "独孤", "呼延", "赫连", "澹台", "公冶", "太史",
    "淳于", "单于", "申屠", "轩辕", "钟离", "闻人", "百里", "东郭", "西门", "第五",
)  # fmt: skip

COMPOUND_READINGS: Final[Mapping[str, tuple[str, str]]] = {
    "万俟": ("mo", "qi"), "尉迟": ("yu", "chi"), "长孙": ("zhang", "sun"),
    "单于": ("chan", "yu"), "澹台": ("tan", "tai"), "令狐": ("ling", "hu"),
}  # fmt: skip
"""Double surnames that are read otherwise than their characters."""

READINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "单": ("dan", "shan"), "曾": ("ceng", "zeng"), "仇": ("chou", "qiu"),
    "解": ("jie", "xie"), "查": ("cha", "zha"), "区": ("qu", "ou"), "盖": ("gai", "ge"),
    "翟": ("di", "zhai"), "朴": ("pu", "piao"), "缪": ("mou", "miao"), "员": ("yuan", "yun"),
    "覃": ("tan", "qin"), "乐": ("le", "yue"), "黑": ("hei", "he"), "种": ("zhong", "chong"),
    "祭": ("ji", "zhai"), "繁": ("fan", "po"), "秘": ("mi", "bi"), "召": ("zhao", "shao"),
    "薄": ("bao", "bo"), "隗": ("kui", "wei"), "洗": ("xi", "xian"), "折": ("zhe", "she"),
    "重": ("zhong", "chong"), "行": ("xing", "hang"), "长": ("zhang", "chang"),
    "朝": ("chao", "zhao"), "晟": ("cheng", "sheng"), "盛": ("sheng", "cheng"),
    "茜": ("qian", "xi"), "柏": ("bai", "bo"), "莘": ("shen", "xin"), "都": ("dou", "du"),
    "卜": ("bo", "bu"), "六": ("liu", "lu"),
}  # fmt: skip
"""Characters that names read in more than one way: surnames, and where given names differ."""

_ALIKE: Final = (
    "未末", "己已巳", "日曰", "土士", "入人八", "干千于", "戊戍戌", "侯候", "王玉", "刀力",
    "大太犬", "天夭夫", "田由甲申", "祟崇", "撤撒", "茶荼", "贝见", "鸟乌", "免兔", "管菅", "彦颜",
    "昊吴",
    "祥样", "准淮", "汆氽", "壬任", "丐丏", "毫亳", "晴睛", "析折", "刺剌", "博搏", "栗粟", "辛幸",
    "令今", "亨享", "艮良", "巨臣", "杨扬", "林材", "0o", "1li", "5s", "8b",
)  # fmt: skip
LOOKS_LIKE: Final[dict[int, str]] = {ord(sign): group[0] for group in _ALIKE for sign in group[1:]}
"""What scanners and people take for each other."""

SUFFIXES: Final = (
    "股份有限责任公司", "集团有限责任公司", "股份有限公司", "集团股份公司", "集团有限公司",
    "有限责任公司", "有限公司", "股份公司", "集团公司", "控股公司", "总公司", "公司", "集团",
    "普通合伙", "有限合伙", "特殊普通合伙", "合伙企业", "个人独资企业", "个体工商户",
    "co", "ltd", "limited", "inc", "incorporated", "corp", "corporation", "company", "llc", "llp",
    "lp", "plc", "gmbh", "ag", "sa", "sas", "srl", "spa", "bv", "nv", "ab", "as", "oy", "kk",
    "pte", "pty", "pvt", "sdn", "bhd", "jsc", "ooo", "coltd", "group",
)  # fmt: skip
"""Legal forms at the end of a company's name, the longer ones first."""
