"""The Celery application. Rows are the truth; Celery only wakes those who read them."""

import os
from typing import Any, Final

from celery import Celery, Task
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun

from compliance.trace import begin, end, request_id
from paysite.timetable import EVERY

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")

app: Final = Celery("paysite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["compliance", "merchants", "payments"])

app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds * 2}}
    for name, seconds in EVERY.items()
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
