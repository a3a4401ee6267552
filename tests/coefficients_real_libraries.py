#!/usr/bin/env python3
"""The coefficients of a scale and of sets of labels, and the regression of a scale, by the libraries that they are known by: scikit-learn, krippendorff and
statsmodels.

usage: coefficients_real_libraries.py [--write] [PYTHON]

PYTHON is one that has these libraries; without it a virtual environment is made under the user's cache. Computes everything that
src/stats/agreement/libraries.json holds and fails at the first difference; with --write it writes that file. The tests of `stats` hold hardcase against the
file, so they need no Python.
"""
import json
import os
import pathlib
import random
import subprocess
import sys

LIBRARIES = ["scikit-learn", "krippendorff", "statsmodels"]
FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "src/stats/agreement/libraries.json"


def environment() -> None:
    """Runs this again with a Python that has the libraries."""
    if os.environ.get("HARDCASE_IN_ENVIRONMENT"):
        return
    given = [word for word in sys.argv[1:] if not word.startswith("-")]
    interpreter = given[0] if given else None
    if interpreter is None:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
        venv = cache / "hardcase-tests" / "coefficients"
        if not (venv / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", *LIBRARIES], check=True)
        interpreter = str(venv / "bin" / "python")
    environ = os.environ | {"HARDCASE_IN_ENVIRONMENT": "1"}
    sys.exit(subprocess.run([interpreter, *sys.argv], env=environ).returncode)


environment()
import krippendorff  # noqa: E402
import numpy  # noqa: E402
from sklearn.metrics import cohen_kappa_score, f1_score, mean_absolute_error  # noqa: E402
from statsmodels.miscmodels.ordinal_model import OrderedModel  # noqa: E402
from statsmodels.stats.inter_rater import cohens_kappa, to_table  # noqa: E402


def raters(seed: int, levels: int, cases: int, missing: float) -> list[list[int | None]]:
    """Three raters who are a level off now and then, and leave out some cases."""
    draw = random.Random(seed)
    truth = [draw.randrange(levels) for _ in range(cases)]
    def said(level: int) -> int | None:
        if draw.random() < missing:
            return None
        return min(levels - 1, max(0, level + draw.choice([-2, -1, -1, 0, 0, 0, 0, 0, 1])))
    return [[said(level) for level in truth] for _ in range(3)]


def agreement(seed: int, levels: int, cases: int, missing: float) -> dict:
    ratings = raters(seed, levels, cases, missing)
    both = [(a, b) for a, b in zip(ratings[0], ratings[1]) if a is not None and b is not None]
    one, other = zip(*both)
    weighted = cohen_kappa_score(one, other, weights="quadratic", labels=list(range(levels)))
    table = to_table(numpy.array(both), bins=numpy.arange(levels + 1) - 0.5)[0]
    assert abs(cohens_kappa(table, weights=numpy.arange(levels), wt="quadratic").kappa - weighted) < 1e-9
    data = numpy.array([[numpy.nan if level is None else level for level in row] for row in ratings])
    return {
        "levels": levels,
        "ratings": ratings,
        "weighted_kappa": weighted,
        "kappa": cohen_kappa_score(one, other),
        "absolute_error": mean_absolute_error(one, other),
        "ordinal_alpha": krippendorff.alpha(data, level_of_measurement="ordinal", value_domain=list(range(levels))),
        "nominal_alpha": krippendorff.alpha(data, level_of_measurement="nominal", value_domain=list(range(levels))),
    }


def sets(seed: int, labels: int, cases: int, missing: float) -> dict:
    """Three raters of whom each gives a label more or less now and then. Alpha with MASI and with Jaccard distances; of the first two raters the mean kappa
    of the labels and F1."""
    draw = random.Random(seed)
    truth = [draw.randrange(1 << labels) for _ in range(cases)]
    def said(given: int) -> int | None:
        return None if draw.random() < missing else given ^ (1 << draw.randrange(labels) if draw.random() < 0.4 else 0)
    ratings = [[said(given) for given in truth] for _ in range(3)]
    def masi(a: int, b: int) -> float:
        shared, either = (a & b).bit_count(), (a | b).bit_count()
        if a == b:
            return 0.0
        # Passonneau (2006): one within the other counts two thirds, an overlap a third, nothing shared none.
        whole = 2 / 3 if a & b in (a, b) and shared else 1 / 3 if shared else 0
        return 1 - whole * shared / either
    def jaccard(a: int, b: int) -> float:
        return 1 - (a & b).bit_count() / (a | b).bit_count() if a != b else 0.0
    def alpha(distance) -> float:
        def metric(v1, v2, **_) -> numpy.ndarray:
            return numpy.vectorize(lambda a, b: distance(int(a), int(b)), otypes=[float])(v1, v2)
        data = numpy.array([[numpy.nan if given is None else given for given in row] for row in ratings])
        return krippendorff.alpha(data, level_of_measurement=metric, value_domain=list(range(1 << labels)))
    both = [(a, b) for a, b in zip(ratings[0], ratings[1]) if a is not None and b is not None]
    one, other = (numpy.array([[given >> label & 1 for label in range(labels)] for given in side]) for side in zip(*both))
    kappas = [cohen_kappa_score(one[:, label], other[:, label]) for label in range(labels)]
    return {
        "labels": labels,
        "ratings": [[None if given is None else [at for at in range(labels) if given >> at & 1] for given in row] for row in ratings],
        "masi_alpha": alpha(masi),
        "jaccard_alpha": alpha(jaccard),
        "mean_kappa": float(numpy.mean(kappas)),
        "micro_f1": f1_score(other, one, average="micro"),
        "macro_f1": f1_score(other, one, average="macro"),
    }


def regression(seed: int) -> dict:
    """An ordered logit without a penalty."""
    draw = numpy.random.default_rng(seed)
    x = draw.normal(size=(120, 3)).round(3)
    hidden = x @ [1.0, -0.7, 0.2] + draw.logistic(size=120)
    y = numpy.digitize(hidden, [-1.0, 0.3, 1.4])
    fitted = OrderedModel(y, x, distr="logit").fit(method="bfgs", disp=False, gtol=1e-9)
    # The thresholds are the first, and the logarithms of the gaps to each next one.
    first, *gaps = fitted.params[3:]
    thresholds = numpy.cumsum([first, *numpy.exp(gaps)])
    return {"x": x.tolist(), "y": y.tolist(), "weights": fitted.params[:3].tolist(), "thresholds": thresholds.tolist()}


found = {
    "agreement": [agreement(1, 5, 60, 0.0), agreement(2, 3, 40, 0.2), agreement(3, 9, 80, 0.1)],
    "regression": regression(4),
    "sets": [sets(5, 3, 60, 0.0), sets(6, 5, 80, 0.2)],
}
if "--write" in sys.argv:
    FIXTURE.write_text(json.dumps(found) + "\n")
    sys.exit(print(f"wrote {FIXTURE}"))


def alike(a, b, at: str) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys(), at
        [alike(a[key], b[key], f"{at}.{key}") for key in a]
    elif isinstance(a, list):
        assert len(a) == len(b), at
        [alike(one, other, f"{at}[{i}]") for i, (one, other) in enumerate(zip(a, b))]
    else:
        assert a == b or abs(a - b) < 1e-4, f"{at}: {a} here, {b} in the file"


alike(found, json.loads(FIXTURE.read_text()), "libraries.json")
print("scikit-learn, krippendorff and statsmodels give what the file holds")
