"""Metadata and chunks of stores: what is written reads back, and nothing else is accepted."""

import json

import numpy as np
import pytest
from numcodecs import Blosc

import gdfast
from gdfast import measures, optimizers, problems, starts
from gdfast.storing import layout
from gdfast.storing.files import Unsound
from gdfast.storing.layout import Array


def sweep(**changed):
    points = starts.Starts(problems.rosenbrock().grid(3), {"init": list("abcdefghi"), "seed": np.arange(9)})
    rules = optimizers.grid(optimizers.momentum, momentum=[0.5, 0.9])
    return gdfast.Sweep(problems.rosenbrock(), rules, np.geomspace(1e-3, 1, 7), points, 10, **changed)


def members_of(subject, keep_theta=True):
    return {**layout.axes(subject)[0], **layout.arrays(subject, keep_theta, (1, 3, 9))}


def texts():
    return layout.texts({"title": "x"}, members_of(sweep()))


def test_what_is_written_is_what_is_accepted():
    for subject, keep_theta in ((sweep(), False), (sweep(measure=measures.convergence()), True)):
        members = members_of(subject, keep_theta)
        each = layout.texts({"title": "x"}, members)
        attributes, got, old_texts = layout.check(each[layout.METADATA])
        assert got == members
        assert old_texts == frozenset()
        assert attributes == {"title": "x", "coordinates": "rule momentum init seed start_point"}
        assert json.loads(each[layout.ATTRIBUTES_FILE]) == attributes
        assert json.loads(each[layout.GROUP]) == {"zarr_format": 2}
        consolidated = json.loads(each.pop(layout.METADATA))
        assert consolidated == {
            "metadata": {name: json.loads(data) for name, data in each.items()},
            "zarr_consolidated_format": 1,
        }
        own = {f"{name}/{file}" for name in members for file in (".zarray", ".zattrs")}
        assert set(each) == {".zgroup", ".zattrs", *own}


def test_arrays_of_trajectories_have_the_blocks_as_chunks():
    made = layout.arrays(sweep(measure=measures.convergence()), True, (1, 3, 9))
    assert {name: array.shape for name, array in made.items()} == {
        **dict.fromkeys([*layout.FIELDS, "measure"], (2, 7, 9)),
        "theta": (2, 7, 9, 2),
    }
    assert made["loss"].chunks == (1, 3, 9)
    assert made["theta"].chunks == (1, 3, 9, 2)
    assert made["theta"].dimensions == ("optimizer", "learning_rate", "start", "parameter")
    assert made["steps"].chunk_bytes == 3 * 9 * 4
    assert list(made["loss"].keys) == [f"{i}.{j}.0" for i in range(2) for j in range(3)]
    assert [layout.chunk(name, "0.1.0", array) for name, array in made.items() if name in ("loss", "theta")] == [
        "loss/0.1.0",
        "theta/0.1.0.0",
    ]


def test_coordinates_are_cut_into_chunks_of_bounded_size(monkeypatch):
    whole, (_, one) = sweep(), layout.axes(sweep())
    assert {"start_point/0.0", "learning_rate/0", "init/0"} <= set(one)
    monkeypatch.setattr(layout, "_CHUNK", 64)  # 4 starts, 8 rates
    arrays, several = layout.axes(whole)
    assert arrays["start_point"].chunks == (4, 2)
    assert arrays["learning_rate"].chunks == (7,)
    read = [np.frombuffer(Blosc().decode(several[f"start_point/{i}.0"])).reshape(4, 2) for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(read)[:9], whole.starts)
    assert (read[2][1:] == 0).all()
    assert "start_point/3.0" not in several
    monkeypatch.setattr(layout, "_CHUNK", 1)
    assert layout.axes(whole)[0]["start_point"].chunks == (1, 2)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "bcd"], "<U3"),
        (np.array(["a", None], dtype=object), "<U4"),
        (np.array([1, 2], dtype=">i4"), "<i4"),
        (np.array([1, 2], dtype=np.uint8), "<i8"),
        (np.array([1, 2**63 - 1], dtype=np.uint64), "<i8"),
        (np.array([True, False]), "|b1"),
        (np.array([1.5, 2], dtype=np.float32), "<f4"),
    ],
)
def test_labels_of_starts_are_stored_in_types_that_every_reader_knows(values, kind):
    got = layout._plain("label", np.asarray(values))
    assert got.dtype.str == kind
    assert got.tolist() == [str(v) if kind[1] == "U" else v for v in np.asarray(values).tolist()]


