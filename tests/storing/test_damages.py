"""Whatever happens to the files of a store: it is seen, repaired by the same call, and nothing else is touched."""

import json
import os
import random
import shutil
import socket
from pathlib import Path

import cases
import numpy as np
import pytest
import stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import RATES, landscape
from typer.testing import CliRunner

import gdfast
from gdfast import measures, optimizers, plot, problems, starts, store
from gdfast.cli import app
from gdfast.storing.contents import LOCK
from gdfast.storing.journal import JOURNAL, check_of, line
from gdfast.storing.store import StoreError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses links, FIFOs and modes of POSIX systems")


def measured():
    """End points, a measure, single precision, and optimizers told by texts."""
    rules = [optimizers.gd(), optimizers.momentum()]
    starts = problems.rosenbrock().grid(4)
    return gdfast.Sweep(
        problems.rosenbrock(), rules, RATES, starts, 60, measure=measures.convergence(floor=-1.0), dtype="float32"
    )


def labelled():
    """A problem with data, and starts with labels."""
    problem = problems.linear_regression()
    labels = {"init": np.array(["he", "lecun", "x"] * 3), "seed": np.arange(9)}
    points = starts.Starts(problem.grid(3), labels)
    return gdfast.Sweep(problem, optimizers.gd(), RATES, points, 50)


KINDS = {"landscape": (landscape(), False), "measured": (measured(), True), "labelled": (labelled(), False)}


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    stored.small_blocks(30, monkeypatch)


def run(path, kind="landscape", **options):
    sweep, keep_theta = KINDS[kind]
    return gdfast.run(sweep, store=path, keep_theta=keep_theta, progress=False, **options)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """A store of each kind, with the result it holds."""
    made = {}

    def whole(kind):
        if kind not in made:
            path = tmp_path_factory.mktemp(kind) / "run.zarr"
            made[kind] = path, run(path, kind).load()
        return made[kind]

    return whole


@pytest.fixture
def copy(wholes, tmp_path):
    return Path(shutil.copytree(wholes("landscape")[0], tmp_path / "copy.zarr"))


