"""A channel's configuration as values, and what is wrong with one that somebody wrote. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from payments.channels.base import Credential
from payments.channels.key_faults import (
    KeyFault,
    expires_at,
    find_certificate_fault,
    find_private_key_fault,
    find_public_key_fault,
)

Faults = Mapping[str, str]
"""Codes of `key_faults.MENDS`, by the credential's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What a channel may be used for. Empty means: no limit of this sort.

    `methods` are codes; amounts are in the smallest unit and bound one payment, both inclusive;
    `merchants` are public numbers.
    """

    methods: tuple[str, ...] = ()
    amount_min_minor: int | None = None
    amount_max_minor: int | None = None
    merchants: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For a row."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Offers":
        """From a row; what is not there has no limit."""
        return Offers(
            methods=tuple(stored.get("methods") or ()),
            amount_min_minor=stored.get("amount_min_minor"),
            amount_max_minor=stored.get("amount_max_minor"),
            merchants=tuple(stored.get("merchants") or ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of a configuration that is no secret. `values` are the dialect's public credentials."""

    name: str
    base_url: str
    front_url: str
    values: Mapping[str, str] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)

    def to_json(self) -> dict[str, Any]:
        """For a row."""
        return {
            "name": self.name, "base_url": self.base_url, "front_url": self.front_url,
            "values": dict(self.values), "offers": self.offers.to_json(),
        }  # fmt: skip

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Settings":
        """From a row."""
        return Settings(
            name=stored["name"], base_url=stored["base_url"], front_url=stored["front_url"],
            values=stored["values"], offers=Offers.from_json(stored["offers"]),
        )  # fmt: skip


def faults_in(
    schema: Sequence[Credential], given: Mapping[str, str], *, at: datetime
) -> dict[str, str]:
    """What is wrong with each value by itself. Whether they fit together the dialect says."""
    found = {}
    for credential in schema:
        text = given.get(credential.name, "")
        if fault := _fault_of(credential, text, at=at):
            found[credential.name] = fault.code
    return found


def first_end(schema: Sequence[Credential], given: Mapping[str, str]) -> datetime | None:
    """When the first certificate ends that takes the channel out. Roots are watched as well."""
    ends = [
        end for one in schema if one.kind == "certificate"
        if (end := expires_at(given.get(one.name, "")))
    ]  # fmt: skip
    return min(ends, default=None)


def _fault_of(credential: Credential, text: str, *, at: datetime) -> KeyFault | None:
    if not text.strip():
        return KeyFault(code="missing") if credential.is_required else None
    match credential.kind:
        case "private_key":
            return find_private_key_fault(text)
        case "public_key":
            return find_public_key_fault(text)
        case "certificate":
            return find_certificate_fault(text, at=at)
        case _:
            return None
