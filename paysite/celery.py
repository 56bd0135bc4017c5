"""The Celery application and its timetable. Rows are the truth; Celery only wakes those who read
them.
"""

import os
from typing import Any, Final

from celery import Celery, Task
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun

from compliance.trace import begin, end, request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")

app: Final = Celery("paysite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["compliance", "merchants", "payments"])

app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds * 2}}
    for name, seconds in {
        "compliance.seal_audit": 5.0,
        "compliance.stamp_audit": 300.0,
        "compliance.expire_requests": 60.0,
        "compliance.send_letters": 5.0,
        "compliance.scan_waiting_files": 60.0,
        "compliance.go_on_erasing": 30.0,
        "compliance.make_reports": 5.0,
        "compliance.forget_what_is_old": 3600.0,
        "merchants.go_on_screening": 30.0,
        "merchants.watch_terms": 3600.0,
        "merchants.forget_ticket_links": 3600.0,
        "payments.deliver_due_callbacks": 1.0,
        "payments.ask_about_open_attempts": 5.0,
        "payments.expire_payments": 10.0,
        "payments.send_due_refunds": 5.0,
        "payments.give_up_unreleased_refunds": 60.0,
        "payments.pursue_enrolments": 15.0,
        "payments.checkpoint_balances": 3600.0,
        "payments.forget_idempotency_keys": 600.0,
        "payments.begin_reconciliations": 900.0,
        "payments.go_on_reconciling": 60.0,
    }.items()
}


@setup_logging.connect(dispatch_uid="paysite.celery.lines")
def _lines_stay_ours(**_: Any) -> None:
    """Celery asks whether anybody else sets up logging; Django has done so already."""


@before_task_publish.connect(dispatch_uid="paysite.celery.publish")
def _number_travels(headers: dict[str, Any], **_: Any) -> None:
    """The number of the request that asks for a task goes along with it."""
    if number := request_id():
        headers["request_id"] = number


@task_prerun.connect(dispatch_uid="paysite.celery.prerun")
def _task_begins(task: Task[Any, Any], task_id: str, **_: Any) -> None:
    """Lines of a task say which, and for which request; what it was given, they do not say."""
    asked_by = task.request.get("request_id") or (task.request.headers or {}).get("request_id")
    begin(request_id=asked_by or task_id, task=task.name)


@task_postrun.connect(dispatch_uid="paysite.celery.postrun")
def _task_ends(**_: Any) -> None:
    end()