def flip(file, at=0.5):
    data = bytearray(file.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    file.write_bytes(data)


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES = [flip, cut, lambda file: file.write_bytes(b""), Path.unlink]


def files_of(path):
    return [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != LOCK]


def check_sentence(error):
    assert "\n" not in str(error)
    assert len(str(error)) < 1000


def is_seen(path):
    try:
        return bool(store.status(path, whole=True).damages)
    except StoreError as error:
        check_sentence(error)
        return True


def result_or_sentence(path):
    """What reading gives: the dataset, read whole, or None where it is refused in a sentence."""
    try:
        return store.read(path).load()
    except StoreError as error:
        check_sentence(error)
        return None


def assert_repaired(path, kind, whole, expected):
    cases.assert_same(run(path, kind), expected)
    assert stored.contents(path) == stored.contents(whole)
    assert store.status(path, whole=True).damages == {}


def each_file_damaged(kind, whole, expected, folder, several):
    """Of one file the damages that a function of its number and its name tells."""
    names = [file.relative_to(whole) for file in files_of(whole)]
    for number, name in enumerate(names):
        for damage in several(number, name):
            path = Path(shutil.copytree(whole, folder / "copy.zarr"))
            damage(path / name)
            assert is_seen(path), name
            got = result_or_sentence(path)
            if got is not None:
                cases.assert_same(got, expected)
                assert all(got[axis].equals(expected[axis]) for axis in expected.coords)
            assert_repaired(path, kind, whole, expected)
            shutil.rmtree(path)


@pytest.mark.slow
def test_damage_of_any_file_is_seen_and_repaired(wholes, tmp_path):
    def some(number, name):
        return [DAMAGES[number // 3 % 4]] if number % 3 == 0 else []

    each_file_damaged("landscape", *wholes("landscape"), tmp_path, some)


@pytest.mark.slow
def test_every_damage_of_every_file_is_seen_and_repaired(wholes, tmp_path):
    each_file_damaged("landscape", *wholes("landscape"), tmp_path, lambda number, name: DAMAGES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "landscape"])
def test_damages_of_every_file_of_other_stores_are_seen_and_repaired(wholes, tmp_path, kind):
    whole = wholes("landscape")[0]
    common = {file.relative_to(whole) for file in files_of(whole)}

    def several(number, name):  # blocks are alike, and files that all stores have: of those one damage each
        return [DAMAGES[number % 4]] if name in common or name.name[0].isdigit() else DAMAGES

    each_file_damaged(kind, *wholes(kind), tmp_path, several)


def test_a_store_that_lost_its_metadata_is_no_prey_to_another_sweep(copy, wholes):
    whole, expected = wholes("landscape")
    (copy / "notes.txt").write_text("mine")
    before = {file: file.read_bytes() for file in files_of(copy)}
    (copy / ".zmetadata").unlink()
    with pytest.raises(StoreError, match="holds another sweep: max_steps was 200, asked for is 10"):
        gdfast.run(landscape(max_steps=10), store=copy, progress=False)
    (copy / ".zattrs").unlink()
    with pytest.raises(StoreError, match="holds another sweep"):
        gdfast.run(landscape(max_steps=10), store=copy, progress=False)
    (copy / JOURNAL).unlink()
    for overwrite in (False, True):  # that it is a store at all can no longer be told
        with pytest.raises(StoreError, match="is not a store of gdfast"):
            run(copy, overwrite=overwrite)
    for name in (".zmetadata", ".zattrs", JOURNAL):
        (copy / name).write_bytes((whole / name).read_bytes())
    assert {file: file.read_bytes() for file in files_of(copy)} == before
    (copy / ".zmetadata").unlink()
    cases.assert_same(run(copy), expected)
    assert (copy / "notes.txt").read_text() == "mine"


def test_folders_of_others_are_left_alone(tmp_path):
    for name in (LOCK, "loss", ".zgroup", ".zattrs", ".gdfast-journal"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "treasure").write_text("mine")
        (folder / name).write_text("{}")
        for overwrite in (False, True):
            with pytest.raises(StoreError, match="is not a store of gdfast"):
                run(folder, overwrite=overwrite)
        assert sorted(file.name for file in folder.iterdir()) == sorted(["treasure", name])
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("mine")
    link.symlink_to(tmp_path / "nothing")
    for path in (file, link, tmp_path / "file.nc"):
        (tmp_path / "file.nc").write_text("mine")
        with pytest.raises(StoreError):
            run(path, overwrite=True)
    assert file.read_text() == (tmp_path / "file.nc").read_text() == "mine"
    assert not (tmp_path / "nothing").exists()


MINE = ("notes.txt", "loss/notes.txt", "loss/9.9.9", "momentum/0.0.0", "mine/loss")


def test_overwriting_removes_what_the_store_names_and_nothing_else(copy, tmp_path):
    for name in MINE:
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("mine")
    (copy / "link").symlink_to(tmp_path)
    result = gdfast.run(landscape(max_steps=10), store=copy, overwrite=True, progress=False)
    cases.assert_same(result, gdfast.run(landscape(max_steps=10)))
    for name in MINE:
        assert (copy / name).read_text() == "mine"
    assert (copy / "link").is_symlink()
    link = tmp_path / "way"
    link.symlink_to(copy)
    with pytest.raises(StoreError, match="is a link, through which nothing is overwritten"):
        run(link, overwrite=True)


def to_link(file, outside):
    outside.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(outside)


def to_fifo(file, outside):
    file.unlink()
    os.mkfifo(file)


def to_socket(file, outside):
    file.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        there = os.getcwd()
        os.chdir(file.parent)
        made.bind(file.name)
        os.chdir(there)


def to_endless_link(file, outside):
    file.unlink()
    file.symlink_to("/dev/zero")


def to_folder(file, outside):
    file.unlink()
    file.mkdir()
    (file / "treasure").write_text("mine")


@pytest.mark.sampled(7)
@pytest.mark.parametrize("change", [to_link, to_fifo, to_socket, to_endless_link, to_folder])
@pytest.mark.parametrize("name", [".zmetadata", JOURNAL, "loss/0.1.0", "learning_rate/0", LOCK])
def test_special_files_are_neither_followed_nor_replaced(copy, tmp_path, change, name):
    outside = tmp_path / "outside"
    change(copy / name, outside)
    kept = outside.read_bytes() if outside.exists() else None
    is_lock = name == LOCK  # which is not read
    assert is_seen(copy) is not is_lock
    assert (result_or_sentence(copy) is None) is not is_lock
    for overwrite in (False, True):
        with pytest.raises(StoreError):
            run(copy, overwrite=overwrite)
    assert not (copy / name).is_file() or (copy / name).is_symlink()
    assert kept == (outside.read_bytes() if outside.exists() else None)


def test_a_folder_of_an_array_that_is_a_link_is_not_followed(copy, tmp_path):
    (copy / "loss").rename(tmp_path / "loss")
    (copy / "loss").symlink_to(tmp_path / "loss")
    before = {file: file.read_bytes() for file in files_of(tmp_path / "loss")}
    assert is_seen(copy)
    for overwrite in (False, True):
        with pytest.raises(StoreError, match="loss is a link"):
            run(copy, overwrite=overwrite)
    assert {file: file.read_bytes() for file in files_of(tmp_path / "loss")} == before


def forge(path, change):
    """Change what metadata say, with checksums that agree."""
    metadata = json.loads((path / ".zmetadata").read_text())
    change(metadata["metadata"])
    text = json.dumps(metadata).encode()
    (path / ".zmetadata").write_bytes(text)
    checks = {".zmetadata": check_of(text)}
    rewrite(path, lambda entry: entry.get("finished", entry.get("store", {})).get("files", {}).update(checks))


def rewrite(path, change):
    """Change the journal's lines, with checksums that agree."""
    entries = [json.loads(text[9:]) for text in (path / JOURNAL).read_bytes().splitlines()]
    for entry in entries:
        change(entry)
    (path / JOURNAL).write_bytes(b"".join(map(line, entries)))


def of_array(**changed):
    return lambda metadata: metadata["loss/.zarray"].update(changed)


PICKLE = [{"id": "pickle", "protocol": 5}]


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    "change",
    [
        of_array(filters=PICKLE),
        of_array(filters=[{"id": "vlen-utf8"}]),
        of_array(compressor={"id": "zlib", "level": 1}),
        of_array(compressor=None),
        of_array(dtype="|O"),
        of_array(dtype="<f4"),
        of_array(dtype=[["a", "<f8"]]),
        of_array(shape=[2**40, 2**40, 2**40]),
        of_array(shape=[2, 6, 11]),
        of_array(shape=[2, 6, -1]),
        of_array(chunks=[0, 0, 0]),
        of_array(chunks=[2**30, 2**30, 2**30]),
        of_array(order="F"),
        of_array(zarr_format=3),
        of_array(dimension_separator="/"),
        of_array(fill_value=3.0),
        lambda metadata: metadata["loss/.zattrs"].update(scale_factor=2.0),
        lambda metadata: metadata["optimizer/.zarray"].update(dtype="|O", filters=PICKLE),
        lambda metadata: metadata["momentum/.zarray"].update(shape=[3]),
        lambda metadata: metadata.update({"../x/.zarray": metadata["loss/.zarray"], "../x/.zattrs": {}}),
        lambda metadata: metadata.update({"x/y": 3}),
        lambda metadata: metadata.pop("loss/.zarray"),
        lambda metadata: metadata.pop("loss/.zattrs"),
        lambda metadata: [metadata.pop(name) for name in ("basin/.zarray", "basin/.zattrs")],
        lambda metadata: metadata[".zattrs"].update(specification=metadata[".zattrs"]["specification"] + " "),
        lambda metadata: metadata[".zattrs"].update(digest="0" * 64),
        lambda metadata: metadata[".zattrs"].update(gdfast_format=None),
    ],
)
def test_metadata_that_gdfast_does_not_write_are_refused_before_zarr_sees_them(copy, wholes, monkeypatch, change):
    forge(copy, change)
    with monkeypatch.context() as patch:
        patch.setattr("xarray.open_zarr", lambda *_, **__: pytest.fail("Zarr was asked"))
        assert is_seen(copy)
        assert result_or_sentence(copy) is None


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "change",
    [
        {"block": "../../0.0.0"},
        {"block": "0.7.0"},
        {"block": "0.0.-1"},
        {"trajectories": 31},
        {"files": {"../outside": [3, 4]}},
        {"files": {"loss": [3, 4], "x": [3, 4]}},
        {"files": {"loss": [-3, 4]}},
        {"files": []},
        {"seconds": float("nan")},
    ],
)
def test_a_journal_names_only_what_the_store_has(copy, wholes, change):
    rewrite(copy, lambda entry: entry.update(change) if entry.get("block") == "0.0.0" else None)
    assert is_seen(copy)
    assert result_or_sentence(copy) is None
    assert_repaired(copy, "landscape", *wholes("landscape"))


