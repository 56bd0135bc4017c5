"""Whether a channel's gateway answers, as all processes together see it."""

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy


class BreakerState(TextChoices):
    """Closed lets through, as in an electric circuit."""

    CLOSED = "closed", pgettext_lazy("breaker", "Works")
    OPEN = "open", pgettext_lazy("breaker", "Taken out")
    """Failing: takes nothing until its wait is over."""
    HALF_OPEN = "half_open", pgettext_lazy("breaker", "Being tried")
    """One customer's attempt is on its way to find out."""
