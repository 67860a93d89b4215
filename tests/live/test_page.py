"""Live pages in a real browser: Chromium, headless, driven by Playwright."""

import re
import shlex

import numpy as np
import pytest
import typer.testing

import gdfast
from gdfast import cli
from gdfast import optimizers as o
from gdfast import problems as p
from gdfast.formulas.formula import from_text
from gdfast.live.lessons import lessons, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two pages: of one coordinate, and of two."""
    folder = tmp_path_factory.mktemp("live")
    gdfast.live("quartic", ["gd", "momentum", "adam|cosine"], "1e-3:1", max_steps=200).save(folder / "one.html")
    gdfast.live("six_hump_camel", ["gd", "adam"], max_steps=60).save(folder / "two.html")
    return folder


@pytest.fixture
def opened(browser, folder):
    """From the name of a page to it, open and drawn; at the end nothing was said or asked for."""
    noise, contexts = [], []

    def opened(name, address="#n=64", width=1200, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: noise.append(request.url) if request.url.startswith("http") else None)
        page.goto((folder / name).as_uri() + address)
        whole(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert noise == []


def whole(page):
    """Wait until the map is whole; the page's own rules forbid to wait by a text that is run."""
    for _ in range(600):
        if page.evaluate("marks.whole > marks.asked"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the map was not computed within 30 seconds")


def state(page):
    return page.evaluate("JSON.parse(JSON.stringify(state))")


def test_a_page_is_one_small_file(folder):
    text = (folder / "one.html").read_text()
    assert len(text.encode()) < 500_000
    assert not re.search(r"https?://", text)
    assert "<script src" not in text


def test_the_map_is_that_of_the_sweep_to_the_bit(opened):
    page = opened("one.html", "#n=128")
    got = np.array(page.evaluate("[...cells.outcome]")).reshape(128, 128)
    steps = np.array(page.evaluate("[...cells.steps]")).reshape(128, 128)
    axes = page.evaluate("cells.axes.map((axis) => Array.from({ length: SIZE }, (_, i) => value_at(axis, i, SIZE)))")
    result = gdfast.run(gdfast.Sweep("quartic", "gd", axes[0], axes[1], 200), progress=False)
    np.testing.assert_array_equal(got, result.outcome.values[0].T)
    np.testing.assert_array_equal(steps, result.steps.values[0].T)


def test_sliders_move_paths_and_the_map(opened):
    page = opened("one.html")
    before = page.evaluate("[...cells.outcome].join()")
    page.get_by_label("learning rate η, as a number").fill("0.07")
    page.keyboard.press("Tab")
    assert state(page)["eta"] == 0.07
    page.locator("#of").select_option("1")
    whole(page)
    of_momentum = page.evaluate("[...cells.outcome].join()")
    assert of_momentum != before
    page.get_by_role("slider", name="momentum", exact=True).press("Home")
    whole(page)
    assert state(page)["p"][1][0] == 0
    assert page.evaluate("[...cells.outcome].join()") == before  # momentum 0 is gradient descent
    row = page.locator("#ends tbody tr").nth(0).inner_text()
    path = gdfast.trajectory(p.quartic(), o.gd(), state(page)["start"], 0.07, 200)
    assert f"{path.attrs['steps']}" in row
    assert path.attrs["outcome"].replace("_", " ") in row


def test_the_start_is_dragged_and_the_ring_on_the_map_follows(opened):
    page = opened("two.html")
    box = page.locator("#landscape").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200, steps=4)
    first = state(page)["start"]
    page.mouse.move(box["x"] + 350, box["y"] + 250)
    page.mouse.up()
    second = state(page)["start"]
    assert second[0] > first[0]
    assert second[1] < first[1]
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + 60)
    assert state(page)["eta"] < 0.01
    assert state(page)["start"][0] > 1


def test_a_page_is_moved_by_keys_alone(opened):
    page = opened("one.html")
    before = state(page)
    page.locator("#landscape").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["start"][0] > before["start"][0]
    page.keyboard.press(",")
    assert state(page)["t"] is not None
    page.locator("#map").focus()
    page.keyboard.press("ArrowLeft")
    assert state(page)["eta"] < before["eta"]
    page.keyboard.press("+")
    view = state(page)["view"]
    page.keyboard.press("+")
    assert np.diff(state(page)["view"])[0] == pytest.approx(np.diff(view)[0] / 2)
    page.keyboard.press("0")
    assert state(page)["view"] is None
    page.locator("#bifurcation").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#play").focus()
    page.keyboard.press("Enter")
    assert page.locator("#play").inner_text() == "Pause"
    page.keyboard.press("Enter")
    assert page.locator("#play").inner_text() == "Play"


