"""The program that reads documents: what it reads really, and what it is refused for."""

import io
import os
import random
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TextIO

import pytest
from PIL import Image

from merchants.checks import recogniser_is_there
from merchants.onboarding.formats import read_credit_code
from merchants.onboarding.recognising import enclosed, tesseract
from merchants.onboarding.recognising.choosing import Readiness, readiness, recogniser
from merchants.onboarding.recognising.reading import Kind, Page, RecognitionRefused
from merchants.onboarding.recognising.tesseract import Tesseract, find_program, page_of
from tests.merchants import papers

TODAY = date(2026, 11, 23)
HEAD = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)
PAGE = "1\t1\t0\t0\t0\t0\t0\t0\t800\t600\t-1\t"
WORD = "5\t1\t1\t1\t1\t1\t10\t20\t300\t20\t91.5\t91110102MA0179UA3A"


def picture(width: int = 80, height: int = 60) -> bytes:
    drawn = io.BytesIO()
    Image.new("L", (width, height), 255).save(drawn, "PNG")
    return drawn.getvalue()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Tesseract]:
    """A shell script in Tesseract's place."""

    def make(script: str) -> Tesseract:
        path = tmp_path / "tesseract"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Tesseract(str(path))

    return make


def refusal(engine: Tesseract, content: bytes | None = None) -> str:
    with pytest.raises(RecognitionRefused) as refused:
        engine.read(picture() if content is None else content, kind=Kind.LICENCE, on=TODAY)
    return refused.value.code


class TestWhatTheProgramSays:
    def test_its_table_becomes_suggestions(self, program):
        engine = program(f"printf '%s\\n' '{HEAD}' '{PAGE}' '{WORD}'")
        read = engine.read(picture(), kind=Kind.LICENCE, on=TODAY)
        assert read.values == {"credit_code": papers.COMPANY["credit_code"]}
        assert [line.text for line in read.lines] == ["91110102MA0179UA3A"]
        assert read.lines[0].confidence == 92

    def test_it_is_sent_a_prepared_picture_and_nothing_of_ours(self, program, monkeypatch):
        monkeypatch.setenv("SECRET_KEY", "never")
        engine = program(
            """[ -z "$SECRET_KEY" ] && [ "$(/usr/bin/head -c 10)" = "$(printf 'P5\\n240 180')" ]"""
            f" && printf '%s\\n' '{HEAD}' '{PAGE}'"
        )
        assert engine.look(picture()) == Page(800, 600, ())

    @pytest.mark.parametrize(
        "answer",
        [
            b"", b"nonsense", b"\xff\xfe\x00", HEAD.encode(), f"{HEAD}\n{WORD}".encode(),
            f"{HEAD}\n{PAGE}\n1\t2\t3".encode(),
            f"{HEAD}\n{PAGE}\n{WORD.replace('91.5', '101')}".encode(),
            f"{HEAD}\n{PAGE}\n{WORD.replace('91.5', 'nan')}".encode(),
            f"{HEAD}\n{PAGE}\n{WORD.replace('91.5', 'inf')}".encode(),
            f"{HEAD}\n{PAGE}\n{WORD.replace('300', '-300')}".encode(),
            f"{HEAD}\n{PAGE}\n{WORD.replace('300', '9' * 5000)}".encode(),
            f"{HEAD}\n{PAGE}\n{WORD}{'x' * 200}".encode(),
            "\n".join([HEAD, PAGE, *[WORD] * 10_000]).encode(),
        ],
    )  # fmt: skip
    def test_what_is_no_table_is_refused(self, answer):
        with pytest.raises(RecognitionRefused) as refused:
            page_of(answer)
        assert refused.value.code == "recogniser_garbage"

    def test_control_characters_are_left_out(self):
        [line] = page_of(f"{HEAD}\n{PAGE}\n{WORD}\x1b\u202e\n".encode()).lines
        assert line.text == "91110102MA0179UA3A"


