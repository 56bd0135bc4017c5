"""A list of names for the demonstration. All of them are invented."""

from datetime import datetime
from pathlib import Path
from typing import Final

from compliance.audit.actor import SYSTEM
from merchants.screening.load import define_list, load_list
from merchants.screening.states import ListKind

CODE: Final = "demo-own"
FILE: Final = Path(__file__).with_name("invented_names.csv")


def load_invented_list(*, at: datetime) -> None:
    """Make the list known and bring its file into use, unless it is."""
    define_list(
        code=CODE, kind=ListKind.OWN, name="Own block list (invented)", actor=SYSTEM, at=at
    )  # fmt: skip
    load_list(code=CODE, data=FILE.read_bytes(), actor=SYSTEM, at=at)