@pytest.mark.parametrize(
    "values", [np.array([2**63], dtype=np.uint64), np.array([1j]), np.array([1, 2], dtype="M8[s]")], ids=str
)
def test_labels_of_other_types_are_refused(values):
    with pytest.raises(ValueError, match="the label label has values of type"):
        layout._plain("label", values)


@pytest.mark.parametrize("name", ["a/b", ".x", "loss", "theta", ""])
def test_labels_of_names_that_a_store_cannot_hold_are_refused(name):
    with pytest.raises(ValueError, match="give it another name"):
        layout._plain(name, np.arange(3))


ARRAY = Array((5,), (4,), np.dtype("<f8"), ("start",), {})


def chunk(count, of=np.float64):
    return layout.compressed(np.arange(count, dtype=of))


def test_a_chunk_is_of_its_size_before_and_after_it_is_compressed():
    ARRAY.check_chunk("x/0", chunk(4), False)
    for data in (chunk(3), chunk(5), chunk(4)[:-1], chunk(4) + b"x", b"", chunk(4)[:15], chunk(8, np.float32)[:16]):
        with pytest.raises(Unsound, match="x/0 is no chunk of 32 bytes"):
            ARRAY.check_chunk("x/0", data, False)


def test_a_chunk_of_old_texts_has_one_for_each_element():
    def written(count, *words):
        parts = [len(word).to_bytes(4, "little") + word for word in words]
        return bytes(Blosc("lz4").encode(count.to_bytes(4, "little") + b"".join(parts)))

    ARRAY.check_chunk("x/0", written(4, b"a", b"", b"bc", b"d"), True)
    for data in (written(3, b"a", b"b", b"c"), written(5, *[b"a"] * 5), written(260, b"a"), written(4 + 2**24, b"a")):
        with pytest.raises(Unsound, match="x/0 is no chunk of 4 texts"):
            ARRAY.check_chunk("x/0", data, True)
    with pytest.raises(Unsound):
        ARRAY.check_chunk("x/0", written(4, b"a")[:-1], True)
    broken = bytearray(written(4, b"a" * 100))
    broken[16:] = bytes(len(broken) - 16)
    with pytest.raises(Unsound, match="x/0"):
        ARRAY.check_chunk("x/0", bytes(broken), True)


def test_a_chunk_is_the_same_in_every_thread():
    values = np.arange(10_000.0)
    assert layout.compressed(values) == layout.compressed(values[::-1][::-1])
    np.testing.assert_array_equal(np.frombuffer(Blosc().decode(layout.compressed(values))), values)


def forged(change):
    metadata = json.loads(texts()[layout.METADATA])
    change(metadata["metadata"])
    return json.dumps(metadata).encode()


def blocks_of(*shape):
    """The blocks of all arrays of trajectories changed alike."""

    def change(each):
        for name in layout.DATA:
            if f"{name}/.zarray" in each:
                each[f"{name}/.zarray"]["chunks"][:3] = shape

    return change


def text(**changed):
    return lambda each: each["init/.zarray"].update(**changed)


