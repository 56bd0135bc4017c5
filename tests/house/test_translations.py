"""Everything that a person sees can be read in Chinese, and says there what it says in English."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, Final

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import flatten, label_for_field
from django.utils.translation import override
from django.utils.translation.template import templatize

from paysite.launcher.places import CHECKOUT

SOURCE: Final = CHECKOUT / "locale/zh_Hans/LC_MESSAGES/django.po"
SCRIPTS: Final = SOURCE.with_name("djangojs.po")
ROOMS: Final = ("compliance", "merchants", "payments", "paysite")
KEYWORDS: Final = (
    "gettext_noop", "gettext_lazy", "ngettext_lazy:1,2", "pgettext:1c,2", "npgettext:1c,2,3",
    "pgettext_lazy:1c,2", "npgettext_lazy:1c,2,3",
)  # fmt: skip
"""What Django adds to the words that xgettext knows for Python."""

HOLDERS: Final = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w[^>]*>")
CHINESE: Final = "\u3400-\u9fff"
NARROW: Final = re.compile(
    rf"[{CHINESE}）”][,;:!?()]|[,;!?()][{CHINESE}]|[{CHINESE}]\.(?![\w/])|[{CHINESE}][\"']"
)
SAME_EVERYWHERE: Final = frozenset({"Paysite", "English"})
"""Names, which are not translated."""

Message = str | tuple[str, int]


def catalogue(source: str, folder: Path) -> Mapping[Message, str]:
    """The messages that a program would find. Fuzzy and empty ones are not among them."""
    compiled = folder / "django.mo"
    run(["msgfmt", "--check-format", "-o", str(compiled), "-"], source)
    with compiled.open("rb") as file:
        messages = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {message: text for message, text in messages.items() if message}


def run(command: list[str], given: str = "") -> str:
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, cwd=CHECKOUT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def templates() -> list[Path]:
    return sorted(
        path for path in (CHECKOUT / "templates").rglob("*.*") if path.suffix in {".html", ".txt"}
    )


@pytest.fixture(scope="module")
def english(tmp_path_factory) -> Mapping[Message, str]:
    """Every marked message of the sources, each as its own translation."""
    folder = tmp_path_factory.mktemp("english")
    files = [str(path) for room in ROOMS for path in sorted((CHECKOUT / room).rglob("*.py"))]
    for number, page in enumerate(templates()):
        read = folder / f"{number}.py"
        read.write_text(templatize(page.read_text(encoding="utf-8"), origin=str(page)))
        files.append(str(read))
    keywords = [f"--keyword={word}" for word in KEYWORDS]
    extracted = run([
        "xgettext", "--language=Python", "--from-code=UTF-8", "--output=-",
        *keywords, *files,
    ])  # fmt: skip
    plural = extracted.replace("nplurals=INTEGER; plural=EXPRESSION", "nplurals=2; plural=n != 1")
    return catalogue(run(["msgen", "-"], plural), folder)


@pytest.fixture(scope="module")
def chinese(tmp_path_factory) -> Mapping[Message, str]:
    return catalogue(SOURCE.read_text(encoding="utf-8"), tmp_path_factory.mktemp("chinese"))


def test_every_message_has_a_finished_translation(english, chinese):
    # English has one message more for each plural. Chinese has no plural.
    wanted = {message for message in english if not (isinstance(message, tuple) and message[1])}
    assert len(wanted) > 500
    assert sorted(map(str, wanted - set(chinese))) == []


def test_no_translation_is_left_of_a_message_that_is_gone(english, chinese):
    assert sorted(map(str, set(chinese) - set(english))) == []
    assert "\n#~" not in SOURCE.read_text(encoding="utf-8")


def test_no_translation_is_a_guess():
    assert ", fuzzy" not in SOURCE.read_text(encoding="utf-8")


def test_values_and_tags_are_the_same_in_both(english, chinese):
    differing = {}
    for message, text in chinese.items():
        many = (message[0], 1) if isinstance(message, tuple) else message
        if sorted(HOLDERS.findall(english[many])) != sorted(HOLDERS.findall(text)):
            differing[message] = text
    assert differing == {}


def test_translations_are_chinese_with_its_own_punctuation(chinese):
    plain = {
        message: text
        for message, text in chinese.items()
        if not re.search(f"[{CHINESE}：]", text) and message not in SAME_EVERYWHERE
    }
    narrow = {
        message: text
        for message, text in chinese.items()
        if NARROW.search(re.sub(r"</?\w[^>]*>", "", text))
    }
    assert plain == {}
    assert narrow == {}


HIDDEN: Final = re.compile(
    r"\{%\s*blocktrans(?:late)?\b.*?endblocktrans(?:late)?\s*%\}|\{#.*?#\}"
    r"|\{%\s*block bodyclass\b.*?endblock\s*%\}|\{%\s*comment.*?endcomment\s*%\}"
    r"|<(script|style|pre|code)\b.*?</\1>|<!--.*?-->"
    r"|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)
SPOKEN: Final = re.compile(r"\b(?:alt|title|placeholder|aria-label)=\"([^\"]*)\"")
WORD: Final = re.compile(rf"(?<!\w)[A-Za-z{CHINESE}]{{2,}}[^<>]*")
NAMES: Final = frozenset({
    "Paysite", "HTTP", "中文", "English", "ms", "SHA-256", "Asia/Shanghai, UTC+8)",
    "checkout_unknown", "payment pay_…",
})  # fmt: skip
"""Names, units, codes, and the languages in their own words."""


def unmarked(page: Path) -> Iterator[str]:
    """Text of the template itself that no language but the author's has."""
    text = HIDDEN.sub(" ", page.read_text(encoding="utf-8"))
    visible = [*re.sub(r"<[^>]*>", "\n", text).splitlines(), *SPOKEN.findall(text)]
    for line in visible:
        if (found := WORD.search(line)) and found[0].strip() not in NAMES:
            yield f"{page.relative_to(CHECKOUT)}: {found[0].strip()}"


