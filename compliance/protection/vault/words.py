"""Why a file was not taken, in words: what happened and what to do next."""

from typing import Final

from django.utils.translation import gettext_lazy as _

FILE_REFUSALS: Final = {
    "empty": _("The file is empty. Choose it again, or save it anew first."),
    "kind_unknown": _("Only JPEG, PNG and PDF are taken. Save the document as one of these."),
    "kind_differs": _(
        "The content is not what the name says. Open the file, save it as JPEG, PNG or PDF, and"
        " send that."
    ),
    "too_large": _("Images may have 5 MB and PDFs 10 MB. Save it smaller and send it again."),
    "too_many_files": _("There are too many files here already. Erase some first."),
    "too_many_pixels": _("The image has too many pixels. Save it with at most 50 megapixels."),
    "broken_image": _("The image cannot be read. Open it, save it anew, and send that."),
    "broken_pdf": _("The PDF cannot be read. Print it into a new PDF and send that."),
    "pdf_encrypted": _("The PDF has a password. Save it without one and send that."),
    "pdf_active": _(
        "The PDF holds scripts, forms with actions, or other files. Print it into a new PDF and"
        " send that."
    ),
    "pdf_too_complex": _("The PDF is too intricate. Print it into a new PDF and send that."),
    "too_many_pages": _("The PDF has more than 50 pages. Send the pages that matter."),
    "too_complex": _("It takes too long to look into this file. Save it simpler and send that."),
    "infected": _(
        "The scanner found a virus in this file, so it was destroyed. Have your computer looked"
        " at before you send anything else."
    ),
}
