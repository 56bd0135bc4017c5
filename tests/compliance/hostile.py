"""Files as strangers send them: honest ones, and the tricks that are played with uploads."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    TextStringObject,
)

EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def png(*, size: tuple[int, int] = (40, 30), tail: bytes = b"") -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, (21, 94, 82)).save(kept, "PNG")
    return kept.getvalue() + tail


def jpeg(*, with_place: bool = False) -> bytes:
    kept, image = io.BytesIO(), Image.new("RGB", (60, 40), (21, 94, 82))
    exif = Image.Exif()
    if with_place:
        exif[0x010E] = "taken at home"
        exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    image.save(kept, "JPEG", exif=exif)
    return kept.getvalue()


def huge_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """A few hundred bytes that say they are an image of 900 megapixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(
            ">I", zlib.crc32(name + body)
        )  # fmt: skip

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def pdf(change: Callable[[PdfWriter], object] = lambda writer: None, *, pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    change(writer)
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def script(writer: PdfWriter) -> None:
    """In the tree of names, where viewers find scripts of the whole document."""
    deed = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("x()")}
    )
    names = ArrayObject([TextStringObject("begin"), writer._add_object(deed)])
    writer.root_object[NameObject("/Names")] = DictionaryObject(
        {NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): names})}
    )


def attachment(writer: PdfWriter) -> None:
    writer.add_attachment("more.exe", b"MZ")


def password(writer: PdfWriter) -> None:
    writer.encrypt("secret")


def action(kind: str) -> Callable[[PdfWriter], None]:
    """Something that happens when the document is opened."""

    def change(writer: PdfWriter) -> None:
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {NameObject("/S"): NameObject(kind), NameObject("/F"): TextStringObject("calc.exe")}
        )

    return change


def page_to_begin_with(writer: PdfWriter) -> None:
    writer.root_object[NameObject("/OpenAction")] = ArrayObject(
        [writer.pages[0].indirect_reference, NameObject("/Fit")]
    )


def form_with_xfa(writer: PdfWriter) -> None:
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
        {NameObject("/XFA"): writer._add_object(DecodedStreamObject())}
    )


def annotation_with_action(writer: PdfWriter) -> None:
    writer.pages[0][NameObject("/AA")] = DictionaryObject(
        {NameObject("/O"): DictionaryObject({NameObject("/S"): NameObject("/Named")})}
    )


def in_object_stream() -> bytes:
    """The action stands where a search through the bytes does not see it: compressed."""
    hidden = b"<< /Type /Action /S /JavaScript /JS (app.alert(1)) >>"
    first = b"4 0 "
    body = zlib.compress(first + hidden)
    parts = [
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>\nendobj\n",
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>\nendobj\n",
        b"5 0 obj\n<< /Type /ObjStm /N 1 /First %d /Filter /FlateDecode /Length %d >>\nstream\n"
        % (len(first), len(body))
        + body
        + b"\nendstream\nendobj\n",
    ]
    content, places = b"%PDF-1.5\n", []
    for part in parts:
        places.append(len(content))
        content += part
    start = len(content)
    rows = [(0, 0, 255), *((1, place, 0) for place in places[:3]), (2, 5, 0), (1, places[3], 0),
            (1, start, 0)]  # fmt: skip
    table = zlib.compress(b"".join(struct.pack(">BIB", *row) for row in rows))
    content += (
        b"6 0 obj\n<< /Type /XRef /Size 7 /W [1 4 1] /Root 1 0 R /Filter /FlateDecode /Length %d"
        b" >>\nstream\n" % len(table) + table + b"\nendstream\nendobj\n"
        b"startxref\n%d\n%%%%EOF\n" % start
    )
    assert b"JavaScript" not in content
    opened = PdfReader(io.BytesIO(content)).root_object["/OpenAction"].get_object()
    assert isinstance(opened, DictionaryObject)
    assert str(opened["/S"]) == "/JavaScript"
    return content


def named_elsewhere() -> bytes:
    """The kind of the action is an object of its own."""

    def change(writer: PdfWriter) -> None:
        kind = writer._add_object(NameObject("/Sound"))
        deed = DictionaryObject({NameObject("/S"): kind})
        writer.pages[0][NameObject("/A")] = deed

    return pdf(change)


def not_in_the_table(name: bytes = b"/JavaScript") -> bytes:
    """An action that only those viewers find who mend the table."""
    hidden = b"\n90 0 obj\n<< /S " + name + b" /JS (x) >>\nendobj\n"
    start, mark, end = pdf().rpartition(b"startxref")
    return start + hidden + mark + end


def nested(depth: int = 5000) -> bytes:
    """Arrays in arrays in arrays."""
    return (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /X " + b"[" * depth + b"]" * depth
        + b" >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
        b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000060 00000 n \n"
        b"trailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
    )  # fmt: skip


def zip_bomb() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("zeros", bytes(10_000_000))
    return kept.getvalue()
