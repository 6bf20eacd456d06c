"""Compares our scores with scoringrules and scikit-learn, and our audit with scipy. Run by hand:

    pip install numpy scipy scoringrules scikit-learn
    cargo run -q --release -p evaluation --example scores | python3 crates/evaluation/tests/peers.py
"""

import json
import sys

import numpy as np
import scoringrules
from scipy import stats
from sklearn import metrics

data = json.load(sys.stdin)
rounds, ours = data["rounds"], data["summary"]
column = lambda key: np.array([r[key] for r in rounds])
m, point, scale = column("m"), column("point"), column("scale")
p, interval = column("p"), column("interval")

# The log-CRPS of the tilted law is that of an exponential law with a point mass of 1 - r at 0.
peer = scoringrules.crps_exponentialM(np.log(m), mass=1 - 0.97, location=0.0, scale=scale)
rows = [("log-CRPS, largest of 2,000", np.abs(peer - column("log_crps")).max(), 0.0)]

interval_peer = scoringrules.interval_score(
    np.log(m), np.log(interval[:, 0]), np.log(interval[:, 1]), 0.2
)
hits = m[:, None] >= np.array([1.5, 2, 3, 5, 10]) - 1e-9
capped = np.minimum(m, 10), np.minimum(point, 10)
for name, value, peer in [
    ("log-MAE", ours["log_mae"], metrics.mean_absolute_error(np.log(m), np.log(point))),
    ("MAE", ours["mae"], metrics.mean_absolute_error(m, point)),
    ("RMSE", ours["rmse"], metrics.root_mean_squared_error(m, point)),
    ("MAE@10", ours["mae_at_10"], metrics.mean_absolute_error(*capped)),
    ("RMSE@10", ours["rmse_at_10"], metrics.root_mean_squared_error(*capped)),
    ("log-RMSE", ours["log_rmse"], metrics.root_mean_squared_error(np.log(m), np.log(point))),
    ("interval score 80 %", ours["interval_score_80"], interval_peer.mean()),
    ("pinball at .5", ours["pinball"][3], metrics.mean_pinball_loss(np.log(m), np.log(point))),
    *[
        (f"Brier {c}", ours["brier"][i], metrics.brier_score_loss(hits[:, i], p[:, i]))
        for i, c in enumerate((1.5, 2, 3, 5, 10))
    ],
]:
    rows.append((name, value, peer))

cents, z = np.array(data["audited"]), np.array(data["audited_z"])
n, low, uniform = len(cents), cents < 200, stats.norm.cdf(z)


def ljung_box(values, lags=20):
    c = values - values.mean()
    rho = [(c[j:] * c[:-j]).sum() / (c * c).sum() for j in range(1, lags + 1)]
    q = n * (n + 2) * sum(r * r / (n - j) for j, r in enumerate(rho, 1))
    return stats.chi2.sf(q, lags)


def runs():
    ones, count = low.sum(), 1 + (low[1:] != low[:-1]).sum()
    mean = 1 + 2 * ones * (n - ones) / n
    return 2 * stats.norm.sf(abs(count - mean) / np.sqrt((mean - 1) * (mean - 2) / (n - 1)))


edges = [101, 110, 125, 150, 200, 300, 500, 1000, 2000, 5000]
expected = -np.diff(np.concatenate(([1.0], 97.0 / np.array(edges), [0.0]))) * n
observed = np.histogram(cents, np.concatenate(([100], edges, [10**12])))[0]
bridge = np.abs(np.cumsum(z - z.mean())).max() / (z.std() * np.sqrt(n))
ours = {test["name"]: test["p"] for test in data["tests"]}
for name, peer in {
    "chi2_cells": stats.chisquare(observed, expected).pvalue,
    "atom": stats.binomtest(int((cents == 100).sum()), n, 1 - 0.97 / 1.01).pvalue,
    "runs_2x": runs(),
    "ljung_box_z": ljung_box(z),
    "ljung_box_ln": ljung_box(np.log(cents / 100)),
    "ljung_box_z2": ljung_box(z * z),
    "cusum": stats.kstwobign.sf(bridge),
}.items():
    rows.append((f"p of {name}", ours[name], peer))
exact = stats.kstest(uniform, "uniform").pvalue
print(f"p of ks: ours {ours['ks']:.4f} (Stephens), theirs {exact:.4f} (exact)")

worst = 0.0
for name, value, peer in rows:
    difference = abs(value - peer) / max(1.0, abs(peer))
    worst = max(worst, difference)
    print(f"{name:28} ours {value:.12g}  theirs {peer:.12g}  relative difference {difference:.1e}")
sys.exit(0 if worst < 1e-9 else f"largest relative difference {worst:.1e}")
