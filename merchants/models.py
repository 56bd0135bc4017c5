"""All models of this storey, so that Django finds them."""

from merchants.accounts.models import ApiKey, Member, Merchant

__all__ = ["ApiKey", "Member", "Merchant"]
