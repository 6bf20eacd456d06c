"""Holds our scores against scoringrules and scikit-learn. Run by hand:

    pip install numpy scoringrules scikit-learn
    cargo run -q --release -p evaluation --example scores | python3 crates/evaluation/tests/peers.py
"""

import json
import sys

import numpy as np
import scoringrules
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

worst = 0.0
for name, value, peer in rows:
    difference = abs(value - peer) / max(1.0, abs(peer))
    worst = max(worst, difference)
    print(f"{name:28} ours {value:.12g}  theirs {peer:.12g}  relative difference {difference:.1e}")
sys.exit(0 if worst < 1e-9 else f"largest relative difference {worst:.1e}")