class TestProgramThatMisbehaves:
    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("echo hello", "recogniser_garbage"),
            ("exec /usr/bin/yes level", "recogniser_garbage"),
            ("trap '' XFSZ; /usr/bin/yes level; exit 0", "recogniser_garbage"),
            ("exit 1", "recogniser_failed"),
            ("kill -SEGV $$", "recogniser_failed"),
            ("kill -XCPU $$", "recogniser_slow"),
        ],
    )  # fmt: skip
    def test_it_is_refused_with_a_code(self, program, script, code):
        assert refusal(program(script)) == code

    def test_it_has_little_memory_and_processor_time_and_writes_little(self, program):
        engine = program(
            "[ $(ulimit -v) = 1048576 ] && [ $(ulimit -t) = 10 ] && [ $(ulimit -c) = 0 ]"
            f" && [ $(ulimit -f) = 4096 ] && printf '%s\\n' '{HEAD}' '{PAGE}'"
        )
        assert engine.look(picture()).lines == ()

    def test_one_that_never_ends_is_killed_with_all_it_started(
        self, program, tmp_path, monkeypatch
    ):
        line = tmp_path / "line"
        os.mkfifo(line)
        heard: list[TextIO] = []

        class Impatient(subprocess.Popen[bytes]):
            """Waits until the script and its child are under way, and then no longer."""

            def wait(self, timeout: float | None = None) -> int:
                if timeout is None:
                    return super().wait()
                heard.append(line.open())
                assert heard[0].readline() == "begun\n"
                raise subprocess.TimeoutExpired("tesseract", timeout)

        monkeypatch.setattr(subprocess, "Popen", Impatient)
        engine = program(f"exec 3> {line}\n(while :; do :; done) &\necho begun >&3\nwait")
        assert refusal(engine) == "recogniser_slow"
        with heard[0]:
            assert heard[0].read() == "", "the line ends when nobody holds it any more"

    def test_time_is_kept(self, program, monkeypatch):
        monkeypatch.setattr(tesseract, "SECONDS_MAX", 0.01)
        assert refusal(program("while :; do :; done")) == "recogniser_slow"

    def test_a_program_that_went_away_is_a_failure(self, tmp_path):
        assert refusal(Tesseract(str(tmp_path / "none"))) == "recogniser_failed"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "not_a_picture"),
            (b"%PDF-1.7", "not_a_picture"),
            (picture()[:60], "not_a_picture"),
            (picture(7_100, 7_100), "picture_too_large"),
            (b"\0" * (tesseract.PICTURE_BYTES_MAX + 1), "picture_too_large"),
        ],
        ids=["nothing", "a PDF", "half of one", "many pixels", "many bytes"],
    )
    def test_what_is_no_picture_does_not_reach_it(self, program, tmp_path, content, code):
        engine = program(f"echo > {tmp_path}/reached")
        assert refusal(engine, content) == code
        assert not (tmp_path / "reached").exists()


class TestInstallation:
    def test_it_may_be_off(self, settings):
        settings.RECOGNISER = "none"
        assert readiness() == Readiness.OFF
        assert recogniser_is_there(None) == []
        self.is_refused("recogniser_off")

    def test_without_the_program_it_is_off_and_says_so(self, settings, monkeypatch):
        settings.RECOGNISER = "tesseract"
        monkeypatch.setattr("shutil.which", lambda _: None)
        assert readiness() == Readiness.MISSING
        [warning] = recogniser_is_there(None)
        assert warning.id == "merchants.W001"
        self.is_refused("recogniser_missing")

    @pytest.mark.parametrize("script", ["echo eng", "exit 1", "kill -9 $$"])
    def test_without_chinese_it_is_off_and_says_so(self, settings, monkeypatch, program, script):
        settings.RECOGNISER = "tesseract"
        monkeypatch.setattr("shutil.which", lambda _: program(script).path)
        assert readiness() == Readiness.LANGUAGE_MISSING
        assert len(recogniser_is_there(None)) == 1
        self.is_refused("recogniser_language_missing")

    def test_with_both_it_reads(self, settings, monkeypatch, program):
        settings.RECOGNISER = "tesseract"
        monkeypatch.setattr("shutil.which", lambda _: program("echo eng; echo chi_sim").path)
        assert readiness() == Readiness.READY
        assert recogniser_is_there(None) == []
        assert isinstance(recogniser(), Tesseract)

    def is_refused(self, code: str) -> None:
        with pytest.raises(RecognitionRefused) as refused:
            recogniser()
        assert refused.value.code == code