def behind(page, place, wanted):
    """The label of what the key Tab leads to from a place; a page may still be changing with its width."""
    for _ in range(100):
        page.locator(place).focus()
        page.keyboard.press("Tab")
        label = page.evaluate("(document.activeElement.labels?.[0] ?? {}).textContent ?? null")
        if label == wanted:
            break
        page.wait_for_timeout(50)
    return label


@pytest.mark.parametrize("name", ["one.html", "two.html"])
def test_sliders_are_seen_with_the_pictures(opened, name):
    page = opened(name, width=1600)
    page.locator("#map").evaluate(
        "(canvas) => scrollTo(0, canvas.getBoundingClientRect().bottom + scrollY - innerHeight)"
    )
    for seen in (page.get_by_role("slider", name="learning rate η"), page.locator("#map"), page.locator("#landscape")):
        box = seen.bounding_box()
        assert box["y"] >= page.locator(".race").bounding_box()["y"] + 40
        assert box["y"] + box["height"] <= 901
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(  # the page is told of its width some time after it has it
        """() => {
            const places = ["#landscape", "#sliders", "#optimizers", "#map"];
            const tops = places.map((place) => document.querySelector(place).getBoundingClientRect().top);
            return tops.every((top, k) => k === 0 || tops[k - 1] <= top);
        }"""
    )
    assert behind(page, "#landscape", "learning rate η") == "learning rate η"
    page.set_viewport_size({"width": 1600, "height": 900})
    assert behind(page, "[data-do=reset]", "learning rate η") == "learning rate η"


def test_the_diagram_is_of_the_start_that_is_told(opened):
    page = opened("one.html")
    page.get_by_label("start x, as a number").fill("-2")
    page.keyboard.press("Tab")
    assert "of gd from x = -2." in page.locator("#bifurcation + figcaption").inner_text()
    rate = page.evaluate("value_at(dots.x, 39, 320)")
    expected, last = gdfast.trajectory(p.quartic(), o.gd(), [-2.0], rate, 200).theta.values[-1, 0], None
    for _ in range(200):  # those of the start before stand there until they are made again
        found = page.evaluate("dots.map((found) => [...found])")
        last = next((columns[-1] for columns in found if columns[-2] == 39), None)
        if last == expected:
            break
        page.wait_for_timeout(50)
    assert last == expected


def test_maps_are_zoomed_as_deep_as_floats_go(opened):
    page = opened("two.html")
    for _ in range(60):
        page.evaluate("zoom(0.5)")
    low, high = state(page)["view"][:2]
    assert 0 < high - low < 1e-11
    values = page.evaluate("Array.from({ length: SIZE }, (_, i) => value_at(axes()[0], i, SIZE))")
    assert len(set(values)) > 60
    whole(page)


@pytest.mark.parametrize("kind", ["start-start", "rate-knob", pytest.param("rate-start", marks=pytest.mark.slow)])
def test_every_kind_of_map_is_computed(opened, kind):
    page = opened("two.html", f"#map={kind}&of=1&n=64")
    assert len(set(page.evaluate("[...cells.outcome]"))) > 1
    assert page.evaluate("cells.outcome.every((outcome) => outcome > 0)")
    assert "gdfast sweep --problem six_hump_camel --optimizer adam" in page.locator("#command").inner_text()


@pytest.mark.slow
def test_a_loss_without_a_known_minimum_is_shown_as_it_is(browser, tmp_path):
    losses = {"log(x)": (0.1, 5), "(1-x)**2 + 1e6*y**2": {"x": (-1e-3, 1e-3), "y": (-1e6, 1e6)}, "x**2": (-2, 2)}
    page, told = browser.new_page(), []
    for number, (loss, domain) in enumerate(losses.items()):
        gdfast.live(p.from_expression(loss, domain), "gd", max_steps=50).save(tmp_path / f"{number}.html")
        page.goto((tmp_path / f"{number}.html").as_uri() + "#n=32")
        whole(page)
        assert {1, 2, 5} & {*page.evaluate("[...cells.outcome]")}  # the range of rates is about that which tells
        assert f"The loss {loss}." in page.locator(".lead").inner_text()
        drawn = page.evaluate("[plots.losses.labels[1], plots.losses.py(paths[0].losses[0]), plots.losses.y.log]")
        told.append([page.locator("#told").inner_text().split(":")[0], drawn[0], drawn[2]])
        if not drawn[2]:
            assert 24 <= drawn[1] <= 24 + page.evaluate("plots.losses.height")
    page.close()
    assert told[:2] == [["No lowest minimum is known", "loss", False]] * 2
    assert told[2][1:] == ["loss − lowest", True]


