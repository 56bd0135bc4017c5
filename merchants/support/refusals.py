"""What support refuses."""

from merchants.errors import MerchantRefusal


class TicketUnknown(MerchantRefusal):
    """There is no such ticket, or it is not the asker's: both look the same."""

    code = "ticket_not_found"


class TicketOver(MerchantRefusal):
    """The ticket is resolved or closed, and takes no message before it is opened again."""

    code = "ticket_over"


class TicketFull(MerchantRefusal):
    """The ticket has as many messages as one may have."""

    code = "ticket_full"


class TextUnfit(MerchantRefusal):
    """A text is empty, too long, or holds what no keyboard types. `field` says which."""

    code = "text_unfit"


class PaymentMalformed(MerchantRefusal):
    """What was given as a payment's number has not its shape."""

    code = "payment_malformed"


class NotAnswering(MerchantRefusal):
    """The person's role does not answer tickets."""

    code = "ability_missing"
