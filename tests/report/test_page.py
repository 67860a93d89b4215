"""A report as it is written, and its page in a real browser: Chromium, headless, driven by Playwright."""

import json
import re
import subprocess
import sys

import matplotlib.image
import pages
import pandas as pd
import pytest
import xarray

ONLY = ["rates", "basins", "ravine", "saddle"]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A quick report of a few experiments, by the command line, where there is no second chance to compile."""
    out = tmp_path_factory.mktemp("report")
    only = [word for name in ONLY for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "gdfast", "report", "--quick", *only, "--out", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(out / "index.html") in done.stdout
    return out


def test_every_figure_is_png_and_svg_every_table_csv_and_parquet(folder):
    for stem in ("rates-quartic", "basins-six_hump_camel", "ravine"):
        assert matplotlib.image.imread(folder / f"{stem}.png").shape[0] > 300
        assert (folder / f"{stem}.svg").read_text().startswith("<?xml")
        csv, parquet = pd.read_csv(folder / f"{stem}.csv"), pd.read_parquet(folder / f"{stem}.parquet")
        pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)


def test_the_results_are_kept_and_say_what_they_are(folder):
    with xarray.open_dataset(folder / "data" / "rates-quartic-outcome.nc", engine="h5netcdf") as result:
        assert dict(result.sizes) == {"optimizer": 6, "learning_rate": 96, "start": 96, "parameter": 1}
        assert json.loads(result.attrs["specification"])["problem"]["name"] == "quartic"
    shares = pd.read_csv(folder / "rates-quartic.csv").set_index("optimizer")
    with xarray.open_dataset(folder / "data" / "rates-quartic-outcome.nc", engine="h5netcdf") as result:
        assert shares.loc["gd", "diverged"] == pytest.approx(float((result.outcome.sel(optimizer="gd") == 6).mean()))


def test_the_page_is_one_file_with_commands_and_provenance(folder):
    text = (folder / "index.html").read_text()
    assert "http://" not in text
    assert "https://" not in text
    for name in ONLY:
        assert f"gdfast report --only {name} --quick" in text
    assert text.count("data:image/png;base64,") == len(list(folder.glob("*.png"))) > 3
    for fact in ("processor", "numba", "date", "seeds"):
        assert f"<dt>{fact}</dt>" in text


def test_main_figures_have_live_pages_with_the_chapters_settings(folder):
    text = (folder / "index.html").read_text()
    for stem in ("rates-quartic", "basins-six_hump_camel", "ravine", "saddle"):
        assert f'<a href="live/{stem}.html">' in text
        live = (folder / "live" / f"{stem}.html").read_text()
        assert len(live.encode()) < 500_000
        assert f"../index.html#{stem}" in live
    assert '"rates": [0.0001, 10.0]' in (folder / "live" / "rates-quartic.html").read_text()


def test_only_what_is_asked_for_is_run(folder):
    assert not (folder / "plateau.csv").exists()
    assert not (folder / "timing.csv").exists()


@pytest.fixture
def open_page(browser, folder):
    """Open the page and hold it to silence: no console message, no error, no request but for the file itself."""
    noise, contexts, address = [], [], (folder / "index.html").as_uri()

    def opened(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: noise.append(request.url) if not allowed(request.url) else None)
        page.goto(address)
        return page

    def allowed(url):
        return url == address or url.startswith(("data:", "blob:"))

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


def test_every_image_loads(open_page):
    page = open_page()
    sizes = page.eval_on_selector_all("img", "images => images.map(i => [i.complete, i.naturalWidth])")
    assert len(sizes) > 3
    assert all(complete and width > 300 for complete, width in sizes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_no_horizontal_scroll_of_the_page(open_page, width, scheme):
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(255, 255, 255)") == (scheme == "light")


def test_figures_have_one_scale(open_page):
    page = open_page(viewport={"width": 1600, "height": 900})
    column = page.locator(".frame").first.bounding_box()["width"]
    sizes = page.eval_on_selector_all(".picture img", "images => images.map(i => [i.clientWidth, i.naturalWidth])")
    assert len(sizes) > 3
    assert [shown for shown, _ in sizes] == [pytest.approx(min(0.9 * natural, column), abs=1) for _, natural in sizes]


def column(table, index):
    return table.eval_on_selector_all(f"tbody td:nth-child({index})", "cells => cells.map(c => c.textContent)")


def test_tables_sort_by_mouse_and_keyboard(open_page):
    page = open_page()
    table = page.query_selector("#rates-quartic table")
    button = table.query_selector("th:nth-child(2) button")
    assert button.text_content() == "global minimum"
    button.click()
    values = [float(v) for v in column(table, 2)]
    assert values == sorted(values)
    assert len(set(values)) > 1
    button.focus()
    page.keyboard.press("Enter")
    values = [float(v) for v in column(table, 2)]
    assert values == sorted(values, reverse=True)
    assert table.query_selector("th:nth-child(2)").get_attribute("aria-sort") == "descending"
    table.query_selector("th:nth-child(1) button").click()
    names = column(table, 1)
    assert names == sorted(names)


def told(text):
    """Learning rate, start, outcome and steps of a read-out."""
    return re.search(r"^gd: η = (\S+), start x = (\S+): ([a-z ]+), ([\d,]+) steps$", text).groups()


def test_the_pointer_reads_the_cell_under_it(open_page):
    page = open_page(viewport={"width": 1200, "height": 900})
    spot = page.locator("#rates-quartic .spot").first
    spot.scroll_into_view_if_needed()
    box = spot.bounding_box()
    readout = page.locator("#rates-quartic .readout")
    # gd from x = −2: reaches the lowest minimum at η = 0.01, diverges at η = 10.
    for right, expected in ((2 / 5, "global minimum"), (0.995, "diverged")):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + 0.75 * box["height"])
        pages.until(page, "r => /η/.test(r.textContent)", arg=readout.element_handle())
        page.wait_for_timeout(50)
        rate, start, outcome, _ = told(readout.text_content())
        assert outcome == expected
        assert float(start) == pytest.approx(-2, abs=0.1)
        assert float(rate) == pytest.approx(10 ** (-4 + 5 * right), rel=0.1)


def test_the_keyboard_reads_and_zooms(open_page):
    page = open_page(viewport={"width": 1200, "height": 900})
    spot = page.locator("#rates-quartic .spot").first
    readout = page.locator("#rates-quartic .readout")
    spot.focus()
    page.keyboard.press("ArrowLeft")
    pages.until(page, "r => /η/.test(r.textContent)", arg=readout.element_handle())
    before = told(readout.text_content())
    page.keyboard.press("ArrowUp")
    pages.until(page, "([r, was]) => r.textContent !== was", arg=[readout.element_handle(), ", ".join(before)])
    page.wait_for_timeout(50)
    after = told(readout.text_content())
    assert after[0] == before[0]
    assert float(after[1]) == pytest.approx(float(before[1]) + 8 / 95, abs=0.01)
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    shown = page.locator("dialog output")
    assert told(shown.text_content()) == after
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    moved = told(shown.text_content())
    assert float(moved[0]) > float(after[0])
    page.keyboard.press("s")  # colours by steps
    page.keyboard.press("0")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")


def test_the_wheel_zooms_the_map(open_page):
    page = open_page(viewport={"width": 1200, "height": 900})
    page.locator("#rates-quartic .spot").first.click()
    page.wait_for_selector("dialog[open]")
    box = page.locator("dialog canvas").bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*centre)
    width = "zoom.view[1] - zoom.view[0]"
    assert page.evaluate(width) == 96
    page.mouse.wheel(0, -100)
    pages.until(page, f"{width} < 80")


def test_the_list_of_contents_follows(open_page):
    page = open_page(viewport={"width": 1600, "height": 900})
    current = ".contents a[aria-current]"
    assert page.locator(current).count() == 1
    for stem in ("saddle", "rates-quartic"):
        page.evaluate(f"document.getElementById('{stem}').scrollIntoView()")
        pages.until(page, f"document.querySelector('{current}').hash === '#{stem}'")
        assert page.locator(f".contents a[href='#{stem}']").is_visible()


def test_the_page_prints(open_page):
    page = open_page()
    page.emulate_media(media="print")
    assert page.eval_on_selector(".scroll", "s => getComputedStyle(s).maxHeight") == "none"
    assert page.eval_on_selector(".readout", "r => getComputedStyle(r).display") == "none"
    assert page.pdf()[:4] == b"%PDF"
