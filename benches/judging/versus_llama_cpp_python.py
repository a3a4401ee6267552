#!/usr/bin/env python3
"""Documents per second through llama-cpp-python: the peer of `cargo bench --bench judge -- speed`, on the model that it has written.

usage: PYTHON versus_llama_cpp_python.py [DOCUMENTS]

PYTHON is one that has llama-cpp-python. Each document has 100 tokens behind the same 200; one token is asked for. First with the prefix that the
library keeps by itself from one call to the next, then with whole prompts. Run it on a quiet machine, beside the bench.
"""
import os
import pathlib
import sys
import tempfile
import time

import llama_cpp

documents = int(sys.argv[1]) if len(sys.argv) > 1 else 32
path = pathlib.Path(tempfile.gettempdir()) / "hardcase-bench-0.6b.gguf"
if not path.exists():
    sys.exit(f"there is no {path}: `cargo bench --bench judge -- speed` writes it")
threads = len(os.sched_getaffinity(0))
model = llama_cpp.Llama(str(path), n_ctx=512, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
shared = [260 + (i * 31) % 1000 for i in range(200)]
texts = [[260 + (i * 37 + n * 101) % 1000 for i in range(100)] for n in range(documents)]
for kept in (True, False):
    next(model.generate(shared + texts[0], temp=0.0))
    begun = time.monotonic()
    for text in texts:
        if not kept:
            model.reset()
        next(model.generate(shared + text, temp=0.0))
    rate = documents / (time.monotonic() - begun)
    print(f"llama-cpp-python {llama_cpp.__version__}, {'prefix kept' if kept else 'whole prompts'}: {rate:.2f} documents/s")