@pytest.mark.parametrize("turned", [-2.0, -1.0, 0.0, 1.5])
def test_a_page_that_lies_askew_is_turned_back(turned):
    with Image.open(io.BytesIO(papers.photographed(papers.company_licence(), turned=turned))) as im:
        assert abs(enclosed.tilt(im.convert("L")) + turned) <= enclosed.TILT_STEP


SHOTS = (
    {"noise": 0},
    {"turned": 1.2, "noise": 0.1},
    {"turned": -2, "scale": 0.7, "noise": 0.1, "seed": 2},
    {"turned": 0.6, "scale": 0.5, "noise": 0.06, "seed": 3},
)


@pytest.mark.slow
class TestTesseract:
    """The real program; `make test` installs it. Each document is read as scanned and from three
    photographs; the floors are a little below what is reached.
    """

    @pytest.fixture
    def engine(self) -> Tesseract:
        path = find_program()
        assert path is not None, "apt-get install tesseract-ocr tesseract-ocr-chi-sim"
        assert tesseract.has_language(path)
        return Tesseract(path)

    @pytest.mark.parametrize(
        ("draw", "kind", "truth", "floor"),
        [
            (papers.company_licence, Kind.LICENCE, papers.COMPANY,
             ({"credit_code", "legal_person", "established"}, 0.75)),
            (papers.shop_licence, Kind.LICENCE, papers.SHOP,
             ({"credit_code", "legal_person"}, 0.75)),
            (papers.card_front, Kind.IDENTITY_FRONT, papers.PERSON,
             ({"identity_number", "name", "born", "sex"}, 0.85)),
            (papers.card_back, Kind.IDENTITY_BACK, papers.CARD_TERM,
             ({"valid_from", "valid_to"}, 0.9)),
        ],
        ids=["company", "shop", "front", "back"],
    )  # fmt: skip
    def test_it_reads_what_people_would_have_to_type(self, engine, draw, kind, truth, floor):
        always, share = floor
        drawn = draw()
        reads = [
            engine.read(papers.photographed(drawn, **shot), kind=kind, on=TODAY).values
            for shot in SHOTS
        ]
        wrong = {
            f"{field} in shot {number}": read.get(field)
            for number, read in enumerate(reads)
            for field in truth
            if read.get(field) != truth[field]
        }
        assert [place for place in wrong if place.split()[0] in always] == []
        assert 1 - len(wrong) / (len(truth) * len(SHOTS)) >= share, wrong

    @pytest.mark.parametrize("scale", [0.12, 0.2])
    def test_it_does_not_guess_numbers_in_a_blur(self, engine, scale):
        blurred = papers.photographed(papers.company_licence(), scale=scale, noise=0.25)
        read = engine.read(blurred, kind=Kind.LICENCE, on=TODAY)
        code = read.values.get("credit_code")
        assert code is None or read_credit_code(code) == papers.COMPANY["credit_code"]

    def test_an_empty_sheet_says_nothing(self, engine):
        read = engine.read(picture(1200, 900), kind=Kind.LICENCE, on=TODAY)
        assert read.suggestions == ()

    def test_a_page_of_noise_says_nothing_essential(self, engine):
        noise = Image.frombytes("L", (300, 200), random.Random(1).randbytes(60_000))
        sent = io.BytesIO()
        noise.save(sent, "PNG")
        read = engine.read(sent.getvalue(), kind=Kind.IDENTITY_FRONT, on=TODAY)
        assert "identity_number" not in read.values
