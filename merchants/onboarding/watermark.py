"""Pictures of papers for people, with who looked at them, and when, written all over."""

from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from compliance.protection.vault.files import OpenedFile

IMAGE: Final = "image/"

SIDE_MAX: Final = 1600
"""Pixels of the longer side: enough to read a licence by."""
LETTER: Final = 22
STEP: Final = (320, 140)
INK: Final = (200, 30, 30, 70)
QUALITY: Final = 85


def marked(opened: OpenedFile, *, looker: str, at: datetime) -> OpenedFile:
    """An opened paper for the screen of `looker`, a picture with the watermark. A PDF as it is."""
    if not opened.media_type.startswith(IMAGE):
        return opened
    drawn = watermarked(opened.content, looker=looker, at=at)
    return OpenedFile(opened.number, opened.name, "image/jpeg", drawn)


def watermarked(content: bytes, *, looker: str, at: datetime) -> bytes:
    """A JPEG of the picture, smaller where it is large. The vault has drawn the content itself.

    A photo of the screen still tells whose it was.
    """
    with Image.open(BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((SIDE_MAX, SIDE_MAX))
    told = f"{looker.encode('ascii', 'replace').decode()}  {at:%Y-%m-%d %H:%M}"
    cover = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(cover)
    font = ImageFont.load_default(LETTER)
    for row, top in enumerate(range(0, picture.height, STEP[1])):
        for left in range(-STEP[0] // 2 * (row % 2), picture.width, STEP[0]):
            draw.text((left, top), told, fill=INK, font=font)
    drawn = BytesIO()
    Image.alpha_composite(picture.convert("RGBA"), cover).convert("RGB").save(
        drawn, "JPEG", quality=QUALITY
    )
    return drawn.getvalue()
