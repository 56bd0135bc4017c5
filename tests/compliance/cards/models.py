"""The cards of Lin's customers."""

from django.db import models

from compliance.protection.columns import BlindIndexField, SealedTextField


class Card(models.Model):
    """A card whose number nobody may read in the database, and only one row may hold."""

    public_id = models.CharField(max_length=32, unique=True)
    number = SealedTextField(purpose="cards", null=True)
    number_index = BlindIndexField(of="number", purpose="cards", null=True, unique=True)
    note = SealedTextField(purpose="cards", default="")

    class Meta:
        app_label = "cards"

    def __str__(self) -> str:
        return self.public_id
