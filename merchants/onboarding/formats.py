"""Numbers that the state and banks give out, and whether somebody typed them right.

A right check digit proves typing, not existence: pages say "well formed", never "verified".
"""

import re
from datetime import date
from typing import Final

PROVINCES: Final = frozenset(
    map(
        str,
        (
            *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
            *range(61, 66), 71, 81, 82,
        ),
    )
)  # fmt: skip
"""GB/T 2260, the first two digits of an area."""
STATE_AREA: Final = "10"
"""What the State itself registers has 100000 for an area."""

_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_SHAPE: Final = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}")
_CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_BODY_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS: Final = "10X98765432"
_OLDEST_YEARS: Final = 120
ADULT_YEARS: Final = 18
_CARD_DIGITS: Final = range(13, 20)
_ACCOUNT_SHAPE: Final = re.compile(r"[0-9]{6,32}")
_BANK_CODE_SHAPE: Final = re.compile(r"[0-9]{12}")
_ICP_SHAPE: Final = re.compile(
    r"[\u4e00-\u9fff]ICP(备|证)[0-9]{4,14}号(-[0-9]{1,4})?([A-Z])?", re.IGNORECASE
)


class Unfit(Exception):
    """What was typed cannot be right. `code` is stable; pages have a sentence for each."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_credit_code(typed: str) -> str:
    """The 统一社会信用代码, in capitals (GB 32100-2015, with GB 11714 inside it).

    Raises Unfit: credit_code_shape, credit_code_area, credit_code_check.
    """
    code = squeezed(typed).upper()
    if not _CREDIT_SHAPE.fullmatch(code):
        raise Unfit("credit_code_shape")
    if code[2:4] not in PROVINCES | {STATE_AREA}:
        raise Unfit("credit_code_area")
    values = [_CREDIT_ALPHABET.index(character) for character in code]
    total = sum(a * b for a, b in zip(values[:17], _CREDIT_WEIGHTS, strict=True))
    if (31 - total % 31) % 31 != values[17] or _body_check(code[8:16]) != code[16]:
        raise Unfit("credit_code_check")
    return code


def _body_check(body: str) -> str:
    total = sum(int(a, 36) * b for a, b in zip(body, _BODY_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def read_identity_number(typed: str, *, on: date) -> str:
    """The number of a resident's identity card, with a capital X (GB 11643-1999).

    Raises Unfit: identity_shape, identity_area, identity_date, identity_check, identity_age.
    """
    number = squeezed(typed).upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise Unfit("identity_shape")
    if number[:2] not in PROVINCES | {"83"}:
        raise Unfit("identity_area")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise Unfit("identity_date") from None
    total = sum(int(a) * b for a, b in zip(number[:17], _IDENTITY_WEIGHTS, strict=True))
    if _IDENTITY_CHECKS[total % 11] != number[17]:
        raise Unfit("identity_check")
    if not ADULT_YEARS <= years_between(born, on) <= _OLDEST_YEARS:
        raise Unfit("identity_age")
    return number


def years_between(born: date, on: date) -> int:
    """Full years: one is a year older on the birthday, on 1 March for those of 29 February."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def read_card_number(typed: str) -> str:
    """A personal bank card: 13 to 19 digits with a Luhn check.

    Raises Unfit: card_shape, card_check.
    """
    number = squeezed(typed).replace("-", "")
    if not (number.isascii() and number.isdigit() and len(number) in _CARD_DIGITS):
        raise Unfit("card_shape")
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in number[-2::-2])
    if (sum(map(int, number[-1::-2])) + sum(doubled)) % 10:
        raise Unfit("card_check")
    return number


def read_account_number(typed: str) -> str:
    """A company's bank account, which has no check digit. Raises Unfit: account_shape."""
    number = squeezed(typed).replace("-", "")
    if not _ACCOUNT_SHAPE.fullmatch(number):
        raise Unfit("account_shape")
    return number


def read_bank_code(typed: str) -> str:
    """A branch's 联行号, twelve digits. Raises Unfit: bank_code_shape."""
    code = squeezed(typed)
    if not _BANK_CODE_SHAPE.fullmatch(code):
        raise Unfit("bank_code_shape")
    return code


def read_icp_number(typed: str) -> str:
    """A site's or app's filing, such as 京ICP备12345678号-1. Raises Unfit: icp_shape."""
    number = squeezed(typed).upper()
    if not _ICP_SHAPE.fullmatch(number):
        raise Unfit("icp_shape")
    return number


def squeezed(typed: str) -> str:
    """Without the spaces by which people group digits, and with full-width characters narrowed."""
    narrow = "".join(chr(ord(c) - 0xFEE0) if "\uff01" <= c <= "\uff5e" else c for c in typed)
    return re.sub(r"[\s\u3000\u200b\ufeff]", "", narrow)
