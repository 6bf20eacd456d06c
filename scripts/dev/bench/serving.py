"""Measures response times while idle and while a model is being fitted, and the memory of the predictor.

Usage: serving.py PREDICTOR ROUNDS SECONDS
wrk requests /api/status on 32 connections, alternately while idle and while one training follows another. Reports the
medians of three runs each, because a shared machine is noisy.
"""
import http.client
import re
import statistics
import subprocess
import sys
import threading

from running import Predictor

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def ask(address, seconds):
    """Returns requests per second, and p50 and p99 in ms; exits on an error."""
    output = subprocess.run(
        ["wrk", "--threads=1", "--connections=32", f"--duration={seconds}s", "--latency", f"http://{address}/api/status"],
        check=True, capture_output=True, text=True).stdout
    if "Socket errors" in output or "Non-2xx" in output:
        raise SystemExit(f"wrk reports errors:\n{output}")
    share = {name: float(value) * UNITS[unit]
             for name, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", output)}
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]), share["50"], share["99"]


class Training(threading.Thread):
    """Requests one training after another until stopped."""

    def __init__(self, address):
        super().__init__()
        self.address, self.over, self.done = address, threading.Event(), 0

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=600)
        while not self.over.is_set():
            connection.request("POST", "/api/train")
            connection.getresponse().read()
            self.done += 1


def main():
    program, rounds, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    predictor = Predictor(program, rounds, files=200)
    before = predictor.memory()
    idle, training, fits = [], [], 0
    for _ in range(3):
        idle.append(ask(predictor.address, seconds))
        trainer = Training(predictor.address)
        trainer.start()
        training.append(ask(predictor.address, seconds))
        trainer.over.set()
        trainer.join()
        fits += trainer.done
    after = predictor.memory()
    predictor.stop()
    for name, runs in (("idle", idle), (f"training on {rounds} rounds ({fits} fits)", training)):
        rate, p50, p99 = (statistics.median(column) for column in zip(*runs))
        print(f"/api/status, 32 connections, {name}: {rate:.0f} requests/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    ratio = statistics.median(run[2] for run in training) / statistics.median(run[2] for run in idle)
    print(f"p99 while training / p99 idle: {ratio:.2f}")
    print(f"memory: {before[0]} MB with {rounds} rounds and a model, at most {after[1]} MB")


if __name__ == "__main__":
    main()
