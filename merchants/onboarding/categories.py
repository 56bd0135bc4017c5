"""Kinds of business: what permit each needs, how risky it is, and what is never taken on."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Risk = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of business. `mcc` is its merchant category code (ISO 18245)."""

    name: str
    mcc: str
    risk: Risk = "low"
    permit: str = ""
    """The kind of industry permit that must be shown; empty: none."""
    is_blocked: bool = False


CATEGORIES: Final[Mapping[str, Category]] = MappingProxyType(
    {
        category.name: category
        for category in (
            Category("groceries", "5411", permit="food"),
            Category("restaurants", "5812", permit="food"),
            Category("tea_and_drinks", "5499", permit="food"),
            Category("clothing", "5651"),
            Category("electronics", "5732"),
            Category("books", "5942", permit="publications"),
            Category("software", "5734", risk="medium"),
            Category("education", "8299", risk="medium", permit="education"),
            Category("medical", "8011", risk="medium", permit="medical"),
            Category("medicines", "5912", risk="high", permit="medicines"),
            Category("tobacco", "5993", risk="high", permit="tobacco"),
            Category("alcohol", "5921", risk="medium", permit="food"),
            Category("travel", "4722", risk="medium", permit="travel"),
            Category("hotels", "7011", permit="lodging"),
            Category("transport", "4121", risk="medium", permit="transport"),
            Category("property", "6513", risk="medium"),
            Category("utilities", "4900"),
            Category("charity", "8398", risk="high", permit="charity"),
            Category("jewellery", "5944", risk="high"),
            Category("prepaid_cards", "6540", risk="high", permit="prepaid_cards"),
            Category("other_services", "7299", risk="medium"),
            Category("gambling", "7995", risk="high", is_blocked=True),
            Category("virtual_currency", "6051", risk="high", is_blocked=True),
            Category("adult_content", "5967", risk="high", is_blocked=True),
            Category("payday_loans", "6012", risk="high", is_blocked=True),
        )
    }
)
