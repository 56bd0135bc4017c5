"""Why a sealed value does not open. These are faults: a row was changed, or a key is missing."""


class Unreadable(Exception):
    """Base of everything that keeps a sealed value closed."""


class KeyUnknown(Unreadable):
    """The value names a key id that FIELD_KEYS, or the table of data keys, does not hold."""


class Tampered(Unreadable):
    """The value is malformed, was changed, or was moved here from another row or column."""


class KeysMalformed(ValueError):
    """FIELD_KEYS is not a list of `id:base64 of 32 bytes`. The message says which part is wrong."""
