"""Which recogniser this installation has, and why it has none."""

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from merchants.onboarding.recognising.reading import Recogniser, RecognitionRefused
from merchants.onboarding.recognising.tesseract import Tesseract, find_program, has_language


class Readiness(TextChoices):
    """Whether documents can be read, with a sentence for whoever wonders. Values that are not
    `ready` are the codes of RecognitionRefused.
    """

    READY = "ready", _("Documents are read, and what they say is suggested.")
    OFF = "recogniser_off", _("Documents are not read here: type what they say.")
    MISSING = (
        "recogniser_missing",
        _("Documents are not read: the program Tesseract is not installed."),
    )
    LANGUAGE_MISSING = (
        "recogniser_language_missing",
        _("Documents are not read: Tesseract lacks its data for Chinese."),
    )


def readiness() -> Readiness:
    """Asked before a page offers to read a document. The setting RECOGNISER decides."""
    if settings.RECOGNISER != "tesseract":
        return Readiness.OFF
    path = find_program()
    if path is None:
        return Readiness.MISSING
    return Readiness.READY if has_language(path) else Readiness.LANGUAGE_MISSING


def recogniser() -> Recogniser:
    """The one to read with. Raises RecognitionRefused with the code of why there is none."""
    path = find_program()
    if (state := readiness()) != Readiness.READY or path is None:
        raise RecognitionRefused(state.value)
    return Tesseract(path)
