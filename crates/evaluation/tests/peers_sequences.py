"""Compares our confidence sequences with the packages ville and confseq, and their coverage with the nominal one.
Run by hand (confseq is built from source and needs the headers of Boost):

    pip install numpy scipy ville "pybind11<3" scikit-build "cmake<4" ninja "setuptools<70" multiprocess
    pip install --no-build-isolation --no-deps confseq
    cargo run -q --release -p evaluation --example scores | python3 crates/evaluation/tests/peers_sequences.py

- ville.BernoulliCS is Robbins' beta-binomial mixture, ville.AsymptoticCS the sequence of Waudby-Smith et al. 2024.
- confseq.boundaries.poly_stitching_bound is the stitched boundary of Howard et al. 2021 that our empirical-Bernstein
  sequence uses.
"""

import json
import sys

import numpy as np
from confseq.boundaries import poly_stitching_bound
from ville import AsymptoticCS, BernoulliCS

rows = json.load(sys.stdin)["sequences"]
hits = np.array([row["hit"] for row in rows], float)
differences = np.array([row["difference"] for row in rows])


def bounds(name):
    nothing = {"lo": np.nan, "hi": np.nan}
    return np.array([[(row[name] or nothing)[end] for end in ("lo", "hi")] for row in rows])


def peer_bounds(sequence, x):
    sequence.update(x)
    return np.c_[sequence.lower_, sequence.upper_]


# The stitched boundary, with the variance around the running mean, in units of the largest difference.
x = np.clip(differences / 0.4, -1, 1)
n = np.arange(1, len(x) + 1)
before = np.r_[0.0, np.cumsum(x)[:-1] / n[:-1]]
variance = np.maximum(np.cumsum((x - before) ** 2), 1.0)
half = 0.4 * np.array([poly_stitching_bound(v, 0.025, 1.0, 2.0, 1.4, 2.0) for v in variance]) / n
mean = 0.4 * np.cumsum(x) / n
print_rows = [
    ("beta-binomial", bounds("beta_binomial"), peer_bounds(BernoulliCS(0.05, intersect=False), hits)),
    ("asymptotic", bounds("asymptotic"), peer_bounds(AsymptoticCS(0.05, t_opt=500, intersect=False), differences)),
    ("empirical Bernstein", bounds("bernstein"), np.c_[mean - half, mean + half]),
]
failed = False
for name, ours, peer in print_rows:
    known = np.isfinite(ours).all(axis=1) & np.isfinite(peer).all(axis=1)
    largest = np.abs(ours - peer)[known].max()
    # ville divides the variance by n - 1, ours by n: a relative difference of 1 / 2n in the width. The constant of our
    # stitched boundary, zeta(1.4) / (ln 2)^1.4, has five digits.
    bound = 1e-6 if name == "beta-binomial" else 1e-3
    failed |= not largest < bound or known.sum() < 1900
    print(f"{name:<20} rounds compared {known.sum():>5}   largest difference {largest:.1e}   bound {bound:.0e}")

# Coverage at every one of 2,000 rounds at once, by the peers' code on 400 simulated streams.
rng = np.random.default_rng(7)
missed = 0
for _ in range(400):
    ends = peer_bounds(BernoulliCS(0.05, intersect=False), (rng.random(2000) < 0.485).astype(float))
    missed += bool(((ends[:, 0] > 0.485) | (ends[:, 1] < 0.485)).any())
print(f"beta-binomial: {missed} of 400 streams ever outside the bounds (at most 5 % = 20, and three standard errors: 33)")
sys.exit(int(failed or missed > 33))
