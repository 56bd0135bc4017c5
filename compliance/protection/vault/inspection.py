"""Looks into an uploaded file, in a process of its own with little memory and time.

Run as a program: the file on standard input, its media type as the only word. What decodes images
and parses PDFs meets whatever a stranger sends, so it meets it here, where it can take nothing
along. Answers one line of JSON, and after it the bytes to keep: an image is drawn anew, which
leaves behind whatever was hidden in it (EXIF with places, other files, second frames).
"""

import io
import json
import re
import resource
import sys
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

MEMORY_MAX: Final = 1024 * 1024 * 1024
CPU_SECONDS_MAX: Final = 15
PIXELS_MAX: Final = 50_000_000
PAGES_MAX: Final = 50
OBJECTS_MAX: Final = 50_000
DEPTH_MAX: Final = 60
JPEG_QUALITY: Final = 90

ACTIVE: Final = frozenset({
    "/JS", "/JavaScript", "/AA", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia",
    "/XFA", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Movie", "/Sound", "/Rendition",
})  # fmt: skip
"""Names in a PDF that do something when somebody opens it, or carry another file."""
_ACTIVE_SPELLED: Final = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData)(?![A-Za-z0-9])"
)
"""Those of them that no compressed content contains by chance."""
_ESCAPED: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_PIL_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}


class Refused(Exception):
    """With the code of FileRefused."""


def look(content: bytes, media_type: str) -> tuple[dict[str, int], bytes]:
    """Facts about the file, and what of it to keep. Raises Refused."""
    if media_type == "application/pdf":
        return {"pages": _pages(content)}, content
    return _drawn(content, _PIL_FORMATS[media_type])


def _drawn(content: bytes, form: str) -> tuple[dict[str, int], bytes]:
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            if image.width * image.height > PIXELS_MAX:
                raise Refused("too_many_pixels")
            image.load()
            upright = ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:
        raise Refused("too_many_pixels") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise Refused("broken_image") from None
    kept, drawn = io.BytesIO(), upright.convert("RGB" if form == "JPEG" else _mode(upright))
    # A new image: what was read has places and texts in its `info`.
    bare = Image.frombytes(drawn.mode, drawn.size, drawn.tobytes())
    bare.save(kept, form, **({"quality": JPEG_QUALITY} if form == "JPEG" else {}))
    return {"width": bare.width, "height": bare.height}, kept.getvalue()


def _mode(image: Image.Image) -> str:
    return "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"


def _pages(content: bytes) -> int:
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise Refused("pdf_encrypted")
        _search(content)
        for number, thing in enumerate(_things(reader)):
            if number > OBJECTS_MAX:
                raise Refused("pdf_too_complex")
            _search_bundle(thing)
            _walk(thing, 0)
        count = len(reader.pages)
    except (PyPdfError, RecursionError, ValueError, KeyError, TypeError, AttributeError, OSError,
            IndexError, AssertionError, NotImplementedError):  # fmt: skip
        raise Refused("broken_pdf") from None
    if not 1 <= count <= PAGES_MAX:
        raise Refused("too_many_pages" if count else "broken_pdf")
    return count


def _things(reader: PdfReader) -> Iterator[Any]:
    """Every object that any table of the file names, used or not, also inside object streams."""
    yield reader.trailer
    for generation, places in reader.xref.items():
        for number in places:
            yield reader.get_object(IndirectObject(number, generation, reader))
    for number in reader.xref_objStm:
        yield reader.get_object(IndirectObject(number, 0, reader))


def _search(content: bytes) -> None:
    """Viewers mend a table that lies, and find objects that it does not name: so do we."""
    if _ACTIVE_SPELLED.search(_ESCAPED.sub(lambda sign: bytes([int(sign[1], 16)]), content)):
        raise Refused("pdf_active")


def _search_bundle(thing: Any) -> None:
    """An object stream, also with what the table does not name of it."""
    if isinstance(thing, StreamObject) and str(thing.get("/Type")) == "/ObjStm":
        _search(thing.get_data())


def _walk(thing: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Refused("pdf_too_complex")
    if isinstance(thing, IndirectObject):
        return  # It is looked at by itself.
    if isinstance(thing, DictionaryObject):
        for name, value in dict.items(thing):
            _judge(str(name), value)
            _walk(value, depth + 1)
    elif isinstance(thing, ArrayObject):
        for value in list.__iter__(thing):
            _walk(value, depth + 1)


def _judge(name: str, value: Any) -> None:
    """A page to begin with is no action; whatever else happens by itself is."""
    if name in ACTIVE or (name in {"/S", "/Type", "/Subtype"} and str(value) in ACTIVE):
        raise Refused("pdf_active")
    if name != "/OpenAction":
        return
    action = value.get_object() if isinstance(value, IndirectObject) else value
    is_page = isinstance(action, ArrayObject)
    if isinstance(action, DictionaryObject):
        is_page = str(action.get("/S")) == "/GoTo" and "/Next" not in action
    if not is_page:
        raise Refused("pdf_active")


def main() -> None:
    """See the module's docstring."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        facts, kept = look(sys.stdin.buffer.read(), sys.argv[1])
        head: dict[str, object] = {"facts": facts}
    except Refused as refusal:
        head, kept = {"refused": str(refusal)}, b""
    except MemoryError:
        head, kept = {"refused": "too_complex"}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + kept)


if __name__ == "__main__":
    main()
