"""What waits for a second factor."""

from django.db import models

from compliance.identity.models import User


class StepUp(models.Model):
    """A deed that waits for its doer's second factor: see `stepup`. Rows live for minutes."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE)
    session = models.BinaryField(max_length=32)
    """SHA-256 of the session's key."""
    purpose = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32)
    """SHA-256 of what is to be done."""
    title = models.CharField(max_length=200)
    facts = models.JSONField()
    """What the person is shown: pairs of label and value."""
    path = models.CharField(max_length=2000)
    """Where the form is sent."""
    back = models.CharField(max_length=2000)
    """Where to go for whoever thinks better of it."""
    form_sealed = models.TextField()
    tries = models.PositiveSmallIntegerField(db_default=0, default=0)
    created_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "session"], name="step_up_one_per_session"),
        ]

    def __str__(self) -> str:
        return self.purpose
