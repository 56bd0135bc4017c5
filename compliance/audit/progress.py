"""How far the sealer need not look back: pure, so that every order of events can be tried.

An entry gets its id before its transaction commits, so that a lower id may appear after a higher
one was sealed. First an id is watched; the next run notes a transaction number above all that can
hold a lower id; when all those have ended, and their entries were sealed by the run that saw it,
the id is settled and another is watched.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Progress:
    """Ids up to `settled` need no look; `watched` is next, once all below `until` have ended."""

    settled: int = 0
    watched: int = 0
    until: int | None = None

    def after_run(self, *, oldest: int, newest: int, last: int) -> "Progress":
        """The progress after a run that sealed everything it saw.

        `oldest` is the lowest transaction number still open when the run began, `newest` the next
        one to be given out, `last` the highest entry id then.
        """
        if self.until is None:
            return replace(self, until=newest)
        if oldest < self.until:
            return self
        return Progress(settled=self.watched, watched=last)
