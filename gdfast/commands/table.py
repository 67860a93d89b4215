"""``gdfast table``: what a store holds as a table of other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gdfast.commands.printing import echo

if TYPE_CHECKING:
    import pandas

_CSV, _PARQUET = (".csv", ".csv.gz"), ".parquet"


def table(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="what `gdfast sweep` wrote")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the table: .csv, .csv.gz or .parquet (extra parquet)")],
    at: Annotated[
        list[str] | None,
        typer.Option(help="only the nearest learning_rate=value or start=x,y,…, or start=#3, that number"),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="a row for each recorded step, with what was recorded")
    ] = False,
) -> None:
    """Write a stored sweep as a table, a row a trajectory, in pieces, so that it may be larger than memory."""
    import gdfast
    from gdfast import analysis, arguments, extras, outputs

    suffix = "".join(out.suffixes[-2:]) if out.suffix == ".gz" else out.suffix
    arguments.choice("out: suffix", suffix, [*_CSV, _PARQUET])
    if suffix == _PARQUET and (words := extras.missing("parquet")):
        raise ValueError(f"out: {out} is a Parquet file, but {words}, or give a CSV file, {out.with_suffix('.csv')}")
    outputs.check(out)
    with gdfast.load(source) as result, outputs.beside(out) as part:
        pieces = gdfast.tidy_pieces(analysis.nearest(result, at) if at else result, history=history)
        rows = _write_parquet(pieces, part) if suffix == _PARQUET else _write_csv(pieces, part, out.suffix == ".gz")
    echo(f"{rows:,} rows → {out}")


def _write_csv(pieces: "Iterator[pandas.DataFrame]", path: Path, gzip: bool) -> int:
    rows = 0
    how: dict[str, Any] = {"compression": {"method": "gzip", "mtime": 0} if gzip else None, "index": False}
    for piece in pieces:
        piece.to_csv(path, mode="a" if rows else "w", header=not rows, **how)
        rows += len(piece)
    return rows


def _write_parquet(pieces: "Iterator[pandas.DataFrame]", path: Path) -> int:
    import pyarrow  # type: ignore[import-untyped]
    from pyarrow import parquet

    rows, writer = 0, None
    try:
        for piece in pieces:
            told = pyarrow.Table.from_pandas(piece, preserve_index=False)
            writer = writer or parquet.ParquetWriter(path, told.schema)
            writer.write_table(told)
            rows += len(piece)
    finally:
        if writer:
            writer.close()
    return rows
