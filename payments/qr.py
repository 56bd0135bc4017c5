"""A QR code as inline SVG, without a style attribute, which our content security policy refuses.

Making the code costs more than the rest of the page, and the page is shown again and again while
the customer waits. So the mask is fixed (choosing the best of eight is most of the work, and
scanners read every mask), and what was drawn is remembered in this process.
"""

import re
from functools import lru_cache
from typing import Final

import segno

MASK: Final = 3
QUIET_ZONE: Final = 4
"""Light modules around the code; the standard asks for four."""
REMEMBERED_MAX: Final = 1024

_DARK_RUN: Final = re.compile(rb"\x01+")


@lru_cache(maxsize=REMEMBERED_MAX)
def draw_qr(content: str) -> str:
    """An `<svg>` element that fills its box. Dark on light in every colour scheme."""
    code = segno.make_qr(content, error="m", mask=MASK, boost_error=False)
    side = len(code.matrix)
    box = side + 2 * QUIET_ZONE
    path = "".join(
        f"M{run.start()} {y}.5h{run.end() - run.start()}"
        for y, row in enumerate(code.matrix)
        for run in _DARK_RUN.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{QUIET_ZONE} -{QUIET_ZONE} {box} {box}"'
        ' shape-rendering="crispEdges" aria-hidden="true">'
        f'<path fill="#fff" d="M-{QUIET_ZONE}-{QUIET_ZONE}h{box}v{box}h-{box}z"/>'
        f'<path stroke="#000" d="{path}"/></svg>'
    )
