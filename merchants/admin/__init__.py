"""The admin's pages of this storey: to read, and to decide; what changes goes through verbs."""

from merchants.admin.applications import ApplicationAdmin
from merchants.admin.merchants import MerchantAdmin
from merchants.admin.renewals import RenewalAdmin
from merchants.admin.screening import ListVersionAdmin, ScreeningHitAdmin, ScreeningListAdmin
from merchants.admin.tickets import TicketAdmin

__all__ = [
    "ApplicationAdmin", "ListVersionAdmin", "MerchantAdmin", "RenewalAdmin", "ScreeningHitAdmin",
    "ScreeningListAdmin", "TicketAdmin",
]  # fmt: skip
