"""Rows for spreadsheets: CSV that runs nothing, whatever people put into names. The only place.

UTF-8, RFC 4180 quoting. Nothing here knows Django.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = b"\xef\xbb\xbf"
"""Goes before the first line: without it Excel reads Chinese in the machine's old code page."""
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a spreadsheet begins a formula; with their wide forms, in East Asian settings."""
DIGITS_MAX: Final = 15
"""A spreadsheet keeps so many digits of a number and makes noughts of the rest."""
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before it.

    A plain negative number stays one.
    """
    if text.lstrip(" \u00a0\u3000").startswith(DANGEROUS) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def numeral(text: str) -> str:
    """A number that is a name, such as a gateway's of 28 digits: a tab keeps it whole in Excel.

    The gateways' own bills do the same.
    """
    return f"{text}\t" if len(text) > DIGITS_MAX and text.isascii() and text.isdigit() else text


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """The rows as lines of CSV, each cell harmless, without the mark that begins a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode(errors="replace")