@pytest.mark.slow
def test_twelve_optimizers_are_told_apart(browser, tmp_path):
    gdfast.live("quartic", [f"momentum:momentum={k / 13}" for k in range(12)], max_steps=5).save(tmp_path / "p.html")
    page = browser.new_page()
    page.goto((tmp_path / "p.html").as_uri() + "#n=32")
    lines = page.evaluate("OPTIMIZERS.map((_, k) => colour_of(k) + dashes(k))")
    marks = page.evaluate(
        "[...document.querySelectorAll('#ends i, #optimizers i')].map((i) => i.style.background + i.className)"
    )
    page.close()
    assert len({*lines}) == 12
    assert len({*marks[:12]}) == 12


@pytest.mark.parametrize(
    ("problem", "lead"),
    [
        (p.from_expression("a*x**2", params={"a": 0.5}), "The loss a*x**2, where a = 0.5."),
        (p.maximized(p.from_expression("1 - x**2")), "The loss 1 - x**2. It is upside down here"),
        (p.quartic(), "The tilted double well"),
    ],
    ids=["expression", "maximized", "named"],
)
def test_the_lead_says_what_the_problem_is(problem, lead):
    assert f'<p class="lead">{lead}' in gdfast.live(problem, "gd", max_steps=5).html


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "optimizer", "address"),
    [
        ("six_hump_camel", "adam:beta2=0.99|cosine|clip_norm=2", "#map=start-start"),
        ("six_hump_camel", "momentum", "#map=rate-start&view=-3,-1,-1,0.5&p0.0=0.5"),
        ("quartic", "momentum:dampening=0.1|cosine", "#map=rate-knob&knob=0"),
        ("quartic", "momentum|cosine:end=0.1", "#map=rate-knob&knob=2"),
        ("quartic", "adam|cosine", "#map=rate-knob&knob=2&p0.0=0.5"),
        ("quartic", "gd|noise=0.1", "#map=rate-knob&view=-3,0,-3,2"),
        ("quartic", "gd|reduce_on_plateau:patience=20|lookahead", "#map=rate-knob&knob=1&view=-3,-1,-100,200"),
        (p.from_expression("a*x**4 - 5*x**2 + 3*x", (-3, 1), {"a": 0.5}), "gd", "#view=-2,0,-0.5,0.5"),
        (p.from_expression("(1-x)**2 + max(0, x*y)**2", {"x": (-3, 2), "y": (-1, 9)}), "gd", "#map=rate-start"),
        (p.maximized(p.from_expression("1 - x**2")), "nesterov|unit=0.5", "#map=rate-start"),
    ],
    ids=str,
)
def test_the_command_makes_the_map_that_is_shown(browser, tmp_path, problem, optimizer, address):
    gdfast.live(problem, optimizer, "1e-3:1", max_steps=50).save(tmp_path / "page.html")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri() + f"{address}&n=32")
    whole(page)
    page.wait_for_timeout(300)
    name, *words = shlex.split(page.locator("#command").inner_text())
    told = typer.testing.CliRunner().invoke(cli.app, [*words[:-1], str(tmp_path / "map.zarr")])
    assert name == "gdfast"
    assert told.exit_code == 0, told.output
    result = gdfast.load(tmp_path / "map.zarr")
    axes = page.evaluate("cells.axes.map((axis) => axis.of)")
    shown = np.array(page.evaluate("[...cells.outcome]")).reshape(32, 32)
    if isinstance(axes[1], str):  # each value is an optimizer of its own, one for all values that are the same
        values = page.evaluate(
            "Array.from({ length: SIZE }, (_, j) => value_at(cells.axes[1], j, SIZE))"
            ".map((value) => accepted(OPTIMIZERS[0].knobs[state.knob], value))"
        )
        got = result.outcome.values.squeeze()[np.unique(values, return_inverse=True)[1]]
    else:
        got = result.outcome.values.reshape(32, 32).T
    page.close()
    assert len(np.unique(shown)) > 1
    assert np.mean(got != shown) < 0.01  # values along axes differ in their last bits


