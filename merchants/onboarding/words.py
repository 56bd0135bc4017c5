"""What sections, fields, choices, papers and faults are called, and what to do about each fault."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words: TypeAlias = Mapping[str, str | Promise]

TITLES: Final[Words] = {
    "entity": _("Your business"),
    "licence": _("Business licence"),
    "legal_person": _("Legal representative"),
    "shareholders": _("Shareholders"),
    "owners": _("Beneficial owners"),
    "account": _("Settlement account"),
    "business": _("What you sell"),
    "documents": _("Documents"),
}

LEADS: Final[Words] = {
    "entity": _("What kind of business applies, and whom we may call about it."),
    "licence": _("As it stands on the licence, letter by letter."),
    "legal_person": _("The legal representative; of an individual business, its operator."),
    "shareholders": _("Everybody who holds a part of the company, people and companies."),
    "owners": _(
        "The people behind the company: whoever holds a quarter or more, or controls it in another"
        " way; where there is nobody, the senior manager."
    ),
    "account": _("Where we pay to: an account in the name of the business."),
    "business": _("What customers buy from you, and where."),
}

LABELS: Final[Words] = {
    "entity.entity": _("Kind of business"),
    "entity.short_name": _("Short name that customers see"),
    "entity.contact_role": _("Who the contact person is"),
    "entity.contact_name": _("Contact person"),
    "entity.contact_mobile": _("Mobile number of the contact"),
    "entity.contact_email": _("E-mail of the contact"),
    "licence.name": _("Name on the licence"),
    "licence.credit_code": _("Unified social credit code"),
    "licence.valid_from": _("Good from"),
    "licence.valid_to": _("Good until"),
    "licence.address": _("Registered address"),
    "licence.scope": _("Scope of business"),
    "legal_person.name": _("Name"),
    "legal_person.identity_number": _("Identity card number"),
    "legal_person.valid_from": _("Card good from"),
    "legal_person.valid_to": _("Card good until"),
    "legal_person.mobile": _("Mobile number"),
    "shareholders.kind": _("Person or company"),
    "shareholders.name": _("Name"),
    "shareholders.identity_number": _("Identity card number"),
    "shareholders.credit_code": _("Unified social credit code"),
    "shareholders.share": _("Share in percent"),
    "owners.basis": _("Why they are an owner"),
    "owners.name": _("Name"),
    "owners.identity_number": _("Identity card number"),
    "owners.share": _("Share in percent"),
    "owners.explanation": _("How they control the company"),
    "account.kind": _("Kind of account"),
    "account.holder": _("Account holder"),
    "account.bank": _("Bank and branch"),
    "account.bank_code": _("Branch code of twelve digits"),
    "account.account_number": _("Account number"),
    "account.card_number": _("Card number"),
    "business.category": _("Category"),
    "business.description": _("What exactly you sell"),
    "business.place": _("Where customers buy"),
    "business.site": _("Address of the site"),
    "business.app_name": _("Name of the app"),
    "business.icp_number": _("ICP filing number"),
    "business.shop_address": _("Address of the shop"),
    "business.monthly_volume": _("Expected sales a month, in yuan"),
    "business.usual_amount": _("Usual amount of a payment, in yuan"),
}

HELP: Final[Words] = {
    "entity.short_name": _("On the page where they pay, and on their bill."),
    "entity.contact_role": _("For somebody else we ask for a letter with the company's seal."),
    "legal_person.valid_to": _("Leave the day empty and tick the box for a card without an end."),
    "shareholders.share": _("With two decimals at most, such as 33.33."),
    "owners.share": _("Together with what is held through other companies."),
    "owners.explanation": _(
        "By contract, by votes, through relatives; for a senior manager, why nobody else is the"
        " owner."
    ),
    "account.holder": _("The business as on the licence; for a card, its operator."),
    "business.usual_amount": _("What most payments come to, not the largest one."),
    "licence.credit_code": _("Eighteen digits and letters. We check the check digit as you type."),
    "licence.valid_to": _("Leave the day empty and tick the box for a licence without an end."),
    "legal_person.identity_number": _("Kept encrypted. Our staff see it in part only."),
    "account.account_number": _("Kept encrypted. Our staff see the last four digits only."),
    "account.card_number": _("Kept encrypted. Our staff see the last four digits only."),
    "business.icp_number": _("For a site or an app, such as 京ICP备12345678号-1."),
}

CHOICES: Final[Words] = {
    "entity.entity.enterprise": _("Enterprise"),
    "entity.entity.individual": _("Individual business"),
    "entity.entity.institution": _("Institution"),
    "entity.contact_role.legal_person": _("The legal representative"),
    "entity.contact_role.authorised": _("Somebody else, with a letter of authorisation"),
    "shareholders.kind.person": _("Person"),
    "shareholders.kind.company": _("Company"),
    "owners.basis.share": _("Holds a quarter or more"),
    "owners.basis.control": _("Controls it in another way"),
    "owners.basis.manager": _("Is the senior manager, where there is no other owner"),
    "account.kind.company": _("Company account"),
    "account.kind.personal": _("The operator's own card"),
    "business.place.site": _("On a site"),
    "business.place.app": _("In an app"),
    "business.place.shop": _("In a shop"),
    "business.category.groceries": _("Groceries"),
    "business.category.restaurants": _("Restaurants"),
    "business.category.tea_and_drinks": _("Tea and drinks"),
    "business.category.clothing": _("Clothing"),
    "business.category.electronics": _("Electronics"),
    "business.category.books": _("Books"),
    "business.category.software": _("Software"),
    "business.category.education": _("Education"),
    "business.category.medical": _("Medical services"),
    "business.category.medicines": _("Medicines"),
    "business.category.tobacco": _("Tobacco"),
    "business.category.alcohol": _("Alcohol"),
    "business.category.travel": _("Travel"),
    "business.category.hotels": _("Hotels"),
    "business.category.transport": _("Transport"),
    "business.category.property": _("Property"),
    "business.category.utilities": _("Utilities"),
    "business.category.charity": _("Charity"),
    "business.category.jewellery": _("Jewellery"),
    "business.category.prepaid_cards": _("Prepaid cards"),
    "business.category.other_services": _("Other services"),
    "business.category.gambling": _("Gambling"),
    "business.category.virtual_currency": _("Virtual currency"),
    "business.category.adult_content": _("Adult content"),
    "business.category.payday_loans": _("Payday loans"),
}

DOCUMENTS: Final[Words] = {
    "licence": _("Business licence"),
    "identity_front": _("Identity card of the legal representative, side with the picture"),
    "identity_back": _("Identity card of the legal representative, side with the emblem"),
    "account_proof": _("Proof of the settlement account"),
    "premises": _("Place of business"),
    "owners_identity": _("Identity cards of the beneficial owners"),
    "charter": _("Charter or founding document"),
    "permit": _("Permit for the trade"),
    "authorisation": _("Letter of authorisation for the contact person"),
    "other": _("Anything else"),
}

WHICH: Final[Words] = {
    "account_proof.company": _("The permit to open it, or what the bank prints of the account"),
    "account_proof.personal": _("A picture of the card's side with the number"),
    "premises.shop": _("Pictures of the shop front, the inside and the till"),
    "premises.site": _("Pictures of the first page and of a page with goods and prices"),
    "premises.app": _("Pictures of the first screen and of a screen with goods and prices"),
    "permit.food": _("Food business licence"),
    "permit.publications": _("Publications business licence"),
    "permit.education": _("School-running permit"),
    "permit.medical": _("Licence of a medical institution"),
    "permit.medicines": _("Medicines business licence"),
    "permit.tobacco": _("Tobacco retail licence"),
    "permit.travel": _("Travel agency licence"),
    "permit.lodging": _("Special trade licence for lodging"),
    "permit.transport": _("Road transport licence"),
    "permit.charity": _("Registration as a charity"),
    "permit.prepaid_cards": _("Filing as a card issuer"),
}

FAULTS: Final[Words] = {
    "missing": _("Please fill this in."),
    "too_long": _("This is too long. Please shorten it."),
    "control_characters": _("There are invisible characters in it. Please type it anew."),
    "contact_is_another": _(
        "The legal representative has another name. Mend the name, or say that the contact is"
        " somebody else."
    ),
    "not_offered": _("Choose one of the list."),
    "too_many_rows": _("There are too many rows. Please write to support."),
    "day_shape": _("There is no such day. Choose one from the calendar."),
    "expired": _("It has expired. Hand in a valid one."),
    "begins_later": _("It is not valid yet."),
    "share_shape": _("Type a number such as 25 or 33.33."),
    "share_range": _("A share is more than 0 and at most 100."),
    "amount_shape": _("Type whole yuan, digits only."),
    "mobile_shape": _("A mobile number has eleven digits and begins with 1."),
    "email_shape": _("This is no e-mail address. Look for the @ and the part behind it."),
    "web_address_shape": _("Type the whole address, beginning with https://"),
    "credit_code_shape": _(
        "A credit code has eighteen digits and capital letters, without I, O, S, V and Z."
    ),
    "credit_code_area": _("The area in places three to eight does not exist. Look at the licence."),
    "credit_code_check": _("A digit is wrong: the check digit does not fit. Look at the licence."),
    "identity_shape": _("An identity number has seventeen digits and a last digit or X."),
    "identity_area": _("The area at the beginning does not exist. Look at the card."),
    "identity_date": _("The day of birth in the number does not exist. Look at the card."),
    "identity_check": _("A digit is wrong: the check digit does not fit. Look at the card."),
    "identity_age": _("By this number the person is younger than 18 or older than 120."),
    "card_shape": _("A card number has 13 to 19 digits."),
    "card_check": _("A digit is wrong: the check digit does not fit. Look at the card."),
    "account_shape": _("An account number has 6 to 32 digits."),
    "bank_code_shape": _("A branch code has twelve digits. Your bank tells it to you."),
    "icp_shape": _("A filing looks like 京ICP备12345678号-1."),
    "category_blocked": _("We cannot take on this kind of business."),
    "company_account_wanted": _(
        "An enterprise or institution is paid to a company account, not to a person's card."
    ),
    "another_holder": _(
        "The holder must be the business as on the licence; for a card, its operator."
    ),
    "nobody_named": _("Name at least one."),
    "more_than_whole": _("Together the shares are more than the whole."),
    "owner_missing": _(
        "A shareholder who holds a quarter or more is missing here. Name this person, with the same"
        " identity number as under Shareholders."
    ),
    "below_a_quarter": _("Below a quarter nobody is an owner by share. Choose another reason."),
    "manager_beside_owner": _(
        "The senior manager is named only where nobody owns or controls the company."
    ),
    "less_than_held": _(
        "This is less than the share of the same person under Shareholders. Correct one of them."
    ),
    "named_twice": _("This one is named twice. Put both together."),
    "another_name_before": _("The same number stands beside another name. Which is right?"),
    "document_missing": _("Please add it."),
    "document_rejected": _("It was rejected. Take it back and add another."),
    "document_infected": _("A virus was found in it. Take it back and add a clean one."),
    "document_term_missing": _("Until when is it good? Take it back and add it with the day."),
    "document_expired": _("It has expired. Take it back and add a valid one."),
}

REASONS: Final[Words] = {
    "unreadable": _("It cannot be read. Hand in a sharper picture, all four corners visible."),
    "mismatch": _("It does not match the paper. Correct one of them."),
    "wrong_paper": _("This is another paper than was asked for."),
    "incomplete": _("A part of it is missing."),
    "expired": _("It has expired, or will within a month."),
    "doubtful": _("It looks altered. Hand in an original."),
    "not_allowed": _("The licence or permit does not cover it."),
    "other": pgettext_lazy("reason", "Something else; see the words beside it."),
}
"""Why a reviewer rejects a field or a paper, as the applicant reads it."""

GRADES: Final[Words] = {
    "low": pgettext_lazy("risk", "Low"),
    "medium": pgettext_lazy("risk", "Medium"),
    "high": pgettext_lazy("risk", "High"),
}

RISKS: Final[Words] = {
    "category_high": _("A trade of high risk"),
    "category_medium": _("A trade of medium risk"),
    "category_blocked": _("A trade that is not taken on"),
    "volume_high": _("Expects sales of 5 million yuan a month or more"),
    "volume_raised": _("Expects sales of 500 thousand yuan a month or more"),
    "amount_high": _("Usual payments of 50 thousand yuan or more"),
    "amount_raised": _("Usual payments of 5 thousand yuan or more"),
    "amount_above_volume": _("One usual payment is more than the sales of a month"),
    "company_new": _("Licensed less than six months ago"),
    "company_young": _("Licensed less than two years ago"),
    "held_by_companies": _("Companies hold a quarter or more of it"),
    "owner_by_control": _("Somebody controls it in another way than by a share"),
    "owner_is_manager": _("No owner was found: the senior manager stands in"),
    "owner_from_outside": _("People with residence permits of Hong Kong, Macau or Taiwan"),
    "site_without_filing": _("A site or app without an ICP filing"),
    "paid_to_a_card": _("Paid to its operator's own card"),
    "screening_dismissed": _("A hit of screening that was found to be somebody else"),
    "screening_open": _("Screening is not finished"),
    "screening_confirmed": _("Somebody is on a list"),
    "not_stated": _("Something that counts was not stated"),
}
"""Why a merchant has its grade of risk. For reviewers only: merchants never see them."""

DILIGENCES: Final[Words] = {
    "source_of_funds": _("Ask where the money comes from, with evidence"),
    "purpose_in_detail": _("Ask what exactly is sold to whom, with contracts"),
    "site_visit": _("Visit the place of business, or its people by video"),
    "senior_approval": _("Have a senior manager agree"),
    "tighter_limits": _("Set lower limits for each payment and each day"),
}
"""What is done for a merchant of high risk beside all else."""

REFUSALS: Final[Words] = {
    "recogniser_off": _("Documents are not read here: type what they say."),
    "recogniser_missing": _("Documents are not read here: type what they say."),
    "recogniser_language_missing": _("Documents are not read here: type what they say."),
    "not_scanned": _("The file waits for the virus scan. Try again in a few minutes."),
    "not_a_picture": _("Only pictures are read. Type what the paper says."),
    "picture_too_large": _("The picture is too large to be read. Type what the paper says."),
    "recogniser_slow": _(
        "Reading took too long. Type what the paper says, or add a clearer picture."
    ),
    "recogniser_failed": _("The picture could not be read. Type what the paper says."),
    "recogniser_garbage": _("The picture could not be read. Type what the paper says."),
    "unknown": _("There is no such renewal any more."),
    "term_unknown": _("This paper is not in force any more. Look at the list again."),
    "ends_too_early": _("The new paper must be good for longer than the one it replaces."),
    "waiting_already": _("A new paper of this kind waits for our reviewers already."),
    "application_not_found": _("There is no such application any more."),
    "not_writable": _(
        "This is not open for writing: the application is with the reviewers, or they found it"
        " right already."
    ),
    "overtaken": _(
        "Somebody saved this section while you were writing: perhaps you, in another tab. Nothing"
        " you typed is lost: press Save to compare both."
    ),
    "too_many_documents": _("There are ten files of this kind already. Take one back first."),
    "incomplete": _("Some things are missing or wrong. They are marked below."),
    "credit_code_taken": _(
        "Another merchant has applied with this credit code. If it is yours, write to support."
    ),
    "agreement_changed": _("The agreement has changed. Please read it again."),
    "illegal_move": _("The application is not where you think it is. Look at it again."),
    "ability_missing": _("Your role does not allow this. Ask somebody whose role does."),
    "own_merchant": _("You belong to this merchant. Somebody else must review it."),
    "not_in_review": _("This application is not with the reviewers."),
    "target_unknown": _("This field or paper is not a part of the application any more."),
    "reason_missing": _("Choose why you reject it, for each that you reject."),
    "paper_waits": _(
        "A paper waits for the virus scan, so nobody has seen it. Say that it is right when it can"
        " be looked at."
    ),
    "words_missing": _("Write down why, so that the applicant understands it."),
    "nothing_rejected": _("You rejected nothing. Say first what the applicant should mend."),
    "not_all_right": _("Not every field and paper has been found right yet."),
    "note_missing": _("Write down why, or what was done and found."),
    "grade_not_raised": _("It has this grade already, or a higher one. Nobody lowers a grade."),
    "measure_not_wanted": _("This measure is not wanted for its grade any more. Look again."),
    "diligence_missing": _(
        "The risk is high, and not every measure for it is done yet. Note what was done for each."
    ),
    "statement_missing": _("Say that nothing has changed, or what has."),
    "screening_open": _(
        "Somebody in this application is like a name on a list. Decide the hit first; one that is"
        " true keeps the merchant out."
    ),
    "faulty_meanwhile": _(
        "Something in the application does not hold any more: a paper may have expired while it"
        " waited. Send it back."
    ),
}


def refusal_told(refusal: Exception) -> str:
    """A refusal of this room in words for people."""
    code = str(getattr(refusal, "code", ""))
    return str(REFUSALS.get(code, code or refusal))
