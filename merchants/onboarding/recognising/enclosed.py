"""Makes a picture easy to read, then becomes the program that reads it.

Run as a program, in a process of its own with little memory and time: a file as standard input and
one as standard output, and as words the program to become with its arguments. The program gets the
prepared picture as its standard input. Whatever it writes, anywhere, is at most OUTPUT_MAX bytes a
file: the limits outlive the change. Ends with one of the codes below when the picture is no good.
"""

import os
import resource
import signal
import sys
from typing import Final

from PIL import Image, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

MEMORY_MAX: Final = 1024 * 1024 * 1024
CPU_SECONDS_MAX: Final = 10
OUTPUT_MAX: Final = 2 * 1024 * 1024
PIXELS_MAX: Final = 50_000_000
LONG_SIDE: Final = 2000
"""Pixels that the longer side is brought to: the smallest print of a licence is 20 high then."""
SCALE_MAX: Final = 3
TILT_MAX: Final = 3.0
TILT_STEP: Final = 0.5
_TILT_SIDE: Final = 800
_INK: Final = 24
"""How much darker than its surroundings print is, of 255."""

NO_PICTURE: Final = 3
TOO_LARGE: Final = 4


def prepare(picture: Image.Image) -> Image.Image:
    """Grey, upright to half a degree, of a sane size, with black that is black."""
    grey = picture.convert("L")
    scale = min(SCALE_MAX, LONG_SIDE / max(grey.size))
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    sized = grey.resize(size, Image.Resampling.LANCZOS)
    straight = sized.rotate(
        tilt(sized), resample=Image.Resampling.BICUBIC, fillcolor=_paper(sized)
    )  # Not expanded: places on it stay places on the picture, but for a few pixels.
    return ImageOps.autocontrast(straight.filter(ImageFilter.MedianFilter(3)), cutoff=1)


def tilt(grey: Image.Image) -> float:
    """By how many degrees to turn it: the turn after which lines differ most from what is between.

    Print alone counts, not the shades of a table under the paper.
    """
    small = grey.copy()
    small.thumbnail((_TILT_SIDE, _TILT_SIDE))
    wide = small.filter(ImageFilter.GaussianBlur(12))
    edges = Image.eval(_difference(wide, small), lambda value: 255 if value > _INK else 0)
    steps = int(TILT_MAX / TILT_STEP)
    turns = sorted((step * TILT_STEP for step in range(-steps, steps + 1)), key=abs)
    return max(turns, key=lambda turn: _stripes(edges.rotate(turn)))


def _difference(wide: Image.Image, small: Image.Image) -> Image.Image:
    """How much darker each pixel is than what surrounds it."""
    return ImageOps.invert(Image.blend(ImageOps.invert(wide), small, 0.5)).point(
        [min(255, max(0, (value - 127) * 2)) for value in range(256)]
    )


def _stripes(edges: Image.Image) -> float:
    middle = edges.crop((edges.width // 10, 0, edges.width * 9 // 10, edges.height))
    rows = middle.resize((1, middle.height), Image.Resampling.BOX)
    return ImageStat.Stat(rows).var[0]


def _paper(grey: Image.Image) -> int:
    return round(ImageStat.Stat(grey).median[0])


def main() -> None:
    """See the module's docstring."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        with Image.open(sys.stdin.buffer, formats=["JPEG", "PNG"]) as picture:
            if picture.width * picture.height > PIXELS_MAX:
                sys.exit(TOO_LARGE)
            prepared = prepare(picture)
    except (Image.DecompressionBombError, MemoryError):
        sys.exit(TOO_LARGE)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        sys.exit(NO_PICTURE)
    # In memory, not in a folder: nothing of a document lies on a disk unsealed.
    with os.fdopen(os.memfd_create("prepared"), "w+b") as held:
        prepared.save(held, "PPM")
        held.flush()
        held.seek(0)
        os.dup2(held.fileno(), sys.stdin.fileno())
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_MAX, OUTPUT_MAX))
    for ignored in (signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_DFL)  # Python ignores them, and its heir would, too.
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  whole path and arguments of our own


if __name__ == "__main__":
    main()
