"""Runs a predictor on generated rounds, for the benchmarks beside this file."""
import datetime
import http.client
import json
import pathlib
import random
import socket
import subprocess
import tempfile
import time

UTC = datetime.timezone.utc


def row(moment, draw):
    """Returns a row of a CSV file: a fair round that ended at `moment`."""
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return f"{stamp},{max(1.0, 0.97 / (1.0 - draw.random())):.2f}\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Predictor:
    """A predictor on a directory of generated rounds; the constructor waits until it serves its first model."""

    def __init__(self, program, rounds, files=1, watch="auto"):
        self.directory = tempfile.TemporaryDirectory(prefix="bench-")
        self.draw = random.Random(1)
        self.last_file = self.write(rounds, files)
        self.address = f"127.0.0.1:{free_port()}"
        log = open(pathlib.Path(self.directory.name) / "predictor.log", "wb")
        self.process = subprocess.Popen(
            [program, "--data-dir", self.directory.name, "--listen", self.address, "--watch", watch],
            stdout=log, stderr=log)
        self.log = log.name
        self.connection = http.client.HTTPConnection(self.address, timeout=600)
        self.wait_for(lambda: self.is_ready(rounds))

    def write(self, rounds, files):
        moment = datetime.datetime.now(UTC) - datetime.timedelta(seconds=20 * rounds + 60)
        for number in range(files):
            path = pathlib.Path(self.directory.name) / f"aviator_payouts_{moment:%Y%m%d_%H%M%S}.csv"
            with open(path, "w", newline="\n") as file:
                file.write("timestamp,multiplier\n")
                for _ in range(rounds // files + (number < rounds % files)):
                    moment += datetime.timedelta(seconds=20)
                    file.write(row(moment, self.draw))
        return path

    def append(self):
        with open(self.last_file, "a", newline="\n") as file:
            file.write(row(datetime.datetime.now(UTC), self.draw))

    def wait_for(self, what):
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"the predictor exited:\n{pathlib.Path(self.log).read_text()}")
            found = what()
            if found:
                return found
            time.sleep(0.02)

    def ask(self, method, path):
        self.connection.request(method, path)
        return json.loads(self.connection.getresponse().read())

    def is_ready(self, rounds):
        try:
            status = self.ask("GET", "/api/status")
        except ConnectionError:
            self.connection.close()
            return False
        return (status["csv_records"] == rounds and status["model_trained"]
                and not status["training"]["running"])

    def memory(self):
        """Returns the resident memory now and its maximum, in MB."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return tuple(int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()
