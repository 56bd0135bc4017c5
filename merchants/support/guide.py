"""The help pages: Markdown files of the project, read once per process and language."""

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.translation import pgettext_lazy
from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER: Final = Path(__file__).with_name("help")
FOLDERS: Final[Mapping[str, str]] = {"zh-hans": "zh_Hans", "en": "en"}
GROUPS: Final[Mapping[str, Promise]] = {
    "customers": pgettext_lazy("help", "For customers"),
    "merchants": pgettext_lazy("help", "For merchants"),
    "questions": pgettext_lazy("help", "Questions and answers"),
}
HEAD: Final = ("title", "summary", "group", "order")
SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
RESERVED: Final = frozenset({"ask", "tickets"})
"""Addresses under /help/ that are no pages."""
SNIPPET: Final = 40
"""Characters of the text around what was found."""
QUERY_MAX: Final = 80
_LINK: Final = re.compile(
    r"(?P<page>[a-z0-9-]+)\.md(?P<anchor>#part-[0-9]+)?|(?P<site>/(?!/)[\w/.-]*(?:#[\w-]+)?)|https://.+"
)


class HelpBroken(Exception):
    """A help page is not written as it must be; the message says which and how."""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading of the second level, for the table of contents."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpPage:
    """One page in one language. `html` is safe: nothing of it came through unescaped."""

    slug: str
    title: str
    summary: str
    group: str
    order: int
    html: str
    text: str
    parts: Sequence[Part]
    links: Sequence[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A page in which everything that was looked for occurs, and where."""

    page: HelpPage
    snippet: str


@cache
def pages(language: str) -> Sequence[HelpPage]:
    """All pages in a language, in their order; Chinese for a language that has none.

    Raises HelpBroken.
    """
    folder = FOLDER / FOLDERS.get(language, FOLDERS["zh-hans"])
    slugs = frozenset(path.stem for path in folder.glob("*.md"))
    found = [read_page(path, slugs) for path in sorted(folder.glob("*.md"))]
    groups = list(GROUPS)
    return sorted(found, key=lambda page: (groups.index(page.group), page.order, page.slug))


def find_page(language: str, slug: str) -> tuple[HelpPage | None, HelpPage, HelpPage | None] | None:
    """A page between the one before and the one after it, or None when there is no such page."""
    row: list[HelpPage | None] = [None, *pages(language), None]
    for before, page, after in zip(row, row[1:], row[2:], strict=False):
        if page is not None and page.slug == slug:
            return before, page, after
    return None


def search(language: str, wanted: str) -> Sequence[Found]:
    """Pages whose title or text holds every word, those with all of them in the title first."""
    words = _plain(wanted[:QUERY_MAX]).split()
    if not words:
        return []
    found = []
    for page in pages(language):
        title, text = _plain(page.title), _plain(f"{page.title} {page.summary} {page.text}")
        if all(word in text for word in words):
            is_titled = all(word in title for word in words)
            found.append((not is_titled, Found(page, _around(page.text, words[0]))))
    return [one for _rank, one in sorted(found, key=lambda pair: pair[0])]


def read_page(path: Path, slugs: frozenset[str]) -> HelpPage:
    """Read one file. Links to pages must lead to one of `slugs`. Raises HelpBroken."""
    head, text = _head(path)
    if not SLUG.fullmatch(path.stem) or path.stem in RESERVED:
        raise HelpBroken(f"{path.name}: not a name for a page")
    if head["group"] not in GROUPS or not head["order"].isdecimal():
        raise HelpBroken(f"{path.name}: no such group or order")
    tokens = _MARKDOWN.parse(text)
    parts = _parts(tokens)
    links = _mend_links(path, tokens, slugs)
    return HelpPage(
        slug=path.stem, title=head["title"], summary=head["summary"], group=head["group"],
        order=int(head["order"]), parts=parts, links=links, text=_text(tokens),
        html=str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})),
    )  # fmt: skip


def _head(path: Path) -> tuple[dict[str, str], str]:
    """The lines `name: value` on top, up to a line of three dashes, and what follows."""
    top, line, text = path.read_text(encoding="utf-8").partition("\n---\n")
    head = {
        name.strip(): value.strip() for name, _, value in (row.partition(":") for row in
        top.splitlines())
    }  # fmt: skip
    if not line or tuple(head) != HEAD or not all(head.values()):
        raise HelpBroken(f"{path.name}: must begin with {', '.join(HEAD)}, and a line of dashes")
    return head, text


def _markdown() -> MarkdownIt:
    """CommonMark with tables. HTML in the text is shown as it stands, and images are not drawn."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    made.add_render_rule("table_open", _table_open)
    made.add_render_rule("table_close", _table_close)
    made.add_render_rule("fence", _fence)
    return made


def _table_open(*_: object) -> str:
    return '<div class="table-wrap" tabindex="0"><table class="table">\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _fence(_renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    return f'<pre class="code" tabindex="0"><code>{escape(tokens[place].content)}</code></pre>\n'


_MARKDOWN: Final = _markdown()


def _parts(tokens: Sequence[Token]) -> Sequence[Part]:
    """The headings, numbered: so an anchor is the same in every language."""
    parts: list[Part] = []
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            anchor = f"part-{len(parts) + 1}"
            token.attrSet("id", anchor)
            parts.append(Part(anchor, _text([inline])))
    return parts


def _mend_links(path: Path, tokens: Sequence[Token], slugs: frozenset[str]) -> Sequence[str]:
    """Let `other.md` lead to that page's address; refuse what leads nowhere or elsewhere."""
    links = []
    for token in (child for one in tokens for child in one.children or ()):
        if token.type != "link_open":
            continue
        target = str(token.attrGet("href") or "")
        shape = _LINK.fullmatch(target)
        if shape is None or (shape["page"] and shape["page"] not in slugs):
            raise HelpBroken(f"{path.name}: a link to {target}")
        if shape["page"]:
            target = f"/help/{shape['page']}/{shape['anchor'] or ''}"
        elif not shape["site"]:
            token.attrSet("rel", "noreferrer")
        token.attrSet("href", target)
        links.append(target)
    return links


def _text(tokens: Sequence[Token]) -> str:
    """What is read, without its marks."""
    words = []
    for token in tokens:
        for child in token.children or ():
            if child.type in {"text", "code_inline"}:
                words.append(child.content)
            elif child.type in {"softbreak", "hardbreak"}:
                words.append(" ")
        if token.type in {"fence", "code_block"}:
            words.append(token.content)
        if token.type == "inline":
            words.append(" ")
    return "".join(words).strip()


def _plain(text: str) -> str:
    """How texts are compared: width and case of letters do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def _around(text: str, word: str) -> str:
    """The text around the first place of a word; its beginning when the word is in the title."""
    place = max(0, text.casefold().find(word))
    begin, end = max(0, place - SNIPPET), place + 2 * SNIPPET
    return f"{'…' if begin else ''}{text[begin:end].strip()}{'…' if end < len(text) else ''}"
