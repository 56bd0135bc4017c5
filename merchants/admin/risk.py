"""The grade of an application as reviewers see it: what made it, and what is done for it."""

from typing import Any

from merchants.onboarding.diligence import measures_of
from merchants.onboarding.grading import Grade
from merchants.onboarding.models import Application
from merchants.onboarding.words import DILIGENCES, GRADES, RISKS

TONES = {Grade.LOW: "ok", Grade.MEDIUM: "warn", Grade.HIGH: "bad"}


def risk_of(application: Application) -> dict[str, Any]:
    """Empty until it was graded."""
    if application.risk is None:
        return {}
    grade = Grade(application.risk)
    rows = list(application.grades.select_related("raised_by").order_by("-pk"))
    ruled = next((row for row in rows if row.raised_by is None), None)
    done = list(application.diligence.select_related("by", "file").order_by("pk"))
    return {
        "label": GRADES[grade.name.lower()],
        "tone": TONES[grade],
        "points": ruled.points if ruled else 0,
        "rules": ruled.rules if ruled else "",
        "reasons": [(RISKS[code], points) for code, points in (ruled.reasons if ruled else ())],
        "raised": [row for row in rows if row.raised_by is not None],
        "higher": [(one.value, GRADES[one.name.lower()]) for one in Grade if one > grade],
        "measures": [
            {
                "code": code,
                "title": DILIGENCES[code],
                "notes": [(row, row.note_sealed.open()) for row in done if row.measure == code],
            }
            for code in measures_of(application)
        ],
    }