def test_the_address_holds_the_state(opened):
    page = opened("one.html")
    page.evaluate("state.eta = 0.05; state.start = [1.25]; state.p[1][0] = 0.5; state.on[2] = false")
    page.evaluate("state.by = 'steps'; changed()")
    page.evaluate("zoom(0.5); state.t = 3; moved()")
    page.wait_for_timeout(400)
    address, told = page.evaluate("location.hash"), state(page)
    again = opened("one.html", address)
    assert state(again) == told
    assert state(opened("one.html", "#n=64&eta=nonsense&start=1,2&of=77&p9.9=1&view=1"))["eta"] != "nonsense"


def test_what_is_saved(opened):
    page = opened("one.html")
    with page.expect_download() as got:
        page.get_by_role("button", name="Paths (CSV)").click()
    lines = got.value.path().read_text().splitlines()
    assert lines[0] == "optimizer,step,x,loss"
    start = state(page)["start"]
    path = gdfast.trajectory(p.quartic(), o.gd(), start, state(page)["eta"], 200)
    rows = [line.split(",") for line in lines[1:] if line.startswith('"gd"')]
    np.testing.assert_array_equal([float(row[2]) for row in rows], path.theta.values[:, 0])
    np.testing.assert_array_equal([float(row[3]) for row in rows], path.loss.values)
    with page.expect_download() as got:
        page.get_by_role("button", name="Map (CSV)").click()
    assert len(got.value.path().read_text().splitlines()) == 1 + 64 * 64
    with page.expect_download() as got:
        page.get_by_role("button", name="Picture (PNG)").click()
    assert got.value.path().read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("one.html", 390, "dark"),
        ("two.html", 1600, "light"),
        *(
            pytest.param(name, width, scheme, marks=pytest.mark.slow)
            for name, width, scheme in [
                ("one.html", 390, "light"),
                ("one.html", 1600, "dark"),
                ("two.html", 390, "light"),
                ("two.html", 390, "dark"),
            ]
        ),
    ],
)
def test_pages_are_accessible_and_fit(opened, name, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install 'gdfast[browser]'")
    page = opened(name, width=width, color_scheme=scheme, bypass_csp=True)  # for what is put into the page to test it
    found = axe.Axe().run(page)
    assert [(v["id"], v["nodes"][0]["html"]) for v in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_printed_shows_the_figures(opened):
    page = opened("one.html")
    page.emulate_media(media="print")
    assert not page.locator("#play").is_visible()
    assert page.locator("#map").is_visible()


def test_rules_and_losses_of_ones_own_run(browser, tmp_path):
    rule = from_text("def leap(theta, grad, v, lr, beta): return theta - lr * (grad + beta * v), grad")
    own = o.Optimizer(rule, learning_rate=0.1, parameters={"beta": 0.5})
    made = gdfast.live(p.from_expression("exp(-x**2) + x**2/4 + y**2"), [own, "gd"], max_steps=50)
    made.save(tmp_path / "own.html")
    page = browser.new_page()
    page.goto((tmp_path / "own.html").as_uri())
    whole(page)
    assert "<leap>" in page.locator("#optimizers").inner_text()
    assert page.locator("#command").inner_text().startswith("No command")
    page.close()


@pytest.mark.parametrize(
    ("option", "value"),
    [(f"--{name}", value) for name in ("domain", "start", "lr") for value in ("a", "5:6:7", "log:1:2", "x=", "3:1:")]
    + [("--domain", "3:1"), ("--domain", "1"), ("--domain", "1:1"), ("--lr", "3:1"), ("--start", "5:6")],
)
def test_what_is_wrong_with_an_option_is_told_of_that_option(tmp_path, option, value):
    words = ["live", "--loss", "x**2", f"{option}={value}", "-o", str(tmp_path / "page.html")]
    done = typer.testing.CliRunner().invoke(cli.app, words)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"gdfast: {option[2:]} must be ")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_show_a_page():
    html = gdfast.live("sigmoid", "gd", max_steps=20)._repr_html_()
    assert html.startswith("<iframe srcdoc=")
    assert "<script" not in html


@pytest.mark.slow
def test_ten_lessons_are_written_and_run(browser, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install 'gdfast[browser]'")
    assert write(tmp_path) == len(lessons()) == 10
    context, noise = browser.new_context(bypass_csp=True), []
    page = context.new_page()
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto((tmp_path / "index.html").as_uri())
    links = page.locator("ol a").count()
    assert links == 10
    for told in lessons():
        page.goto((tmp_path / f"{told['name']}.html").as_uri())
        whole(page)
        assert told["title"] == page.locator("h1").inner_text()
        assert (tmp_path / f"{told['name']}.html").stat().st_size < 500_000
        assert axe.Axe().run(page).violations_count == 0
    context.close()
    assert noise == []
