"""Model fields for what is secret: a sealed text, and a digest by which it is found."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from compliance.protection.envelope import Place, blind_index, seal_at, unseal_at

if TYPE_CHECKING:
    # Assigned as str, read as SealedText; either may be None in a nullable column.
    _Text = models.TextField[Any, Any]
    _Binary = models.BinaryField[Any, Any]
else:
    _Text, _Binary = models.TextField, models.BinaryField


class _Stored(str):
    """Ciphertext as the database holds it, told apart from a text that is still to be sealed."""

    __slots__ = ()


class SealedText:
    """The value of a sealed column. Printing or rendering it shows nothing: `open` is explicit."""

    __slots__ = ("_held", "_instance", "_place_of")

    def __init__(self, held: str, instance: models.Model, field: "SealedTextField") -> None:
        self._held, self._instance, self._place_of = held, instance, field.place_of

    def __str__(self) -> str:
        return "sealed"

    __repr__ = __str__

    @property
    def held(self) -> str:
        """What the row holds: ciphertext, or the text that its next `save` will seal."""
        return self._held

    def open(self) -> str:
        """The text. What is shown to people goes through `masking` or `reveal` instead.

        Raises KeyUnknown or Tampered.
        """
        if isinstance(self._held, _Stored):
            return unseal_at(self._held, place=self._place_of(self._instance))
        return self._held


class _SealedAttribute(DeferredAttribute):
    field: "SealedTextField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        held = super().__get__(instance, cls)
        if instance is None or held is None:
            return held
        return SealedText(held, instance, self.field)

    def __set__(self, instance: models.Model, value: Any) -> None:
        held = value.held if isinstance(value, SealedText) else value
        instance.__dict__[self.field.attname] = held


class SealedTextField(_Text):
    """A text that is ciphertext in the database, bound to its table, column and row.

    `row` names the field with the row's public id, which must be set before `save`. `purpose`
    chooses the data key. Queries cannot compare it: use a BlindIndexField.
    """

    descriptor_class = _SealedAttribute

    def __init__(self, *args: Any, purpose: str = "", row: str = "public_id", **more: Any) -> None:
        more["editable"] = False
        self.purpose, self.row = purpose, row
        super().__init__(*args, **more)

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, {**kwargs, "purpose": self.purpose, "row": self.row}

    def place_of(self, instance: models.Model) -> Place:
        """Where the value of this instance lives."""
        # A deferred or historical instance knows its row all the same: it is asked when needed.
        table = self.model._meta.db_table  # noqa: SLF001
        return Place(table, str(self.column), getattr(instance, self.row))

    def from_db_value(self, value: str | None, *args: object) -> str | None:
        """Mark what comes from the database as ciphertext."""
        return None if value is None else _Stored(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Seal a text that was assigned since the row was read."""
        held = model_instance.__dict__.get(self.attname)
        if held is None or isinstance(held, _Stored):
            return held
        place = self.place_of(model_instance)
        sealed = _Stored(seal_at(held, place=place, purpose=self.purpose))
        model_instance.__dict__[self.attname] = sealed
        return sealed

    def get_prep_value(self, value: Any) -> Any:
        """Refuse whatever did not come through `pre_save`, such as `update(field="text")`."""
        if value is None or isinstance(value, _Stored):
            return value
        raise TypeError(f"{self.name} is sealed by save(), and cannot be compared or updated.")


class BlindIndexField(_Binary):
    """The digest of a sealed column of the same row; equal texts have equal digests.

    `filter(field="the text")` finds the row. Whoever saves with `update_fields` names both.
    """

    def __init__(self, *args: Any, of: str = "", purpose: str = "", **more: Any) -> None:
        self.of, self.purpose = of, purpose
        super().__init__(*args, **{**more, "max_length": 32, "editable": False})

    def deconstruct(self) -> Any:
        """For migrations."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        kwargs.pop("editable", None)
        return name, path, args, {**kwargs, "of": self.of, "purpose": self.purpose}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Digest what the sealed column holds."""
        text: SealedText | None = getattr(model_instance, self.of)
        digest = None if text is None else blind_index(text.open(), purpose=self.purpose)
        setattr(model_instance, self.attname, digest)
        return digest

    def get_prep_value(self, value: Any) -> Any:
        """A text is looked up by its digest."""
        if isinstance(value, str):
            return blind_index(value, purpose=self.purpose)
        return super().get_prep_value(value)
