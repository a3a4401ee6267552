#!/usr/bin/env python3
"""Every format, in and out, against the library that it is known by: what pandas, pyarrow, openpyxl, odfpy, xlwt, sqlite3 and Hugging Face's datasets write is
imported, and what is exported is read by them.

usage: formats_real_libraries.py [--more] [PYTHON]

PYTHON is one that has these libraries; without it a virtual environment is made under the user's cache. With --more also spaCy, TRL, fastText and the libraries of
Label Studio and Argilla, which take some gigabytes. HARDCASE names the program (target/release/hardcase, else target/debug/hardcase). Says what it ran, and fails at the first difference.
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
LIBRARIES = ["pandas", "pyarrow", "openpyxl", "odfpy", "xlwt", "datasets"]
MORE = ["spacy", "label-studio-sdk", "trl", "argilla", "fasttext-wheel"]
TEXTS = ["It came \"late\", and\nbroke in a day", "Grüße aus Köln 🦀", "  blanks at both ends  ", "=SUM(A1) is no formula", "ordinary words; and a\ttab", "می‌خواهم"]


def environment() -> None:
    """Runs this again with a Python that has the libraries."""
    more = "--more" in sys.argv
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    if os.environ.get("HARDCASE_IN_ENVIRONMENT"):
        return
    interpreter = given[0] if given else None
    if interpreter is None:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
        venv = cache / "hardcase-tests" / ("formats-more" if more else "formats")
        if not (venv / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", *LIBRARIES, *(MORE if more else [])], check=True)
        interpreter = str(venv / "bin" / "python")
    environ = os.environ | {"HARDCASE_IN_ENVIRONMENT": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    sys.exit(subprocess.run([interpreter, *sys.argv], env=environ).returncode)


def program() -> pathlib.Path:
    if "HARDCASE" in os.environ:
        return pathlib.Path(os.environ["HARDCASE"])
    built = [REPOSITORY / "target" / kind / "hardcase" for kind in ("release", "debug")]
    return next((path for path in built if path.exists()), None) or sys.exit("build hardcase first, or name it with HARDCASE")


environment()
import datasets  # noqa: E402
import openpyxl  # noqa: E402
import pandas  # noqa: E402
import pyarrow  # noqa: E402
import pyarrow.feather  # noqa: E402
import pyarrow.parquet  # noqa: E402

HARDCASE = program()
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="hardcase-formats-"))
TASK = FOLDER / "task.toml"
TASK.write_text('question = "Is the writer unhappy?"\n[[label]]\nname = "unhappy"\nkey = "1"\n[[label]]\nname = "fine"\nkey = "2"\n')
made = 0


def run(*words, ok=True) -> str:
    home = {"HOME": str(FOLDER / "home"), "XDG_DATA_HOME": str(FOLDER / "home"), "LOGNAME": "ada"}
    ran = subprocess.run([HARDCASE, *map(str, words)], capture_output=True, text=True, env=os.environ | home)
    assert (ran.returncode == 0) == ok, f"{words}: {ran.stdout}{ran.stderr}"
    return ran.stdout if ok else ran.stderr


def rows_of(data, *options) -> list:
    """The rows of a project that is made from a file."""
    global made
    made += 1
    project = FOLDER / f"{made}.hardcase"
    run("new", project, "--task", TASK, "--data", data, "--quiet", *options)
    return [json.loads(line) for line in run("export", project, "--what", "rows").splitlines()]


def same(what: str, found: list, wanted: list, columns=("id", "text", "n", "p", "at")) -> None:
    assert len(found) == len(wanted), f"{what}: {len(found)} rows of {len(wanted)}"
    for row, want in zip(found, wanted):
        for column in columns:
            assert row.get(column) == want[column], f"{what}: {column} is {row.get(column)!r} and not {want[column]!r}"
    print(f"in   {what}: {len(found)} rows")


def frame() -> pandas.DataFrame:
    return pandas.DataFrame({
        "id": [f"r{i}" for i in range(len(TEXTS))],
        "text": TEXTS,
        "n": range(len(TEXTS)),
        "p": [i / 8 for i in range(len(TEXTS))],
        "at": pandas.date_range("2026-03-01 10:02", periods=len(TEXTS), freq="s"),
        "kind": pandas.Categorical(["a", "b"] * (len(TEXTS) // 2)),
    })


def wanted(at: str) -> list:
    moments = [at.format(i) for i in range(len(TEXTS))]
    return [{"id": f"r{i}", "text": text, "n": i, "p": i / 8, "at": moment} for i, (text, moment) in enumerate(zip(TEXTS, moments))]


def read_in() -> None:
    table, want = frame(), wanted("2026-03-01T10:02:0{}")
    for compression in ["snappy", "gzip", "zstd", "lz4", None]:
        table.to_parquet(FOLDER / "a.parquet", compression=compression, index=False)
        same(f"Parquet of pandas, {compression}", rows_of(FOLDER / "a.parquet"), want)
    table.to_parquet(FOLDER / "b.parquet", compression="brotli", index=False)
    said = run("new", FOLDER / "no.hardcase", "--task", TASK, "--data", FOLDER / "b.parquet", ok=False)
    assert len(said.strip().splitlines()) == 1, said
    arrow = pyarrow.Table.from_pandas(table, preserve_index=False)
    pyarrow.parquet.write_table(arrow, FOLDER / "c.parquet", row_group_size=2, version="1.0", use_dictionary=False, data_page_version="2.0")
    same("Parquet of pyarrow, data pages 2.0, groups of two", rows_of(FOLDER / "c.parquet"), want)
    for compression in ["lz4", "zstd", "uncompressed"]:
        pyarrow.feather.write_feather(arrow, str(FOLDER / "a.feather"), compression=compression)
        same(f"Feather, {compression}", rows_of(FOLDER / "a.feather"), want)
    with pyarrow.ipc.new_stream(FOLDER / "a.arrows", arrow.schema) as stream:
        stream.write_table(arrow, max_chunksize=2)
    same("Arrow stream", rows_of(FOLDER / "a.arrows"), want)
    whole = datasets.Dataset.from_pandas(table.drop(columns="kind"))
    whole.save_to_disk(FOLDER / "saved", num_shards=3)
    same("a saved data set of datasets, 3 shards", rows_of(FOLDER / "saved"), want)
    datasets.DatasetDict({"train": whole, "test": whole}).save_to_disk(FOLDER / "both")
    assert "train, test" in run("new", FOLDER / "no.hardcase", "--task", TASK, "--data", FOLDER / "both", ok=False)
    same("one part of a saved DatasetDict", rows_of(FOLDER / "both" / "test"), want)
    chats = [{"conversations": [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": text}]} for text in ["So?", "Yes."]]
    datasets.Dataset.from_list(chats).to_parquet(FOLDER / "chats.parquet")
    found = rows_of(FOLDER / "chats.parquet")
    assert found[0]["conversations"] == chats[0]["conversations"], found
    print("in   conversations of datasets in Parquet: 2 rows")

    # What begins with = is a formula to these libraries, without a value yet.
    sheet = table.drop(columns="kind").assign(text=table["text"].str.lstrip("="))
    want = [row | {"text": row["text"].lstrip("=")} for row in want]
    for name, engine in [("a.xlsx", "openpyxl"), ("a.ods", "odf")]:
        with pandas.ExcelWriter(FOLDER / name, engine=engine) as book:
            sheet.to_excel(book, sheet_name="Answers", index=False)
            sheet.head(1).to_excel(book, sheet_name="Other", index=False)
        columns = ("id", "text", "n", "p", "at") if engine == "openpyxl" else ("id", "n", "p")
        same(f"{name} of {engine}", rows_of(FOLDER / name), want, columns)
        assert len(rows_of(FOLDER / name, "--sheet", "Other")) == 1
    # Empty rows, a number as a text, a whole number that Excel keeps as a float.
    book = openpyxl.Workbook()
    for row in [["id", "text"], [12.0, "It came late"], [None, None], [13, "So it did"], ["007", "Never again"]]:
        book.active.append(row)
    book.save(FOLDER / "b.xlsx")
    assert [row["id"] for row in rows_of(FOLDER / "b.xlsx")] == [12, 13, "007"]
    print("in   numbers and empty rows of openpyxl: 3 rows")
    import xlwt
    old = xlwt.Workbook()
    page = old.add_sheet("Answers")
    for i, row in enumerate([["id", "text"], [12, "It came late"], [13, "So it did"]]):
        for j, cell in enumerate(row):
            page.write(i, j, cell)
    old.save(str(FOLDER / "a.xls"))
    assert [(row["id"], row["text"]) for row in rows_of(FOLDER / "a.xls")] == [(12, "It came late"), (13, "So it did")]
    print("in   a.xls of xlwt: 2 rows")
    with sqlite3.connect(FOLDER / "a.db") as base:
        sheet.assign(at=sheet["at"].dt.strftime("%Y-%m-%dT%H:%M:%S")).to_sql("posts", base, index=False)
        sheet.head(2).to_sql("other", base, index=False)
    same("an SQLite table of pandas", rows_of(FOLDER / "a.db", "--table", "posts"), want)
    same("a query to SQLite", rows_of(FOLDER / "a.db", "--query", "SELECT * FROM posts WHERE n < 2"), want[:2])


def write_out() -> None:
    table = frame().drop(columns=["kind", "at"])
    table.to_json(FOLDER / "all.jsonl", orient="records", lines=True)
    project = FOLDER / "out.hardcase"
    run("new", project, "--task", TASK, "--data", FOLDER / "all.jsonl", "--quiet")
    for item in range(1, len(TEXTS) + 1):
        run("answer", project, "--item", item, "--label", 1 + item % 2, "--quiet")
    labels = ["unhappy" if i % 2 == 1 else "fine" for i in range(len(TEXTS))]
    out = {}
    for name in ["rows.parquet", "rows.arrow", "rows.feather", "rows.csv", "rows.jsonl"]:
        out[name] = FOLDER / name
        run("export", project, "--what", "rows", "-o", out[name], "--quiet")
    read = {
        "rows.parquet": pandas.read_parquet, "rows.arrow": pandas.read_feather, "rows.feather": pandas.read_feather,
        "rows.csv": pandas.read_csv, "rows.jsonl": lambda path: pandas.read_json(path, lines=True),
    }
    for name, reader in read.items():
        found = reader(out[name])
        assert list(found["text"]) == TEXTS and list(found["id"]) == list(table["id"]), name
        assert list(found["n"]) == list(table["n"]) and found["n"].dtype.kind == "i", f"{name}: {found.dtypes}"
        assert [float(p) for p in found["p"]] == list(table["p"]), name
        # A text that nobody drew for a round and that is of the evaluation or the audit has no label that counts.
        given = [label if isinstance(label, str) else None for label in found["hardcase_label"]]
        assert any(given) and all(label in (None, want) for label, want in zip(given, labels)), f"{name}: {given}"
        print(f"out  {name}, read by pandas: {len(found)} rows")
    for kind, name in [("parquet", "rows.parquet"), ("arrow", "rows.arrow"), ("csv", "rows.csv"), ("json", "rows.jsonl")]:
        found = datasets.load_dataset(kind, data_files=str(out[name]), split="train", cache_dir=str(FOLDER / "cache"))
        assert found["text"][:] == TEXTS, name
        print(f"out  {name}, read by load_dataset: {len(found)} rows")
    run("export", project, "--what", "final", "--format", "parquet", "-o", FOLDER / "final.parquet", "--quiet")
    final = pyarrow.parquet.read_table(FOLDER / "final.parquet")
    assert pyarrow.types.is_list(final.schema.field("experts").type), final.schema
    print("out  final labels as Parquet, read by pyarrow, people as a list")
    for kind in ["jsonl", "parquet"]:
        folder = FOLDER / f"dataset-{kind}"
        run("export", project, "--what", "dataset", "--format", kind, "-o", folder, "--quiet")
        found = datasets.load_dataset(str(folder), cache_dir=str(FOLDER / "cache"))
        there = {text for part in found.values() for text in part["text"]}
        assert there and there <= set(TEXTS), f"{there}"
        print(f"out  a dataset ({kind}), read by load_dataset: {', '.join(f'{name} {len(part)}' for name, part in found.items())}")
    for what, columns in [("sft", ["messages"]), ("kto", ["prompt", "completion", "label"])]:
        for kind in ["jsonl", "parquet"]:
            path = FOLDER / f"{what}.{kind}"
            run("export", project, "--what", what, "-o", path, "--quiet")
            rows = datasets.load_dataset("json" if kind == "jsonl" else kind, data_files=str(path), split="train", cache_dir=str(FOLDER / "cache"))
            assert rows.column_names == columns, rows.column_names
            if "--more" in sys.argv:
                from trl.data_utils import is_conversational
                assert is_conversational(rows[0])
        print(f"out  {what}, read by load_dataset{' and known to TRL as conversations' if '--more' in sys.argv else ''}: {len(rows)} rows")
    if "--more" not in sys.argv:
        return
    import spacy
    from spacy.training import Example
    run("export", project, "--what", "final", "--format", "spacy", "-o", FOLDER / "spacy.jsonl", "--quiet")
    blank = spacy.blank("xx")
    lines = [json.loads(line) for line in open(FOLDER / "spacy.jsonl", encoding="utf8")]
    examples = [Example.from_dict(blank.make_doc(line["text"]), {"cats": line["cats"]}) for line in lines]
    pipe = blank.add_pipe("textcat")
    for label in lines[0]["cats"]:
        pipe.add_label(label)
    blank.initialize(lambda: examples)
    blank.update(examples)
    print(f"out  spaCy's cats, trained on: {len(examples)} rows")
    from label_studio_sdk.label_interface import LabelInterface
    config = '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="unhappy"/><Choice value="fine"/></Choices></View>'
    run("export", project, "--what", "final", "--format", "label-studio", "-o", FOLDER / "studio.json", "--quiet")
    interface = LabelInterface(config)
    tasks = json.loads((FOLDER / "studio.json").read_text(encoding="utf8"))
    for task in tasks:
        # Its own check of a task with annotations calls itself wrongly.
        assert interface.validate_task({"data": task["data"]}), task
        assert all(interface.validate_annotation(annotation) for annotation in task.get("annotations", [])), task
        assert all(interface.validate_prediction(prediction) for prediction in task.get("predictions", [])), task
    labelled = sum(bool(task.get("annotations")) for task in tasks)
    assert labelled, tasks
    print(f"out  Label Studio's tasks, {labelled} with an annotation, checked by its SDK: {len(tasks)} rows")
    import argilla
    run("export", project, "--what", "final", "--format", "argilla", "-o", FOLDER / "argilla.json", "--quiet")
    from argilla.records._io import JsonIO
    records = JsonIO._records_from_json(FOLDER / "argilla.json")
    by_experts = sum(suggestion.agent == "experts" for record in records for suggestion in record.suggestions)
    assert [record.fields["text"] for record in records] == TEXTS and by_experts, records
    print(f"out  Argilla's records, {by_experts} with a label, read by its library: {len(records)} rows")
    import fasttext
    run("export", project, "--what", "final", "--format", "fasttext", "-o", FOLDER / "fasttext.txt", "--quiet")
    trained = fasttext.train_supervised(str(FOLDER / "fasttext.txt"), epoch=1, dim=2, minCount=1, verbose=0)
    assert set(trained.get_labels()) <= {"__label__unhappy", "__label__fine"} and trained.get_labels(), trained.get_labels()
    print(f"out  fastText's lines, trained on: {trained.get_labels()}")


read_in()
write_out()
print(f"all of it holds; the files are in {FOLDER}")
