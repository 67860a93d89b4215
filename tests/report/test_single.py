"""One figure as a page: what is told of maps and curves, and that a browser tells it under the pointer."""

import base64
import json
import zlib

import matplotlib.pyplot as plt
import numpy as np
import pages
import pytest

import gdfast
from gdfast import plot
from gdfast.plot.look import apart
from gdfast.report import single
from gdfast.report.spots import spots_of


@pytest.fixture(scope="module")
def result():
    sweep = gdfast.Sweep("quartic", "gd momentum", "1e-3:1:7", "-3:3:5", 100, history="loss:8")
    return gdfast.run(sweep, backend="numpy", progress=False)


def spots(draw):
    with apart():
        made = draw()
    figure = made if hasattr(made, "axes") and isinstance(made.axes, list) else made.figure
    figure.canvas.draw()
    return [json.loads(spot["json"]) for spot in spots_of(figure)]


def decoded(plain):
    n = len(plain["y"]["places"]) if not plain["y"]["even"] else plain["y"]["places"][2]
    n *= len(plain["x"]["places"]) if not plain["x"]["even"] else plain["x"]["places"][2]
    data = zlib.decompress(base64.b64decode(plain["cells"]))
    return np.frombuffer(data[:n], np.uint8), np.frombuffer(data[3 * n :], "<f4")


@pytest.mark.slow
def test_a_map_tells_its_cells(result):
    first, second = spots(lambda: plot.maps(result))
    assert (first["title"], second["title"]) == ("gd", "momentum")
    np.testing.assert_array_equal(decoded(second)[0].reshape(5, 7), result.outcome.values[1].T)
    (shown,) = spots(lambda: plot.maps(result, "loss", optimizers=["gd"]))
    told, expected = decoded(shown)[1].reshape(5, 7), result.loss.values[0].T
    fits = np.abs(expected) < 1e38
    np.testing.assert_allclose(told[fits], expected[fits], rtol=1e-6)
    assert not np.isfinite(told[~fits]).any()
    assert shown["scale"]["label"] == "loss at the end"


def test_uneven_cells_tell_where_they_end(result):
    (shown,) = spots(lambda: plot.history_map(result, "gd"))
    edges = np.array(shown["x"]["edges"])
    assert (edges[0], edges[-1]) == (0, 1)
    assert len(edges) == len(shown["x"]["places"]) + 1
    assert (np.diff(edges) > 0).all()


def test_curves_tell_their_points_and_where_they_are(result):
    (shown,) = spots(lambda: plot.lr_sensitivity(result))
    assert [line["label"] for line in shown["lines"]] == ["gd", "momentum"]
    share = (result.outcome == "global_minimum").mean("start").values
    for line, expected in zip(shown["lines"], share, strict=True):
        values = np.array(line["values"])
        np.testing.assert_allclose(values[:, 0], result.learning_rate, rtol=1e-5)
        np.testing.assert_allclose(values[:, 1], expected, rtol=1e-5)
        places = np.array(line["places"])
        np.testing.assert_allclose(np.diff(places[:, 0]), places[1, 0] - places[0, 0], atol=0.2)  # log of even rates
    low, high, count = shown["x"]["places"]
    at = low + (high - low) * np.array(shown["lines"][0]["places"])[:, 0] / (count - 1)
    np.testing.assert_allclose(10**at, result.learning_rate, rtol=1e-3)


def test_a_figure_without_lines_or_maps_tells_nothing():
    figure, ax = plt.subplots()
    ax.plot([1, 2], [1, 2])
    assert list(spots_of(figure)) == []
    plt.close(figure)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda r: plot.maps(r, "loss", optimizers=["gd"]), "loss at the end"),
        (lambda r: plot.ecdf(r, rates="random"), "share at the lowest minimum = "),
        (lambda r: plot.history_map(r, "gd"), "step = "),
    ],
)
def test_a_browser_tells_what_is_under_the_pointer_and_zooms(result, browser, tmp_path, draw, words):
    with apart():
        made = draw(result)
        single.write(tmp_path / "f.html", made if hasattr(made, "savefig") else made.figure, "Mine", {"source": "here"})
    page, noise = browser.new_page(), []
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto((tmp_path / "f.html").as_uri())
    box = page.locator(".spot").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    pages.until(page, f"document.querySelector('output.readout').textContent.includes({words!r})")
    page.locator(".spot").first.click()
    page.locator("dialog canvas").press("+")
    page.locator("dialog canvas").press("ArrowRight")
    assert words in page.locator("dialog output").inner_text()
    page.close()
    assert noise == []
