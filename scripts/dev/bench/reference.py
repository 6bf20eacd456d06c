"""Times the learners of the Python original and LightGBM on a dataset written by the Rust benchmark.

Usage: reference.py DATASET [--skip-scikit]
DATASET: little-endian; u64 rows, u64 columns, then the rows' features and the targets as f64.
Prints one JSON object per line: {"learner", "rows", "seconds"}.
"""
import json
import sys
import time

import lightgbm
import numpy as np
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression

THREADS = 2


def load(path):
    rows, columns = np.fromfile(path, dtype="<u8", count=2)
    values = np.fromfile(path, dtype="<f8", offset=16)
    split = int(rows * columns)
    return values[:split].reshape(int(rows), int(columns)), values[split:]


def seconds(fit):
    start = time.perf_counter()
    fit()
    return time.perf_counter() - start


def main():
    x, y = load(sys.argv[1])
    rows = len(y)
    leaf = 5

    def report(learner, took):
        print(json.dumps({"learner": learner, "rows": rows, "seconds": round(took, 3)}), flush=True)

    forest_like = dict(boosting="rf", num_leaves=1024, max_depth=10, min_child_samples=leaf,
                       bagging_freq=1, bagging_fraction=0.632, feature_fraction=0.36)
    boosting_like = dict(boosting="gbdt", num_leaves=8, max_depth=3, learning_rate=0.05)
    took = 0.0
    for parameters in (forest_like, boosting_like):
        model = lightgbm.LGBMRegressor(n_estimators=100, n_jobs=THREADS, verbose=-1,
                                       boosting_type=parameters.pop("boosting"), **parameters)
        took += seconds(lambda: model.fit(x, y))
    took += seconds(lambda: LinearRegression().fit(x, y))
    report("lightgbm", took)

    if "--skip-scikit" in sys.argv:
        return
    forest = RandomForestRegressor(n_estimators=100, max_depth=10, min_samples_leaf=leaf,
                                   max_features=9, n_jobs=THREADS, random_state=1)
    boosting = GradientBoostingRegressor(n_estimators=100, max_depth=3, learning_rate=0.05, random_state=1)
    took = seconds(lambda: forest.fit(x, y)) + seconds(lambda: boosting.fit(x, y)) \
        + seconds(lambda: LinearRegression().fit(x, y))
    report("scikit-learn", took)


if __name__ == "__main__":
    main()
