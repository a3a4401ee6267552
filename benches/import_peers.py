#!/usr/bin/env python3
"""Seconds and peak memory of an import, beside DuckDB and pandas reading the same file.

usage: import_peers.py [ROWS]

Makes ROWS (1,000,000) rows of 200 characters as Parquet and as gzip JSONL, and reads each with `hardcase new --data`, with DuckDB into a table of a database file,
and with pandas, each in a process of its own. HARDCASE names the program (target/release/hardcase). The libraries are installed into a virtual environment under
the user's cache. Prints one line for each.
"""
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
TASK = 'question = "?"\n[[label]]\nname = "a"\n[[label]]\nname = "b"\n'


def environment() -> None:
    """Runs this again with a Python that has the libraries."""
    if os.environ.get("HARDCASE_IN_ENVIRONMENT"):
        return
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    venv = cache / "hardcase-tests" / "import-peers"
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", "duckdb", "pandas", "pyarrow"], check=True)
    sys.exit(subprocess.run([venv / "bin" / "python", *sys.argv], env=os.environ | {"HARDCASE_IN_ENVIRONMENT": "1"}).returncode)


def texts(rows: int):
    """Made-up words, no text twice."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(50_000)]
    for i in range(rows):
        yield f"r{i}", f"{i} {' '.join(chance.choices(words, k=40))}"[:199] + "."


def measured(command: list, environ: dict) -> tuple[float, float]:
    """Seconds, and the most memory in MB."""
    begun = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    assert status == 0, command
    return time.monotonic() - begun, used.ru_maxrss / 1024


def main() -> None:
    import pyarrow
    import pyarrow.parquet
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    hardcase = os.environ.get("HARDCASE", str(REPOSITORY / "target" / "release" / "hardcase"))
    with tempfile.TemporaryDirectory(prefix="hardcase-peers-") as made:
        folder = pathlib.Path(made)
        (folder / "task.toml").write_text(TASK)
        schema = pyarrow.schema([("id", pyarrow.string()), ("text", pyarrow.string())])
        with pyarrow.parquet.ParquetWriter(folder / "a.parquet", schema) as parquet, gzip.open(folder / "a.jsonl.gz", "wt", compresslevel=5) as jsonl:
            batch = []
            for row in texts(rows):
                batch.append(row)
                jsonl.write(json.dumps({"id": row[0], "text": row[1]}) + "\n")
                if len(batch) == 100_000:
                    parquet.write_table(pyarrow.table(list(zip(*batch)), schema=schema))
                    batch = []
            if batch:
                parquet.write_table(pyarrow.table(list(zip(*batch)), schema=schema))
        readers = {"a.parquet": ("read_parquet", "read_parquet('{}')"), "a.jsonl.gz": ("read_json_auto", "read_json('{}', lines=True)")}
        for name, (duckdb, pandas) in readers.items():
            file = folder / name
            print(f"{name}: {rows:,} rows, {file.stat().st_size / 1e6:.0f} MB")
            project = folder / f"{name}.hardcase"
            sql = f"CREATE TABLE t AS SELECT * FROM {duckdb}('{file}')"
            for who, command in [
                ("hardcase", [hardcase, "new", project, "--task", folder / "task.toml", "--data", file, "--quiet"]),
                ("DuckDB", [sys.executable, "-c", f"import duckdb; duckdb.connect({str(folder / name) + '.duck'!r}).execute({sql!r})"]),
                ("pandas", [sys.executable, "-c", f"import pandas; print(len(pandas.{pandas.format(file)}))"]),
            ]:
                seconds, memory = measured(command, {"HOME": made, "XDG_DATA_HOME": made})
                print(f"  {who:8} {seconds:6.1f} s  {memory:6.0f} MB")


environment()
main()
