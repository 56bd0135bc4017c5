"""Invented licences and identity cards, drawn and then photographed badly. All people are made up.

The credit codes and identity numbers are public examples or computed; their check digits fit.
"""

import io
import random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont

_FONTS: Final = "/usr/share/fonts/opentype/noto/"
SONG: Final = f"{_FONTS}NotoSerifCJK-Regular.ttc"
HEI: Final = f"{_FONTS}NotoSansCJK-Regular.ttc"
_SIMPLIFIED: Final = 2
"""Which face of the collections has the characters of the mainland."""
_BLACK: Final = (20, 20, 20)
_BROWN: Final = (95, 72, 40)
_BLUE: Final = (40, 90, 150)

COMPANY: Final = {
    "credit_code": "91110102MA0179UA3A",
    "name": "上海云帆百货有限公司",
    "type": "有限责任公司（自然人投资或控股）",
    "legal_person": "林晓梅",
    "scope": "一般项目：日用百货销售；服装服饰零售；电子产品销售；信息技术咨询服务；货物进出口。"
    "（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）许可项目：食品销售。",
    "capital": "人民币500万元整",
    "established": "2018-06-12",
    "valid_from": "2018-06-12",
    "valid_to": "2038-06-11",
    "address": "上海市浦东新区张江路88号3幢1205室",
}
SHOP: Final = {
    "credit_code": "92350100M000100Y40",
    "name": "福州市鼓楼区老陈茶叶店",
    "type": "个体工商户",
    "legal_person": "陈建国",
    "scope": "茶叶零售；茶具零售；预包装食品销售。",
    "established": "2020-09-01",
    "address": "福州市鼓楼区五一北路12号一层",
}
PERSON: Final = {
    "name": "林晓梅",
    "sex": "female",
    "ethnicity": "汉",
    "born": "1949-12-31",
    "address": "北京市朝阳区幸福路18号院4号楼2单元602室",
    "identity_number": "11010519491231002X",
}
CARD_TERM: Final = {
    "authority": "北京市公安局朝阳分局", "valid_from": "2016-05-20", "valid_to": "2036-05-20",
}  # fmt: skip


def company_licence(values: dict[str, str] = COMPANY) -> Image.Image:
    """Lying, with two columns, as since 2019."""
    image = Image.new("RGB", (2000, 1400), (250, 247, 238))
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 1960, 1360), outline=(180, 140, 60), width=12)
    _spread(draw, (700, 120), "营业执照", 600, _font(120))
    draw.text((900, 270), "（副 本）", font=_font(44), fill=_BLACK)
    draw.text((120, 180), "统一社会信用代码", font=_font(34), fill=_BLACK)
    draw.text((120, 230), values["credit_code"], font=_font(40), fill=_BLACK)
    term = f"{_day(values['valid_from'])}至{_day(values['valid_to'])}"
    _column(draw, 150, 660, [
        ("名称", values["name"]), ("类型", values["type"]),
        ("法定代表人", values["legal_person"]), ("经营范围", values["scope"]),
    ])  # fmt: skip
    _column(draw, 1120, 540, [
        ("注册资本", values["capital"]), ("成立日期", _day(values["established"])),
        ("营业期限", term), ("住所", values["address"]),
    ])  # fmt: skip
    draw.text((1300, 1150), "登记机关", font=_font(38), fill=_BROWN)
    draw.text((1500, 1240), "2021 年 03 月 15 日", font=_font(38), fill=_BLACK)
    draw.text((120, 1310), "国家企业信用信息公示系统网址：http://www.gsxt.gov.cn",
              font=_font(24), fill=(60, 60, 60))  # fmt: skip
    return image


def shop_licence(values: dict[str, str] = SHOP) -> Image.Image:
    """Upright, with one column, as since 2014; of an individual business."""
    image = Image.new("RGB", (1400, 1900), (248, 246, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 1360, 1860), outline=(170, 60, 50), width=12)
    _spread(draw, (400, 260), "营业执照", 600, _font(120))
    draw.text((400, 460), f"统一社会信用代码 {values['credit_code']}", font=_font(36), fill=_BLACK)
    _column(draw, 220, 740, [
        ("名称", values["name"]), ("类型", values["type"]), ("经营场所", values["address"]),
        ("经营者", values["legal_person"]), ("成立日期", _day(values["established"])),
        ("经营范围", values["scope"]),
    ], top=620)  # fmt: skip
    draw.text((800, 1600), "登记机关", font=_font(38), fill=_BROWN)
    draw.text((820, 1700), "2020 年 09 月 01 日", font=_font(38), fill=_BLACK)
    return image


