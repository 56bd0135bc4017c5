"""Pictures of papers for reviewers, with who looked at them, and when, written all over."""

from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

SIDE_MAX: Final = 1600
"""Pixels of the longer side: enough to read a licence by."""
LETTER: Final = 22
STEP: Final = (320, 140)
INK: Final = (200, 30, 30, 70)
QUALITY: Final = 85


def watermarked(content: bytes, *, reviewer: str, at: datetime) -> bytes:
    """A JPEG of the picture, smaller where it is large. The vault has drawn the content itself.

    A photo of the screen still tells whose it was.
    """
    with Image.open(BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((SIDE_MAX, SIDE_MAX))
    told = f"{reviewer.encode('ascii', 'replace').decode()}  {at:%Y-%m-%d %H:%M}"
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
