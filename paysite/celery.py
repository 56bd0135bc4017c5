"""The Celery application and its timetable. Rows are the truth; Celery only wakes those who read
them.
"""

import os
from typing import Final

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")

app: Final = Celery("paysite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["compliance", "payments"])

app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds * 2}}
    for name, seconds in {
        "compliance.seal_audit": 5.0,
        "compliance.expire_requests": 60.0,
        "compliance.send_letters": 5.0,
        "compliance.scan_waiting_files": 60.0,
        "compliance.go_on_erasing": 30.0,
        "compliance.forget_what_is_old": 3600.0,
        "payments.deliver_due_callbacks": 1.0,
        "payments.ask_about_open_attempts": 5.0,
        "payments.expire_payments": 10.0,
        "payments.send_due_refunds": 5.0,
        "payments.checkpoint_balances": 3600.0,
        "payments.forget_idempotency_keys": 600.0,
    }.items()
}