def test_templates_say_nothing_that_cannot_be_translated():
    assert len(templates()) > 20
    assert [line for page in templates() for line in unmarked(page)] == []


def fields_of(page: "ModelAdmin[Any]") -> Iterator[str]:
    """What a person sees named on this model's pages."""
    for one in page.list_display:
        yield one if isinstance(one, str) else one.__name__
    for _title, options in page.fieldsets or ():
        yield from flatten(options["fields"])
    yield from flatten(page.fields or ())


def test_the_admin_names_everything_in_chinese():
    with override("zh-hans"):
        ours = [config for config in apps.get_app_configs() if config.name in ROOMS[:3]]
        names = [str(config.verbose_name) for config in ours]
        for model, page in admin.site._registry.items():
            if not model.__module__.startswith(ROOMS[:3]):
                continue
            names += [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
            names += [str(label_for_field(name, model, page)) for name in fields_of(page)]
    assert len(names) > 50
    assert [name for name in names if not re.search(f"[{CHINESE}]", name)] == []


def test_scripts_of_the_admin_find_the_words_that_django_lacks(tmp_path):
    words = catalogue(SCRIPTS.read_text(encoding="utf-8"), tmp_path)
    assert len(words) == SCRIPTS.read_text(encoding="utf-8").count("\nmsgid ") - 1
    folder = Path(admin.__file__).parent
    known = (folder / "locale/en/LC_MESSAGES/djangojs.po").read_text(encoding="utf-8")
    spoken = known.replace('"\n"', "").replace('\\"', '"')
    assert [word for word in words if f'msgid "{word}"' not in spoken] == []
    assert [text for text in words.values() if NARROW.search(text)] == []


def test_customers_are_met_in_chinese():
    assert settings.LANGUAGE_CODE == "zh-hans"
    assert [code for code, _name in settings.LANGUAGES] == ["zh-hans", "en"]


@pytest.mark.parametrize("source", [SOURCE, SCRIPTS], ids=lambda source: source.name)
def test_each_text_stands_on_one_line(source):
    """As `make messages` writes it: tools that wrap differently would change half the file."""
    written = source.read_text()
    assert run(["msgcat", "--no-wrap", "-"], written) == written
