"""Tables of the benchmarks: printed, and kept in `reports/` with the machine they were made on."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numba
from rich.console import Console
from rich.table import Table

from gdfast.storing.result import machine


def description() -> dict[str, Any]:
    """The machine and the versions that a table's numbers hold for."""
    features = numba.core.codegen.get_host_cpu_features().split(",")
    return {**machine(), "vectors": 512 if "+avx512f" in features else 256 if "+avx" in features else 128}


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*("" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=max(Console().width, 200)).print(table)


def write(path: Path, rows: Sequence[Mapping[str, Any]], **facts: Any) -> None:
    """Write rows to ``path`` as CSV, and with the machine's description and other facts as JSON beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    whole = {"machine": description(), **facts, "rows": list(rows)}
    path.with_suffix(".json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {path} and {path.with_suffix('.json')}")