@pytest.mark.sampled(21)
@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.update({"x": {}}),
        lambda each: each.update({".zattrs": 3}),
        lambda each: each.pop(".zattrs"),
        lambda each: each.update({".x/.zarray": each["seed/.zarray"], ".x/.zattrs": each["seed/.zattrs"]}),
        lambda each: each.update({"a:b/.zarray": each["seed/.zarray"], "a:b/.zattrs": each["seed/.zattrs"]}),
        lambda each: each.pop("seed/.zattrs"),
        lambda each: each["seed/.zattrs"].pop("_ARRAY_DIMENSIONS"),
        lambda each: each["seed/.zattrs"].update(units="1"),  # only data have units
        lambda each: each["loss/.zattrs"].update(scale_factor=2),
        lambda each: each["seed/.zattrs"].update(_ARRAY_DIMENSIONS=["seed"]),
        lambda each: each["seed/.zattrs"].update(_ARRAY_DIMENSIONS=["start", "start"]),
        lambda each: each["seed/.zarray"].update(extra=1),
        lambda each: each["seed/.zarray"].pop("order"),
        lambda each: each["seed/.zarray"].update(shape=[8]),  # of other starts
        lambda each: each["seed/.zarray"].update(shape=[True]),
        lambda each: each["seed/.zarray"].update(chunks=[0]),
        lambda each: each["seed/.zarray"].update(chunks=[2**40 + 1]),
        lambda each: each["seed/.zarray"].update(shape=[9, 1], chunks=[9]),
        lambda each: each["seed/.zarray"].update(dtype="<i3"),
        text(dtype="<U"),
        text(dtype="<Ux"),
        text(dtype="<U1000000"),
        text(dtype="|O"),
        text(dtype="|O", filters=[{"id": "pickle"}]),
        text(filters=layout.TEXTS),
        lambda each: each["loss/.zarray"].update(dtype="|O", filters=layout.TEXTS),
        lambda each: each["loss/.zarray"].update(dtype="<f4"),
        lambda each: each["loss/.zarray"].update(chunks=[1, 2, 9]),  # others have other blocks
        lambda each: each["theta/.zarray"].update(chunks=[1, 3, 9, 1]),
        lambda each: each["theta/.zattrs"].update(_ARRAY_DIMENSIONS=["optimizer", "learning_rate", "start", "group"]),
        lambda each: [
            each["loss/.zarray"].update(shape=[2, 7, 9, 1], chunks=[1, 3, 9, 1]),
            each["loss/.zattrs"].update(_ARRAY_DIMENSIONS=["optimizer", "learning_rate", "start", "group"]),
        ],
        lambda each: [each.pop(f"loss/{name}") for name in (".zarray", ".zattrs")],
        lambda each: [each.pop(f"start/{name}") for name in (".zarray", ".zattrs")],
        lambda each: [each.pop(f"start_point/{name}") for name in (".zarray", ".zattrs")],
        blocks_of(2**10, 2**10, 2**10),
        lambda each: [
            each["seed/.zarray"].update(shape=[2**40], chunks=[1]),
            each["seed/.zattrs"].update(_ARRAY_DIMENSIONS=["group"]),
        ],
    ],
)
def test_metadata_of_anything_else_are_refused(change):
    with pytest.raises(Unsound):
        layout.check(forged(change))


@pytest.mark.parametrize(
    "change",
    [
        text(dtype="<U999999"),
        text(dtype="|O", filters=layout.TEXTS),
        lambda each: each["seed/.zarray"].pop("dimension_separator"),
        lambda each: each["seed/.zarray"].update(chunks=[2**20]),
        lambda each: each["seed/.zattrs"].update(long_name="x"),
    ],
)
def test_metadata_as_other_versions_write_them_are_accepted(change):
    attributes, members, old_texts = layout.check(forged(change))
    assert attributes["title"] == "x"
    assert set(members) == set(members_of(sweep()))
    assert old_texts == ({"init"} if members["init"].dtype.kind == "O" else frozenset())


@pytest.mark.parametrize("text", [b"", b"[]", b"3", b"null", b"{", b"[" * 100_000, b"\xff"])
def test_texts_that_are_no_objects_cannot_be_read(text):
    with pytest.raises(Unsound, match="cannot be read"):
        layout.read_json(text)
