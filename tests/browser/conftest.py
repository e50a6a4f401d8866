"""A real browser for the pages; without one, these tests are skipped."""

import shutil

import pytest

from autodiff import play

PROGRAMS = "chromium", "chromium-browser", "google-chrome"
# Headless and sandboxless for containers; no connection of the browser's own.
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
)


# Playwright keeps an event loop running in this thread: it must end before other tests begin.
@pytest.fixture(scope="package")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason='no Playwright: pip install -e ".[browser]"'
    )
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=FLAGS.split())
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open the player of a root; the page must not log errors or request anything else."""
    opened, troubles = [], []

    def open_player(root, *, width=1400, height=860, color_scheme="light", motion=None, **options):
        path = play(root, tmp_path / f"{len(opened)}.html", **options)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            reduced_motion=motion,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: request.url == path.as_uri() or troubles.append(request.url),
        )
        page.goto(path.as_uri())
        return page

    yield open_player
    for context in opened:
        context.close()
    assert troubles == []