def card_front(values: dict[str, str] = PERSON) -> Image.Image:
    """The side with the portrait."""
    image = Image.new("RGB", (1080, 680), (225, 235, 240))
    draw = ImageDraw.Draw(image)
    large, small = _font(40, HEI), _font(34, HEI)
    year, month, day = values["born"].split("-")
    printed = ((70, 70, "姓 名"), (70, 160, "性 别"), (330, 160, "民 族"),
               (70, 250, "出 生"), (70, 340, "住 址"), (70, 570, "公民身份号码"))  # fmt: skip
    for x, y, label in printed:
        draw.text((x, y), label, font=small, fill=_BLUE)
    draw.text((200, 66), values["name"], font=large, fill=_BLACK)
    draw.text((200, 156), {"female": "女", "male": "男"}[values["sex"]], font=large, fill=_BLACK)
    draw.text((450, 156), values["ethnicity"], font=large, fill=_BLACK)
    across = 200.0
    for text, font, fill in ((year, large, _BLACK), ("年", small, _BLUE),
                             (str(int(month)), large, _BLACK), ("月", small, _BLUE),
                             (str(int(day)), large, _BLACK), ("日", small, _BLUE)):  # fmt: skip
        draw.text((across, 248), text, font=font, fill=fill)
        across += draw.textlength(text, font=font) + 18
    _text(draw, 200, 338, values["address"], 440, large)
    draw.text((350, 564), values["identity_number"], font=_font(46, HEI), fill=_BLACK)
    draw.rectangle((720, 80, 1010, 480), fill=(200, 205, 210))
    draw.ellipse((800, 140, 930, 300), fill=(150, 120, 100))
    draw.rectangle((760, 300, 970, 480), fill=(90, 90, 100))
    return image


def card_back(values: dict[str, str] = CARD_TERM) -> Image.Image:
    """The side with the emblem."""
    image = Image.new("RGB", (1080, 680), (225, 235, 240))
    draw = ImageDraw.Draw(image)
    draw.ellipse((80, 60, 230, 210), fill=(190, 60, 50))
    _spread(draw, (330, 70), "中华人民共和国", 600, _font(60))
    _spread(draw, (330, 170), "居民身份证", 600, _font(80))
    font = _font(38, HEI)
    term = "-".join(values[name].replace("-", ".") for name in ("valid_from", "valid_to"))
    for y, label, value in ((470, "签发机关", values["authority"]), (560, "有效期限", term)):
        draw.text((250, y), label, font=font, fill=_BLACK)
        draw.text((450, y), value, font=font, fill=_BLACK)
    return image


def photographed(
    image: Image.Image, *, turned: float = 0, scale: float = 1, noise: float = 0.1, seed: int = 1
) -> bytes:
    """As a telephone sends it: on a table, not quite straight, with grain; a JPEG."""
    turned_image = image.rotate(
        turned, expand=True, fillcolor=(120, 110, 100), resample=Image.Resampling.BICUBIC
    )
    size = (round(turned_image.width * scale), round(turned_image.height * scale))
    sized = turned_image.resize(size, Image.Resampling.LANCZOS)
    grain = Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))
    soft = grain.filter(ImageFilter.GaussianBlur(0.6)).convert("RGB")
    taken = Image.blend(sized, soft, noise).filter(ImageFilter.GaussianBlur(0.5))
    sent = io.BytesIO()
    taken.save(sent, "JPEG", quality=80)
    return sent.getvalue()


def _font(size: int, path: str = SONG) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=_SIMPLIFIED)


def _column(
    draw: ImageDraw.ImageDraw, left: int, width: int, rows: list[tuple[str, str]], top: int = 420
) -> None:
    font, label_width = _font(38), 190
    for label, value in rows:
        _spread(draw, (left, top), label, label_width, font, _BROWN)
        bottom = _text(draw, left + label_width + 50, top, value, width, font)
        top = max(top + 90, bottom + 30)


def _spread(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    width: int,
    font: ImageFont.FreeTypeFont,
    fill: tuple[int, int, int] = _BLACK,
) -> None:
    """As labels are printed: as wide as the widest of them."""
    step = (width - font.size) / (len(text) - 1)
    for number, character in enumerate(text):
        draw.text((place[0] + number * step, place[1]), character, font=font, fill=fill)


def _text(
    draw: ImageDraw.ImageDraw,
    left: int,
    top: int,
    text: str,
    width: int,
    font: ImageFont.FreeTypeFont,
) -> int:
    """Broken into lines where it is full; returns where it ends."""
    line = ""
    for character in text:
        if draw.textlength(line + character, font=font) > width:
            draw.text((left, top), line, font=font, fill=_BLACK)
            line, top = "", top + int(font.size * 1.5)
        line += character
    draw.text((left, top), line, font=font, fill=_BLACK)
    return top + int(font.size * 1.5)


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{year}年{month}月{day}日"
