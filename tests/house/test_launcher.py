"""The launcher's parts, without processes: what it reads, makes, refuses and says."""

import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from paysite.launcher import packages, postgres, preparing, virtualenv
from paysite.launcher import places as launcher_places
from paysite.launcher.command import main
from paysite.launcher.environment import MARK, for_processes, given, is_demo, names, read_env_file
from paysite.launcher.packages import Package
from paysite.launcher.places import (
    Account,
    Places,
    home_of,
    homes_elsewhere,
    may_enter,
    open_places,
    private_folder,
)
from paysite.launcher.preparing import Workshop, wanted_number
from paysite.launcher.processes import run_logged
from paysite.launcher.progress import LaunchFailed, Progress, tail
from paysite.launcher.supervisor import LOG_BYTES_MAX, Log, Supervisor

NOBODY = Account(name="nobody", uid=65534, gid=65534)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return open_places(tmp_path / "data", checkout=tmp_path)


def test_an_env_file_is_read_as_people_write_it(tmp_path):
    (tmp_path / ".env").write_text(
        "# a comment\nPORT=8100\nexport DATA_DIR = '/srv/pay site'\nEMPTY=\nnonsense\n"
        'QUOTED="a=b"\nHALF="open\n'
    )
    assert read_env_file(tmp_path / ".env") == {
        "PORT": "8100",
        "DATA_DIR": "/srv/pay site",
        "EMPTY": "",
        "QUOTED": "a=b",
        "HALF": '"open',
    }


def test_the_environment_wins_over_the_file_and_empty_is_not_set(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PORT=8100\nHOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "8200")
    monkeypatch.setenv("HOST", "")

    environ = given(tmp_path)

    assert (environ["PORT"], environ["HOST"]) == ("8200", "0.0.0.0")


def test_a_setting_in_a_file_counts_as_given():
    assert names({"DATABASE_URL_FILE": "/run/secrets/db"}, "DATABASE_URL")
    assert not names({"DATABASE_URL": ""}, "DATABASE_URL")


@pytest.mark.parametrize(("value", "demo"), [("true", True), ("1", True), ("false", False)])
def test_demo_is_what_the_settings_would_take_it_for(value, demo):
    assert is_demo({"DEMO": value}) is demo
    assert is_demo({}) is True


