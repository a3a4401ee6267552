#!/usr/bin/env python3
"""llama-cpp-python beside `cargo bench --bench judge -- speed DOCUMENTS PYTHON`, which starts it, on the model that the bench has written.

Each line that it reads asks for a number of documents, `kept 10` or `whole 10`: with the prefix that the library keeps by itself from one call to the
next, or with whole prompts. Each document has 100 tokens behind the same 200, and one token is asked for. It answers with the seconds.
"""
import itertools
import os
import pathlib
import sys
import tempfile
import time

import llama_cpp

path = pathlib.Path(tempfile.gettempdir()) / "hardcase-bench-0.6b.gguf"
threads = len(os.sched_getaffinity(0))
model = llama_cpp.Llama(str(path), n_ctx=512, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
shared = [260 + (i * 31) % 1000 for i in range(200)]
texts = ([260 + (i * 37 + n * 101) % 1000 for i in range(100)] for n in itertools.count())
print(f"llama-cpp-python {llama_cpp.__version__}", flush=True)
for line in sys.stdin:
    way, documents = line.split()
    if way == "kept":
        next(model.generate(shared + next(texts), temp=0.0))
    begun = time.monotonic()
    for _ in range(int(documents)):
        if way == "whole":
            model.reset()
        next(model.generate(shared + next(texts), temp=0.0))
    print(time.monotonic() - begun, flush=True)
