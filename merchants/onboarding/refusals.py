"""Why something about an application was not done."""

from collections.abc import Sequence

from merchants.errors import MerchantRefusal
from merchants.onboarding.sections import Fault, Typed


class ApplicationNotFound(MerchantRefusal):
    """There is no such application, or it is another merchant's: both are told the same."""

    code = "application_not_found"


class NotWritable(MerchantRefusal):
    """The application is with the reviewers or over, or only its rejected items are open."""

    code = "not_writable"


class Overtaken(MerchantRefusal):
    """Somebody saved this section since the caller looked: another tab, device or colleague."""

    code = "overtaken"

    def __init__(self, *, version: int, typed: Sequence[Typed], by: str) -> None:
        super().__init__(version=version, by=by)
        self.version, self.typed, self.by = version, typed, by


class TooManyFiles(MerchantRefusal):
    """There are as many papers of this kind as are looked at."""

    code = "too_many_documents"


class Incomplete(MerchantRefusal):
    """The application cannot be submitted as it stands. `faults` say what to mend, all of them."""

    code = "incomplete"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults=len(faults))
        self.faults = tuple(faults)


class CodeTaken(MerchantRefusal):
    """Another merchant has applied with this credit code."""

    code = "credit_code_taken"


class AgreementChanged(MerchantRefusal):
    """Another version of the agreement is in force than the one that was shown."""

    code = "agreement_changed"


class VerdictRefused(MerchantRefusal):
    """A reviewer's word cannot stand. Its `code` says why."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(**facts)
        self.code = code  # type: ignore[misc]
        self.args = (code,)