def test_secrets_are_made_once_and_only_for_their_owner(places):
    first = for_processes(places, {}, host="127.0.0.1", port=8000)
    second = for_processes(places, {}, host="127.0.0.1", port=8000)

    assert len(first["SECRET_KEY"]) >= 50
    assert {name: second[name] for name in ("SECRET_KEY", "FIELD_KEYS")} == {
        name: first[name] for name in ("SECRET_KEY", "FIELD_KEYS")
    }
    assert (places.data / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert first[MARK] != second[MARK]


def test_outside_the_demo_no_secret_is_invented(places):
    env = for_processes(places, {"DEMO": "false"}, host="127.0.0.1", port=8000)

    assert "SECRET_KEY" not in env
    assert not (places.data / "secrets.env").exists()


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_shown_is_one_that_a_browser_can_open(places, host, base):
    assert for_processes(places, {}, host=host, port=8000)["BASE_URL"] == base


def test_an_address_that_was_given_is_kept(places):
    env = for_processes(places, {"BASE_URL": "https://pay.test"}, host="127.0.0.1", port=8000)
    assert env["BASE_URL"] == "https://pay.test"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80a", "８０８０", ""])
def test_a_port_that_is_none_is_told(port):
    with pytest.raises(LaunchFailed, match="PORT must be a number from 1 to 65535"):
        wanted_number(port, name="PORT", least=1, most=65535)


def test_a_missing_package_is_named_with_the_command(places, monkeypatch):
    monkeypatch.setattr(packages, "installed", lambda _: {"redis-server"})
    monkeypatch.setattr(packages, "rights", lambda: None)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/dpkg-query")

    with pytest.raises(LaunchFailed) as failure:
        packages.ensure([packages.REDIS, packages.POSTGRESQL], places=places, env={})

    assert failure.value.what == "System packages are missing: postgresql."
    assert failure.value.advice == (
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends postgresql"
    )


def test_only_what_is_missing_is_installed(places, monkeypatch):
    ran: list[list[str]] = []
    monkeypatch.setattr(packages, "installed", lambda _: {"redis-server"})
    monkeypatch.setattr(packages, "rights", lambda: ["sudo", "-n"])
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/dpkg-query")
    monkeypatch.setattr(packages, "run_logged", lambda command, **_: ran.append(list(command)))

    word = packages.ensure([packages.REDIS, packages.POSTGRESQL], places=places, env={})

    assert word == "installed postgresql"
    assert [command[5] for command in ran] == ["update", "-o"]
    assert ran[1][-3:] == ["-y", "--no-install-recommends", "postgresql"]


def test_what_is_only_wished_for_is_left_out_with_a_word(places, monkeypatch):
    monkeypatch.setattr(packages, "installed", lambda _: set())
    monkeypatch.setattr(packages, "rights", lambda: None)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/dpkg-query")

    word = packages.wish(packages.RECOGNISER, places=places, env={})

    assert word.startswith("left out: System packages are missing: tesseract-ocr ")
    assert "sudo apt-get install" in word


@pytest.mark.parametrize(
    ("setting", "word", "asked", "wished"),
    [
        ({}, "installed redis-server", False, True),
        ({}, packages.ALL_THERE, False, False),
        ({"RECOGNISER": "none"}, "installed redis-server", False, False),
        ({"RECOGNISER": "tesseract"}, "installed redis-server", True, False),
        ({"DEMO": "false"}, "installed redis-server", False, False),
    ],
)
def test_the_recogniser_is_installed_when_it_is_asked_for(
    places, monkeypatch, setting, word, asked, wished
):
    ensured: list[Package] = []
    wishes: list[Package] = []

    def ensure(wanted, **_):
        ensured.extend(wanted)
        return word

    def wish(wanted, **_):
        wishes.extend(wanted)
        return "tried"

    monkeypatch.setattr(packages, "ensure", ensure)
    monkeypatch.setattr(packages, "wish", wish)
    monkeypatch.setattr(virtualenv, "ensure", lambda *_, **__: "there")
    progress = Progress(io.StringIO())
    preparing.install(Workshop(places, progress, Supervisor(places, progress), setting))

    assert set(packages.RECOGNISER).issubset(ensured) == asked
    assert bool(wishes) == wished


def test_elsewhere_than_on_debian_programs_are_looked_for(places, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(packages, "server_programs", lambda _: [])

    with pytest.raises(LaunchFailed, match="Missing on this machine: nosuch"):
        packages.ensure([Package("no-such", "nosuch")], places=places, env={})


def test_a_command_that_fails_leaves_its_words_in_the_log(places):
    with pytest.raises(LaunchFailed) as failure:
        run_logged(
            [sys.executable, "-c", "import sys; sys.exit('no room left')"],
            what="Making it failed",
            places=places,
            env={},
            advice="Make room.",
        )
    said = io.StringIO()
    Progress(said).explain(failure.value)

    assert "FAILED: Making it failed (exit code 1)" in said.getvalue()
    assert "no room left" in said.getvalue()
    assert said.getvalue().endswith("What to do: Make room.\n")


def test_a_command_that_is_not_there_is_a_failure_too(places):
    with pytest.raises(LaunchFailed, match="No such file"):
        run_logged(["/no/such/program"], what="Making it", places=places, env={})


def test_steps_show_their_time_and_outcome():
    said = io.StringIO()
    progress = Progress(said)
    with progress.step("Redis") as step:
        step.note("up")
    with pytest.raises(LaunchFailed), progress.step("PostgreSQL"):
        raise LaunchFailed("no")

    first, second = said.getvalue().splitlines()
    assert first.startswith("[ 1] Redis ..")
    assert first.endswith(" s  up")
    assert "FAILED after 0.0 s" in second


def test_the_tail_of_a_log_is_its_last_lines(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(5000)))
    assert tail(log, lines=2) == ["line 4998 \ufffd", "line 4999 \ufffd"]


def test_a_large_log_is_turned_over(tmp_path):
    log = Log(tmp_path / "web.log")
    log.write(b"x" * LOG_BYTES_MAX + b"old\n")
    log.write(b"new\n")
    log.file.close()
    assert (tmp_path / "web.log").read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").stat().st_size > LOG_BYTES_MAX


def test_a_folder_that_a_stranger_laid_out_is_refused(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    trap = tmp_path / "socket"
    trap.symlink_to(target)
    with pytest.raises(LaunchFailed, match="belongs to somebody else"):
        private_folder(trap, None)


def test_a_folder_of_ours_is_closed(tmp_path):
    folder = tmp_path / "socket"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    assert private_folder(folder, None).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("mode", "enters"), [(0o700, False), (0o711, True), (0o750, False)])
def test_whether_an_account_can_pass_is_read_from_the_mode(tmp_path, mode, enters):
    tmp_path.chmod(mode)
    assert may_enter(tmp_path, NOBODY) is enters
    owner = Account(name="me", uid=os.geteuid(), gid=0)
    assert may_enter(tmp_path, owner)


@pytest.fixture
def closed_to_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """As for root's own folder: the server's account cannot go there."""
    monkeypatch.setattr(launcher_places, "ELSEWHERE", tmp_path / "elsewhere")
    monkeypatch.setattr(launcher_places, "may_enter", lambda *_: False)
    return Account(name="server", uid=os.geteuid(), gid=os.getegid())


def test_where_a_server_cannot_go_its_home_is_elsewhere(places, closed_to_servers):
    home = home_of("postgres", places, closed_to_servers)

    assert home.is_relative_to(places.checkout / "elsewhere")
    assert home_of("postgres", places, closed_to_servers) == home
    assert (places.data / "postgres").readlink() == home
    assert homes_elsewhere(places) == [home.parent]


def test_a_new_data_folder_finds_no_old_data(places, closed_to_servers):
    old = home_of("postgres", places, closed_to_servers)
    shutil.rmtree(places.data)

    again = open_places(places.data, checkout=places.checkout)

    assert home_of("postgres", again, closed_to_servers) != old


def test_a_copied_data_folder_does_not_share_the_original_s_servers(places, closed_to_servers):
    original = home_of("postgres", places, closed_to_servers)
    shutil.copytree(places.data, places.checkout / "copy", symlinks=True)

    copy = open_places(places.checkout / "copy", checkout=places.checkout)

    assert home_of("postgres", copy, closed_to_servers) != original
    assert home_of("postgres", places, closed_to_servers) == original


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LaunchFailed, match="cannot be written"):
        open_places(tmp_path / "file" / "data")


