#!/usr/bin/env python3
"""`judge --endpoint` compared with `judge --model`: the same GGUF behind the server of llama-cpp-python and read by hardcase itself.

usage: endpoint_llama_cpp_python.py [PYTHON]

PYTHON is one that has llama-cpp-python[server]; without it a virtual environment is made under the user's cache, in about ten minutes.
HARDCASE names the program (target/release/hardcase, else target/debug/hardcase). The models are two of the test data (see CONTRIBUTING.md), or the
one that MODEL names, with labels that NAMES names ("spam,ham").

Prints for each model how often both give the same label, and how far their probabilities lie apart. They cannot be the same: a server cuts the
whole prompt into tokens and hardcase its parts, and a server's list also holds ways to spell a name that its tokeniser would not take, which tiny
models find likely; where such a model has no opinion, the likeliest label turns with it. Fails where probabilities lie further apart than 0.1 on
average.
"""
import array
import contextlib
import csv
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
TEXTS, APART = 60, 0.1
# Names that begin with tokens which such a small model thinks of by itself: a server lists 20 only.
MODELS = {
    "stories260Ktok512.gguf": ["Ben", "Mom", "Sam"],
    "tinystories-656k-q8_0.gguf": ["amazing", "animal", "about"],
}


def task(names: list[str]) -> str:
    labels = [f'\n[[label]]\nname = "{name}"\nkey = "{key}"\n' for key, name in enumerate(names, 1)]
    return 'name = "who"\nquestion = "Who is the story about?"\n' + "".join(labels)


def program() -> pathlib.Path:
    if "HARDCASE" in os.environ:
        return pathlib.Path(os.environ["HARDCASE"])
    built = [REPOSITORY / "target" / kind / "hardcase" for kind in ("release", "debug")]
    return next((path for path in built if path.exists()), None) or sys.exit("build hardcase first, or name it with HARDCASE")


def python() -> str:
    if len(sys.argv) > 1:
        return sys.argv[1]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    venv = cache / "hardcase-tests" / "llama-cpp-python"
    if not (venv / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    # Without the instructions that compilers of 2022 do not know.
    flags = {"CMAKE_ARGS": "-DGGML_AMX_TILE=OFF -DGGML_AMX_INT8=OFF -DGGML_AMX_BF16=OFF"}
    install = [venv / "bin" / "pip", "install", "--quiet", "llama-cpp-python[server]"]
    subprocess.run(install, check=True, env=os.environ | flags)
    return str(venv / "bin" / "python")


def models() -> list[tuple[pathlib.Path, list[str]]]:
    if "MODEL" in os.environ:
        return [(pathlib.Path(os.environ["MODEL"]), os.environ["NAMES"].split(","))]
    data = pathlib.Path(os.environ.get("HARDCASE_TEST_DATA", REPOSITORY.parent / "shared")) / "models"
    found = [(data / file, names) for file, names in MODELS.items() if (data / file).exists()]
    return found or sys.exit(f"skipped: there is no model in {data}; HARDCASE_TEST_DATA names the folder")


def texts(names: list[str]) -> list[str]:
    """Beginnings of advertisements in the letters that the smallest vocabularies have: the smallest model reads 128 tokens at a time, and hardcase would
    cut what the server, which is not told so, reads whole."""
    with open(REPOSITORY / "assets" / "demo" / "ads.csv", encoding="utf8", newline="") as file:
        rows = [re.sub(r"[^A-Za-z .,]+", " ", row["text"]) for row in csv.DictReader(file)]
    return [f"{text[:40]} {name} was happy." for text, name in zip(rows[:TEXTS], names * TEXTS)]


@contextlib.contextmanager
def server(interpreter: str, model: pathlib.Path, log: pathlib.Path):
    """The server's address, for as long as it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [interpreter, "-m", "llama_cpp.server", "--model", model, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--logits_all", "true", "--n_ctx", "512", "--n_threads", "1", "--interrupt_requests", "false"]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if process.poll() is not None:
                sys.exit(f"the server ended:\n{log.read_text(errors='replace')[-2000:]}")
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{url}/v1/models", timeout=5).read()
                break
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait()


def said(project: pathlib.Path) -> dict[int, list[float]]:
    """What the newest judge says of each text, uncalibrated."""
    with contextlib.closing(sqlite3.connect(project)) as file:
        newest = "SELECT max(id) FROM predictor WHERE kind = 'judge'"
        rows = file.execute(f"SELECT item, probabilities FROM prediction WHERE predictor = ({newest})").fetchall()
    return {item: array.array("f", blob).tolist() for item, blob in rows}


def compare(name: str, ours: dict[int, list[float]], theirs: dict[int, list[float]]) -> float:
    assert ours.keys() == theirs.keys() and len(ours) > 0
    best = lambda p: p.index(max(p))
    same = sum(best(ours[item]) == best(theirs[item]) for item in ours) / len(ours)
    apart = [abs(a - b) for item in ours for a, b in zip(ours[item], theirs[item])]
    labels = len({best(p) for p in ours.values()})
    print(
        f"{name}: the same label for {same:.1%} of {len(ours)} texts ({labels} labels given); "
        f"probabilities apart by {sum(apart) / len(apart):.4f} on average, {max(apart):.4f} at most"
    )
    return sum(apart) / len(apart)


def main() -> None:
    hardcase, interpreter, worst = program(), python(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(verb: str, project: pathlib.Path, *arguments: object) -> None:
            command = [hardcase, verb, project, *arguments, "--quiet"]
            subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)

        for model, names in models():
            (folder / "task.toml").write_text(task(names))
            (folder / "texts.txt").write_text("\n".join(texts(names)) + "\n")
            local, remote = folder / "local.hardcase", folder / "remote.hardcase"
            run("new", local, "--task", folder / "task.toml")
            run("import", local, folder / "texts.txt")
            run("scout", local)
            shutil.copy(local, remote)
            run("judge", local, "--model", model, "--all", "--threads", "1")
            with server(interpreter, model, folder / "server.log") as url:
                begun = time.monotonic()
                run("judge", remote, "--endpoint", url, "--all", "--concurrency", "2")
                print(f"{model.name}: {TEXTS / (time.monotonic() - begun):.1f} texts/s through the server")
            worst = max(worst, compare(model.name, said(local), said(remote)))
            for project in (local, remote):
                project.unlink()
    if worst > APART:
        sys.exit(f"the probabilities lie further apart than {APART}")


main()
