"""Help pages: the same in both languages, links that lead somewhere, and search."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils.translation import override

from merchants.support.guide import (
    FOLDER,
    GROUPS,
    RESERVED,
    HelpBroken,
    find_page,
    pages,
    read_page,
    search,
)

LANGUAGES = ("zh-hans", "en")
HEAD = "title: Tea\nsummary: About tea.\ngroup: customers\norder: 1\n---\n"
SHAPE = re.compile(r"<(h2|h3|ul|ol|li|table|tr|pre|code|strong|a)\b")


def slugs(language: str) -> list[str]:
    return [page.slug for page in pages(language)]


class TestBothLanguages:
    """Neither knows more than the other."""

    def test_each_page_exists_in_both_at_the_same_place(self):
        assert len(slugs("en")) >= 15
        assert slugs("en") == slugs("zh-hans")
        for one, other in zip(pages("en"), pages("zh-hans"), strict=True):
            assert (one.group, one.order) == (other.group, other.order)

    @pytest.mark.parametrize("slug", slugs("en"))
    def test_a_page_is_built_alike_in_both(self, slug):
        built = {}
        for language in LANGUAGES:
            found = find_page(language, slug)
            assert found is not None
            page = found[1]
            built[language] = (SHAPE.findall(page.html), len(page.parts), sorted(page.links))
        assert built["en"] == built["zh-hans"]

    def test_chinese_pages_are_chinese(self):
        for page in pages("zh-hans"):
            assert re.search("[\u4e00-\u9fff]", page.title)
            assert len(re.findall("[\u4e00-\u9fff]", page.text)) > 150

    def test_every_group_has_pages_and_no_two_stand_at_one_place(self):
        for language in LANGUAGES:
            places = [(page.group, page.order) for page in pages(language)]
            assert len(places) == len(set(places))
            assert {group for group, _order in places} == set(GROUPS)

    def test_a_language_that_nobody_wrote_gets_chinese(self):
        assert slugs("fr") == slugs("zh-hans")
        assert pages("fr")[0].title == pages("zh-hans")[0].title


class TestLinks:
    """Nobody is sent to a page that is not there."""

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_link_leads_somewhere(self, language):
        parts = {page.slug: {part.anchor for part in page.parts} for page in pages(language)}
        lost = []
        for page in pages(language):
            for link in page.links:
                where = urlsplit(link)
                if where.scheme:
                    assert where.scheme == "https"
                    continue
                try:
                    match = resolve(where.path)
                except Resolver404:
                    lost.append((page.slug, link))
                    continue
                slug = match.kwargs.get("slug")
                if slug is not None and (
                    slug not in parts or (where.fragment and where.fragment not in parts[slug])
                ):
                    lost.append((page.slug, link))
        assert lost == []

    @pytest.mark.parametrize(
        "link",
        [
            "javascript:alert(1)", "http://example.com/", "//example.com/", "data:text/html,x",
            "nowhere.md", "../../etc/passwd", "paying", "mailto:a@example.com", "/help/\\evil",
        ],
    )  # fmt: skip
    def test_a_link_elsewhere_is_refused(self, link, tmp_path):
        page = tmp_path / "tea.md"
        page.write_text(f"{HEAD}See [this](<{link}>).", encoding="utf-8")
        try:
            read = read_page(page, frozenset({"tea"}))
        except HelpBroken:
            return
        assert "<a" not in read.html

    @pytest.mark.parametrize(
        "text",
        [
            "Tea", "title: Tea\n---\n", HEAD.replace("customers", "staff"),
            HEAD.replace("order: 1", "order: first"), HEAD.replace("About tea.", ""),
        ],
    )  # fmt: skip
    def test_a_page_without_its_head_is_refused(self, text, tmp_path):
        page = tmp_path / "tea.md"
        page.write_text(text, encoding="utf-8")
        with pytest.raises(HelpBroken):
            read_page(page, frozenset())

    @pytest.mark.parametrize("name", [*RESERVED, "Tea", "tea_time", "-tea"])
    def test_a_page_takes_no_address_that_is_not_its_own(self, name, tmp_path):
        page = tmp_path / f"{name}.md"
        page.write_text(HEAD, encoding="utf-8")
        with pytest.raises(HelpBroken):
            read_page(page, frozenset())

    def test_html_in_a_page_is_shown_and_does_nothing(self, tmp_path):
        page = tmp_path / "tea.md"
        text = "<script>alert(1)</script>\n\na <b onclick=x>b</b> ![x](/i.png)\n\n```\n<i>\n```\n"
        page.write_text(HEAD + text, encoding="utf-8")
        html = read_page(page, frozenset()).html
        assert not re.search(r"<(script|b|i|img)\b", html)
        assert "&lt;script&gt;" in html
        assert "<code>&lt;i&gt;\n</code>" in html


class TestSearch:
    """By any words, whatever their case or width."""

    def test_a_word_of_a_text_finds_its_page_with_the_place(self):
        [found] = search("en", "fraudster")
        assert found.page.slug == "getting-money-back"
        assert "fraudster" in found.snippet

    def test_titles_come_first(self):
        found = [one.page.slug for one in search("en", "callbacks")]
        assert found[0] == "callbacks"
        assert len(found) > 2

    @pytest.mark.parametrize("wanted", ["IDEMPOTENCY-key", "ｉｄｅｍｐｏｔｅｎｃｙ"])
    def test_case_and_width_do_not_matter(self, wanted):
        assert "questions-of-merchants" in {one.page.slug for one in search("en", wanted)}

    def test_every_word_must_occur(self):
        assert search("en", "refund elephant") == []
        assert search("zh-hans", "退款 原路")

    @pytest.mark.parametrize("wanted", ["", "   ", "\u3000"])
    def test_nothing_finds_nothing(self, wanted):
        assert search("en", wanted) == []


@pytest.mark.django_db
class TestPages:
    """As visitors see them."""

    @pytest.mark.parametrize(("language", "word"), [("zh-CN", "如何付款"), ("en", "How to pay")])
    def test_the_page_speaks_the_visitors_language(self, language, word):
        visitor = Client(headers={"accept-language": language})
        assert word in visitor.get("/help/").content.decode()
        assert word in visitor.get("/help/paying/").content.decode()

    def test_every_page_shows_its_contents_neighbours_and_the_way_to_a_person(self, client):
        for before, page in pairwise(pages("zh-hans")):
            shown = client.get(f"/help/{page.slug}/").content.decode()
            assert all(f'href="#{part.anchor}"' in shown for part in page.parts)
            assert all(f'id="{part.anchor}"' in shown for part in page.parts)
            assert f'rel="prev" href="/help/{before.slug}/"' in shown
            is_theirs = page.group == "merchants"
            assert ("/portal/tickets/new/" if is_theirs else "/help/ask/") in shown

    def test_search_needs_no_script_and_repeats_what_was_typed_as_text(self):
        visitor = Client(headers={"accept-language": "en"})
        found = visitor.get("/help/", {"q": "callback"}).content.decode()
        assert "/help/callbacks/" in found
        strange = visitor.get("/help/", {"q": '"><script>x</script>'}).content.decode()
        assert "<script>x" not in strange
        assert "0 pages found" in strange
        assert visitor.get("/help/", {"q": "\0" + "x" * 500}).status_code == 200

    @pytest.mark.parametrize("path", ["/help/nothing/", "/help/paying.md/", "/help/..%2f/"])
    def test_what_is_not_there_is_not_there(self, client, path):
        assert client.get(path).status_code == 404

    def test_pages_ask_the_database_nothing(self, client, django_assert_num_queries):
        with django_assert_num_queries(0):
            client.get("/help/")
            client.get("/help/paying/")


def test_what_the_pages_name_is_what_the_portal_says():
    """A button that help names must be called so, or nobody finds it."""
    named = {
        "zh-hans": [
            "审批申请", "证照", "进件申请", "我已完成支付", "立即再次查询", "使用通行密钥登录",
        ],
        "en": ["Requests", "Papers", "Application", "I have paid", "Ask again now"],
    }  # fmt: skip
    templates = "".join(
        path.read_text() for path in (Path(FOLDER).parents[2] / "templates").rglob("*.html")
    )
    for word in named["en"]:
        assert f'"{word}"' in templates
    for language, words in named.items():
        with override(language):
            text = " ".join(page.text for page in pages(language))
        assert [word for word in words if word not in text] == []