@pytest.mark.slow
def test_a_journal_of_some_of_its_lines_in_any_order_is_no_journal(copy, wholes):
    lines = (copy / JOURNAL).read_bytes().splitlines(keepends=True)
    others = [lines[::-1], lines[1:], [*lines[1:], lines[0]], [lines[0], *lines], *([text] for text in lines[1:])]
    for some in others:
        (copy / JOURNAL).write_bytes(b"".join(some))
        assert is_seen(copy)
        assert result_or_sentence(copy) is None
    assert_repaired(copy, "landscape", *wholes("landscape"))


@pytest.mark.parametrize("name", [JOURNAL, ".zmetadata", ".zattrs"])
def test_texts_too_deep_or_too_large_are_refused(copy, wholes, name):
    (copy / name).write_bytes(b"[" * 100_000 + b"\n")
    assert is_seen(copy)
    with (copy / name).open("r+b") as file:
        file.truncate(2**40)
    assert is_seen(copy)
    assert_repaired(copy, "landscape", *wholes("landscape"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives up the rights of root for a while")
def test_reading_needs_neither_write_access_nor_a_lock(copy, wholes):
    for place in [copy, *copy.rglob("*")]:
        place.chmod(0o555 if place.is_dir() else 0o444)
    for parent in copy.parents[:-1]:
        parent.chmod(parent.stat().st_mode | 0o555)
    context = stored.context()
    told = context.Queue()
    child = context.Process(target=stored.read_as_nobody, args=(copy, told))
    child.start()
    assert told.get(timeout=60) == ("complete", float(wholes("landscape")[1].steps.sum()))
    child.join()


def test_a_picture_of_a_damaged_store_is_refused(copy):
    flip(copy / "outcome" / "0.1.0")
    flip(copy / "steps" / "0.1.0", 1)
    result = store.read(copy)  # sizes agree
    for quantity in ("outcome", "steps"):
        with pytest.raises(StoreError, match=r"is damaged: (outcome|steps)/0.1.0 .*run the same sweep"):
            plot.maps(result, quantity)


def test_damage_is_one_sentence_on_the_command_line(copy, tmp_path):
    flip(copy / "outcome" / "0.1.0")
    flip(copy / "steps" / "0.1.0", 1)
    picture = tmp_path / "map.png"
    for words in (
        ["map", copy, "-o", picture],
        ["map", copy, "-o", picture, "--quantity", "steps"],
        ["compare", copy, copy, "-o", picture],
        ["status", "--verify", copy],
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 2
        assert "is damaged: outcome/0.1.0" in done.stderr or "is damaged: steps/0.1.0" in done.stderr
        assert "Traceback" not in done.stderr
    assert not picture.exists()


@pytest.mark.slow
def test_the_command_line_reuses_and_repairs(tmp_path):
    def command(rates, out, *more):
        words = ["--problem", "quartic", "--optimizer", "gd", "--lr", rates, "--start", "-4:4:8", "--max-steps", "100"]
        return CliRunner().invoke(app, ["sweep", *words, "--out", str(tmp_path / out), *map(str, more)])

    assert command("0.1", "small.zarr").exit_code == 0
    assert command("0.1:1:4", "large.zarr", "--reuse", tmp_path / "small.zarr").exit_code == 0
    assert command("0.1:1:4", "fresh.zarr").exit_code == 0
    assert stored.contents(tmp_path / "large.zarr") == stored.contents(tmp_path / "fresh.zarr")
    done = command("0.2", "x.zarr", "--reuse", tmp_path / "small.zarr")
    assert done.exit_code == 2
    assert "no trajectory of this sweep" in done.stderr
    assert not (tmp_path / "x.zarr").exists()
    (tmp_path / "large.zarr" / "learning_rate" / "0").unlink()
    done = command("0.1:1:4", "large.zarr")
    assert "complete: 32 trajectories, 1 damage repaired" in done.stderr


def damage_at_random(places, rng):
    """Damage a store in one of many ways."""
    file = rng.choice(places)
    data = file.read_bytes() if file.is_file() else b""
    match rng.randrange(10):
        case 0:
            file.unlink()
        case 1:
            file.write_bytes(data[: rng.randrange(len(data) + 1)])
        case 2:
            file.write_bytes(data + rng.randbytes(rng.randrange(1, 50)))
        case 3:
            file.write_bytes(rng.randbytes(len(data)))
        case 4 | 5:
            changed = bytearray(data)
            for _ in range(rng.randrange(1, 4) if data else 0):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            file.write_bytes(changed)
        case 6:
            text = data.decode(errors="replace")
            old, new = rng.choice(
                [("1", "2"), ("null", "3"), ("[", "{"), ("blosc", "zlib"), ("<f8", "|O"), ("2", "-2")]
            )
            file.write_text(text.replace(old, new, rng.randrange(1, 9)))
        case 7:
            other = rng.choice(places)
            file.write_bytes(other.read_bytes() if other.is_file() else b"")
        case 8:
            file.unlink()
            rng.choice([os.mkfifo, lambda place: place.symlink_to("/dev/zero"), Path.mkdir])(file)
        case 9:
            lines = data.splitlines(keepends=True)
            rng.shuffle(lines)
            file.write_bytes(b"".join(lines[: rng.randrange(len(lines) + 1)]))


def attacked(whole, expected, folder, seed):
    rng = random.Random(seed)
    path = folder / "copy.zarr"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(whole, path)
    foreign = {path / "notes.txt": b"mine", path / "loss" / "notes": b"mine"}
    for place, text in foreign.items():
        place.write_bytes(text)
    for _ in range(rng.randrange(1, 4)):
        places = [path / file.relative_to(whole) for file in files_of(whole)]
        damage_at_random([place for place in places if place.is_file() and not place.is_symlink()], rng)
    got = result_or_sentence(path)
    if got is not None:
        is_done = got.outcome.values > 0  # a journal may have been cut
        for name in expected.data_vars:
            np.testing.assert_array_equal(got[name].values[is_done], expected[name].values[is_done])
        assert is_done.all() or store.status(path).done < expected.outcome.size
    try:
        cases.assert_same(run(path), expected)
        assert store.status(path, whole=True).damages == {}
        is_repaired = True
    except StoreError as error:
        check_sentence(error)
        is_repaired = False
    assert all(place.read_bytes() == text for place, text in foreign.items())
    return is_repaired


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_random_damages_give_the_right_result_or_a_sentence(wholes, tmp_path_factory, monkeypatch, seed):
    attacked(*wholes("landscape"), tmp_path_factory.getbasetemp(), seed)


@pytest.mark.slow
def test_many_random_damages_give_the_right_result_or_a_sentence(wholes, tmp_path):
    repaired = [attacked(*wholes("landscape"), tmp_path, seed) for seed in range(cases.examples(300))]
    assert np.mean(repaired) > 0.5
