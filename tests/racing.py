"""Several who do something at the same moment, each over a connection of their own."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread

from django.db import connection


def at_once(deeds: Sequence[Callable[[], object]]) -> list[str]:
    """Do them together; how each ended: "done", a refusal's code, or what was raised."""
    start, outcomes = Barrier(len(deeds)), []

    def run(deed: Callable[[], object]) -> None:
        start.wait()
        try:
            deed()
            outcomes.append("done")
        except Exception as raised:  # noqa: BLE001  -- the story tells what must not happen
            outcomes.append(getattr(raised, "code", "") or repr(raised))
        finally:
            connection.close()

    threads = [Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)
