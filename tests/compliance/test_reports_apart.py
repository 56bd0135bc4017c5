"""What draws and signs PDFs lives in processes of its own: bounded, and in nobody else's memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports import apart
from compliance.reports.apart import ApartFailed, ask, framed, unframed
from compliance.reports.signing import is_intact
from paysite.launcher.places import CHECKOUT

HEAVY = ("weasyprint", "pyhanko", "fontTools", "tinycss2")
SECRET = "the password of the key file"


def program(folder: Path, body: str) -> str:
    """A program that answers as `body` says; `folder` stands for the checkout."""
    (folder / "compliance").symlink_to(CHECKOUT / "compliance")
    text = f"from compliance.reports.apart import serve\nimport os, time\n{body}\n"
    (folder / "answers.py").write_text(text)
    return "answers"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "HOME", tmp_path)
    return tmp_path


@given(parts=st.lists(st.binary(max_size=40), max_size=5), text=st.text(max_size=20))
def test_a_frame_is_read_as_it_was_written(parts, text):
    assert unframed(framed({"told": text}, parts)) == ({"told": text}, parts)


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_frame_that_was_cut_off_is_no_answer(cut):
    with pytest.raises(ValueError):  # noqa: PT011  of JSON, or ours
        unframed(framed({"a": 1}, [b"x" * 20])[:-cut])


WEB = "import paysite.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
WORKER = "import django; django.setup(); import compliance.tasks, payments.tasks"


@pytest.mark.slow
@pytest.mark.parametrize("start", [WEB, WORKER], ids=["web", "worker"])
def test_neither_web_processes_nor_workers_carry_what_draws_and_signs(start):
    script = f"{start}; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=CHECKOUT, capture_output=True, check=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "paysite.settings", "DEMO": "true"},
    )  # fmt: skip
    assert told.stdout.decode().strip() == "[]"


def test_what_is_secret_stands_in_no_command_and_no_environment(home):
    body = (
        "def answer(head, parts):\n"
        "    seen = open('/proc/self/cmdline').read() + open('/proc/self/environ').read()\n"
        "    return {'is_seen': head['password'] in seen, 'path': 'DATABASE_URL' in seen}, parts\n"
        "serve(answer, memory_max=2**30, cpu_seconds_max=5)"
    )
    told, parts = ask(program(home, body), {"password": SECRET}, [b"\n{}\0", b""], seconds_max=20.0)
    assert told == {"is_seen": False, "path": False}
    assert parts == [b"\n{}\0", b""]


@pytest.mark.parametrize(
    "work",
    [
        "while True: pass",  # Its second of processor time ends it.
        "bytearray(2**30)",
        "os._exit(0)",
        "raise ValueError('with a name')",
    ],
)
def test_a_program_that_breaks_is_a_fault_and_no_answer(home, work):
    body = (
        f"def answer(head, parts):\n    {work}\n    return {{}}, []\n"
        "serve(answer, memory_max=2**29, cpu_seconds_max=1)"
    )
    with pytest.raises(ApartFailed) as fault:
        ask(program(home, body), {}, [], seconds_max=60.0)
    assert "with a name" not in str(fault.value)


def test_a_program_that_waits_for_ever_is_killed(home):
    body = (
        "open('pid', 'w').write(str(os.getpid()))\n"
        "def answer(head, parts):\n    time.sleep(600)\n"
        "serve(answer, memory_max=2**30, cpu_seconds_max=5)"
    )
    with pytest.raises(ApartFailed, match="longer than"):
        ask(program(home, body), {}, [], seconds_max=3.0)
    pid = int((home / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_program_whose_asker_is_killed_ends_too(home):
    os.mkfifo(home / "pipe")
    body = (
        "pipe = open('pipe', 'w')\n"
        "def answer(head, parts):\n    print('here', file=pipe, flush=True)\n    time.sleep(600)\n"
        "serve(answer, memory_max=2**30, cpu_seconds_max=5)"
    )
    script = (
        "import pathlib; from compliance.reports import apart;"
        f"apart.HOME = pathlib.Path({str(home)!r});"
        f"apart.ask({program(home, body)!r}, {{}}, [], seconds_max=600.0)"
    )
    with (
        subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT) as asker,
        (home / "pipe").open() as pipe,
    ):
        assert pipe.readline() == "here\n"
        asker.kill()
        assert pipe.read() == "", "the pipe ends with the program that held it"


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 nothing", os.urandom(200)])
def test_what_is_no_pdf_has_no_signature(content, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    assert not is_intact(content)