def fake_postgres(folder: Path, version: int) -> Path:
    program = folder / str(version) / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.4 (Debian)'\n")
    program.chmod(0o755)
    return program


def test_the_newest_postgresql_serves_unless_the_data_is_of_another(tmp_path, monkeypatch):
    found = [fake_postgres(tmp_path, version) for version in (17, 15)]
    monkeypatch.setattr(postgres, "server_programs", lambda _: found)
    version_file = tmp_path / "PG_VERSION"

    assert postgres.find_programs(version_file) == found[0].parent
    version_file.write_text("15\n")
    assert postgres.find_programs(version_file) == found[1].parent
    version_file.write_text("16\n")
    with pytest.raises(LaunchFailed, match="was made by PostgreSQL 16, which is not installed"):
        postgres.find_programs(version_file)


def test_a_postgresql_too_old_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "server_programs", lambda _: [fake_postgres(tmp_path, 14)])
    with pytest.raises(LaunchFailed, match="PostgreSQL 15 or newer was not found"):
        postgres.find_programs(tmp_path / "PG_VERSION")


def make_venv(places: Places, *, pytest_too: bool = False) -> None:
    (places.venv / "bin").mkdir(parents=True)
    (places.venv / "bin" / "python").write_text("")
    if pytest_too:
        (places.venv / "bin" / "pytest").write_text("")
    for lock in (virtualenv.RUN_LOCK, virtualenv.DEV_LOCK):
        (places.checkout / lock).write_text("uv==1.0 \\\n    --hash=sha256:00\n")


def note_fillings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    filled: list[str] = []

    def fill(_: Places, *, lock: str, env: dict[str, str]) -> str:
        filled.append(lock)
        return lock

    monkeypatch.setattr(virtualenv, "fill", fill)
    return filled


def test_the_virtual_environment_is_filled_once_per_lock(places, monkeypatch):
    make_venv(places)
    filled = note_fillings(monkeypatch)

    virtualenv.ensure(places, env={}, with_dev=False)
    virtualenv.ensure(places, env={}, with_dev=False)
    (places.checkout / virtualenv.RUN_LOCK).write_text("uv==1.1 \\\n    --hash=sha256:00\n")
    virtualenv.ensure(places, env={}, with_dev=False)

    assert filled == [virtualenv.RUN_LOCK, virtualenv.RUN_LOCK]


def test_running_does_not_take_the_test_tools_away(places, monkeypatch):
    make_venv(places, pytest_too=True)
    filled = note_fillings(monkeypatch)

    virtualenv.ensure(places, env={}, with_dev=False)

    assert filled == [virtualenv.DEV_LOCK]


def test_without_uv_pip_installs_from_the_same_lock(places, monkeypatch):
    make_venv(places)
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        ran.append(command)
        if "--only-binary" in command:
            raise LaunchFailed("no uv for this machine")

    monkeypatch.setattr(virtualenv, "run_logged", run)

    assert virtualenv.fill(places, lock="requirements.txt", env={}) == "requirements.txt by pip"
    assert ran[-1][1:] == [
        *("-m", "pip", "install", "--no-input", "--require-hashes", "-r", "requirements.txt")
    ]


def test_an_unknown_verb_is_answered_with_the_known_ones(capsys):
    assert main(["fly"]) == 2
    assert "run|test|check|bench" in capsys.readouterr().out
