"""The programs of a chaos run, and what its faults do to them."""

import collections
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

SITE, TABLE = "chaos", "default"
TIMEOUT = 60
PAYLOAD_BYTES_MAX = 60_000


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def until(holds, seconds=TIMEOUT, pause=0.1):
    """Waits until `holds()`; returns whether it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


class Program:
    """A program that is started again and again, always with the same arguments."""

    def __init__(self, name, arguments, folder):
        self.name, self.arguments = name, arguments
        self.log, self.output = folder / f"{name}.log", folder / f"{name}.out"
        self.process, self.is_over = None, False

    def start(self, stderr=None):
        if self.is_over:
            return
        with open(self.log, "ab") as log, open(self.output, "ab") as output:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=stderr or log)

    def is_running(self):
        return self.process.poll() is None

    def send(self, number):
        if self.is_running():
            self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """Returns the exit code, or None if the program does not end."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


def full_log(kind):
    """Opens a log that takes no line: a full disk, or a pipe that nobody reads and that is full."""
    if kind == "/dev/full":
        return open(kind, "wb"), None
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 65536)
    os.set_blocking(writer, True)
    return os.fdopen(writer, "wb"), reader


class Machine:
    """Collector, predictor, push, server and pull, each with its own directory on a small disk."""

    def __init__(self, folder, programs, server, rate, disks_are_small):
        self.folder, self.disks_are_small = folder, disks_are_small
        self.here, self.there, self.store = (folder / name for name in ("here", "there", "store"))
        self.port, self.metrics, self.hub = free_port(), free_port(), free_port()
        self.token_file, self.token = folder / "token", "first-token-of-this-run"
        self.token_file.write_text(self.token)
        self.token_file.chmod(0o600)
        config = folder / "nats.conf"
        config.write_text(f"listen: 127.0.0.1:{self.hub}\njetstream {{ store_dir: '{self.store}', sync_interval: always }}\n")
        hub = ["--hub", f"nats://127.0.0.1:{self.hub}"]
        arguments = {
            "server": [server, "-c", config],
            "collector": [f"{programs}/collector", "--source", "demo", "--pace", str(1 / rate), "--data-dir", self.here,
                          "--metrics-listen", f"127.0.0.1:{self.metrics}"],
            "predictor": [f"{programs}/predictor", "--data-dir", self.here, "--listen", f"127.0.0.1:{self.port}",
                          "--token-file", self.token_file],
            "push": [f"{programs}/bridge", "push", "--data-dir", self.here, "--site", SITE, *hub],
            "pull": [f"{programs}/bridge", "pull", "--data-dir", self.there, *hub],
        }
        self.programs = {name: Program(name, list(map(str, line)), folder) for name, line in arguments.items()}

    def start(self):
        for program in self.programs.values():
            program.start()

    def ask(self, path, token=None, port=None):
        """Returns status and body of an answer; 0 if there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def publish(self, payloads):
        """Stores messages in the table's stream, as another client of the hub could; ignores a hub that is away."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.hub), timeout=5) as hub:
            lines = [b'CONNECT {"verbose":false}\r\n']
            for payload in payloads:
                subject = f"aviator.rounds.simulated.{TABLE}.at.mallory.{os.urandom(6).hex()}"
                lines.append(f"PUB {subject} {len(payload)}\r\n".encode() + payload + b"\r\n")
            hub.sendall(b"".join(lines) + b"PING\r\n")
            answer = b""
            while b"PONG" not in answer and (more := hub.recv(4096)):
                answer += more

    def csv_records(self):
        status, body = self.ask("/api/status", self.token)
        return json.loads(body)["csv_records"] if status == 200 else -1

    def unhealthy(self, rows):
        """Returns what does not work: each program runs and has handled `rows` rows, and the collector writes more."""
        wrong = [f"{name} exited with {program.process.returncode}"
                 for name, program in self.programs.items() if not program.is_running()]
        if wrong:
            return wrong
        if self.ask("/readyz", port=self.metrics)[0] != 200:
            wrong.append("the collector is not ready")
        if self.ask("/readyz")[0] != 200:
            wrong.append("the predictor is not ready")
        if count(self.here) <= rows:
            wrong.append("the collector writes no rows")
        if self.csv_records() < rows:
            wrong.append("the predictor lacks rows")
        if count(self.there) < rows:
            wrong.append("the pulled directory lacks rows")
        return wrong

    def stop(self):
        """Ends all programs; returns their exit codes."""
        for program in self.programs.values():
            program.is_over = True
        order = ("collector", "push", "pull", "predictor", "server")
        return {name: self.programs[name].terminate() for name in order if self.programs[name].process}


def rows(folder):
    """Counts how often each row is in the files of a directory."""
    found = collections.Counter()
    for path in pathlib.Path(folder).glob("aviator_payouts_2*.csv"):
        with contextlib.suppress(FileNotFoundError):
            text = path.read_bytes()
            found.update(line for line in text[:text.rfind(b"\n") + 1].splitlines() if line[:1].isdigit())
    return found


def count(folder):
    return rows(folder).total()
