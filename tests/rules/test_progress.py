"""How far the sealer need not look back."""

from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.progress import Progress


def test_an_id_is_settled_once_all_who_could_hold_a_lower_one_have_ended():
    progress = Progress(settled=0, watched=40)

    noted = progress.after_run(oldest=7, newest=9, last=50)
    waiting = noted.after_run(oldest=7, newest=12, last=60)
    settled = waiting.after_run(oldest=9, newest=15, last=70)

    assert noted == Progress(settled=0, watched=40, until=9)
    assert waiting == noted
    assert settled == Progress(settled=40, watched=70)


def test_a_first_run_watches_before_it_settles():
    progress = Progress()
    for run in range(4):
        progress = progress.after_run(oldest=run + 5, newest=run + 5, last=30)

    assert progress.settled == 30


writers = st.lists(
    st.tuples(st.integers(min_value=0, max_value=12), st.integers(min_value=0, max_value=12)),
    max_size=12,
)


@given(writers)
def test_whoever_commits_late_is_never_passed_over(spans):
    """Writer n takes entry id n and transaction number n at one moment and commits later."""
    life = sorted((begin, begin + stay) for begin, stay in spans)
    progress, sealed = Progress(), set()
    for now in range(30):
        begun = [n for n, (begin, _) in enumerate(life, start=1) if begin <= now]
        open_ = [n for n in begun if life[n - 1][1] > now]
        visible = {n for n in begun if n not in open_}
        newest = len(begun) + 1
        sealed |= {n for n in visible if n > progress.settled}
        progress = progress.after_run(
            oldest=min(open_, default=newest), newest=newest, last=max(visible, default=0)
        )

    assert sealed == set(range(1, len(life) + 1))
