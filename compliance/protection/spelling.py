"""When two spellings are the same value. A pure rule."""

import unicodedata


def normalised(text: str) -> str:
    """One spelling for equal values: full width folded, upper case, no spaces or hyphens."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in folded if not letter.isspace() and letter != "-")
