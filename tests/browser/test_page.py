"""The HTML report in a real browser: both themes, two widths, nothing loaded, nothing run, readable by everybody.

The Rust tests leave the pages in `target/tmp/pages`.
"""

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

PAGES = sorted((Path(__file__).resolve().parents[2] / "target" / "tmp" / "pages").glob("*.html"))
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
WIDTHS = [400, 1200]


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param


@pytest.fixture(params=WIDTHS)
def width(request):
    return request.param


@pytest.fixture
def show(chromium, theme, width):
    """`show(path)`: the page, and whatever it asked the network for or complained about."""
    context = chromium.new_context(color_scheme=theme, viewport={"width": width, "height": 900})

    def get(path):
        page = context.new_page()
        noticed = []
        page.on("request", lambda request: noticed.append(request.url) if not request.url.startswith("file:") else None)
        page.on("console", lambda message: noticed.append(message.text))
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.goto(path.as_uri())
        return page, noticed

    yield get
    context.close()


def test_there_are_pages_to_look_at():
    assert len(PAGES) == 11


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_readable_and_keeps_to_itself(show, path):
    page, noticed = show(path)
    assert noticed == []
    assert page.locator("h1").count() == 1 and page.locator("svg").count() >= 1
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_nothing_is_cut_off(show, path, width):
    page, _ = show(path)
    # Wide tables and the raw report scroll inside themselves; the page does not.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.locator("svg").all():
        box = picture.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] > 100
    # Labels of charts are text, and large enough on a narrow screen.
    sizes = page.evaluate("[...document.querySelectorAll('svg text')].map(text => text.getBoundingClientRect().height)")
    assert sizes and min(sizes) >= 7


def test_names_from_outside_run_nothing(show):
    (hostile,) = [path for path in PAGES if path.stem == "hostile"]
    page, noticed = show(hostile)
    assert noticed == []
    assert page.locator("script").count() == 0
    assert "<script>alert('x')</script>" in page.inner_text("body")


def test_it_prints_without_what_paper_cannot_do(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(PAGES[0].as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert len(page.pdf()) > 10_000
    context.close()
