#!/usr/bin/env python3
"""Soak test: runs collector and predictor for a long time on a feed that plays many rounds per second and keeps dropping
its connection. Reports how memory and open files grow, and whether every round is in the files, once and in order, or
recorded as missing.

    scripts/dev/soak.py [--seconds 3600] [--rate 50] [--drop-every 90] [--train-once] [--bin target/release]

At this rate trainings follow each other without a pause, and each needs more memory as rounds accumulate. With
--train-once there is a single training, after a minute, and what remains is the memory of the predictor itself.

Needs only Python 3 and the two programs. Exits with 1 if a round is missing without a recorded gap, duplicated or out
of order, or if the number of open files grows.
"""

import argparse
import base64
import csv
import glob
import hashlib
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}  # as in the systemd units
HISTORY = 1000  # rounds sent to a client when it connects, including those that it missed
CONFIG = """
source = "websocket"
round_min = "1ms"
fsync = "5s"
quiet = true

[feed]
url = "ws://127.0.0.1:{port}/"

[[feed.rounds]]
filters = [{{ pointer = "/type", equals = "history" }}]
list = "/rounds"
order = "newest-first"
id = "/id"
value = "/m"

[[feed.rounds]]
filters = [{{ pointer = "/type", equals = "round" }}]
id = "/id"
value = "/m"
"""


class Feed:
    """Plays rounds and sends them to one client at a time over a WebSocket."""

    def __init__(self, rate, drop_every):
        self.rate, self.drop_every = rate, drop_every
        self.played, self.drops = [], 0
        self.lock, self.news = threading.Lock(), threading.Condition()
        self.ended = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.play, daemon=True).start()
        threading.Thread(target=self.serve, daemon=True).start()

    def play(self):
        dice, due = random.Random(7), time.monotonic()
        while not self.ended:
            due += 1 / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            cents = max(100, int(97 / (1 - dice.random())))
            with self.news:
                self.played.append(f"{cents // 100}.{cents % 100:02}")
                self.news.notify_all()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            try:
                self.converse(client)
            except OSError:
                pass
            finally:
                client.close()

    def converse(self, client):
        shake_hands(client)
        until = time.monotonic() + self.drop_every if self.drop_every else float("inf")
        with self.news:
            sent = len(self.played)
            first = max(0, sent - HISTORY)
            rounds = [{"id": str(i), "m": self.played[i]} for i in range(sent - 1, first - 1, -1)]
        send(client, {"type": "history", "rounds": rounds})
        while time.monotonic() < until:
            with self.news:
                self.news.wait_for(lambda: len(self.played) > sent, timeout=1)
                fresh = list(enumerate(self.played[sent:], sent))
            for number, multiplier in fresh:
                send(client, {"type": "round", "id": str(number), "m": multiplier})
            sent += len(fresh)
        self.drops += 1


def shake_hands(client):
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(4096)
    head = request.decode().split("\r\n")
    key = next(line.split(": ")[1] for line in head if line.lower().startswith("sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def send(client, message):
    text = json.dumps(message).encode()
    size = len(text)
    head = struct.pack("!BB", 0x81, size) if size < 126 else struct.pack("!BBH", 0x81, 126, size)
    if size > 0xFFFF:
        head = struct.pack("!BBQ", 0x81, 127, size)
    client.sendall(head + text)


class Program:
    """One of the two programs, and samples of its memory and open files."""

    def __init__(self, name, arguments, log):
        self.name = name
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=log, env=os.environ | ALLOCATION)
        self.samples = []

    def sample(self, seconds, rounds):
        with open(f"/proc/{self.process.pid}/status") as status:
            rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        files = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        self.samples.append((seconds, rss * 1024, files, rounds))

    def steady(self):
        """Returns the second half of the samples; the first half is warm-up."""
        return self.samples[len(self.samples) // 2:]

    def report(self):
        steady = self.steady()
        memory = [sample[1] for sample in steady]
        per_hour = slope([sample[0] for sample in steady], memory) * 3600 / 2**20
        per_round = slope([sample[3] for sample in steady], memory)
        files = [sample[2] for sample in steady]
        print(f"{self.name:<10} memory {memory[0] / 2**20:.1f} -> {memory[-1] / 2**20:.1f} MiB over the second half, "
              f"{per_hour:+.2f} MiB/h, {per_round:+.0f} bytes per round; open files {min(files)} to {max(files)}")


def slope(xs, ys):
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread if spread else 0.0


def lines(folder, ending):
    for path in sorted(glob.glob(f"{folder}/aviator_payouts_*{ending}")):
        with open(path, newline="") as file:
            yield from (csv.DictReader(file) if ending == ".csv" else map(json.loads, file))


def check_order(feed, folder):
    """Returns whether every round is in the files once, in order and as played, or within a recorded gap."""
    rows = list(lines(folder, ".csv"))
    numbers, recorded, unrecorded, gap = [], 0, 0, True
    for event in lines(folder, ".events.jsonl"):
        gap = gap or event["kind"] == "gap"
        if "round_id" not in event or event["round_id"] is None:
            continue
        number = int(event["round_id"])
        missing = number - numbers[-1] - 1 if numbers else 0
        recorded, unrecorded = recorded + missing * gap, unrecorded + missing * (not gap)
        numbers.append(number)
        gap = False
    times = [row["timestamp"] for row in rows]
    in_order = all(a < b for a, b in zip(numbers, numbers[1:])) and times == sorted(times)
    as_played = [row["multiplier"] for row in rows] == [feed.played[number] for number in numbers]
    print(f"rounds     {len(rows)} written of {len(feed.played)} played, {feed.drops} connections dropped; once and in "
          f"order: {in_order}; as played: {as_played}; missing: {recorded} within recorded gaps, {unrecorded} without")
    return bool(rows) and in_order and as_played and unrecorded == 0


def status(address):
    with urllib.request.urlopen(f"{address}/api/status", timeout=30) as response:
        return json.load(response)


def train(address):
    urllib.request.urlopen(urllib.request.Request(f"{address}/api/train", method="POST"), timeout=60).close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--drop-every", type=float, default=90, help="seconds; below a minute the collector waits longer each time")
    parser.add_argument("--train-once", action="store_true", help="train once, after a minute")
    parser.add_argument("--sample-every", type=float, default=5)
    parser.add_argument("--bin", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/release")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="aviator-soak-")
    data = f"{folder}/data"
    feed = Feed(options.rate, options.drop_every)
    with open(f"{folder}/collector.toml", "w") as config:
        config.write(CONFIG.format(port=feed.port))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    logs = open(f"{folder}/log", "w")
    programs = [
        Program("collector", [f"{options.bin}/collector", "--config", f"{folder}/collector.toml", "--data-dir", data], logs),
        Program("predictor", [f"{options.bin}/predictor", "--data-dir", data, "--listen", address,
                              f"--auto-train={str(not options.train_once).lower()}"], logs),
    ]
    start = time.monotonic()
    is_to_train = options.train_once
    try:
        while time.monotonic() - start < options.seconds:
            time.sleep(options.sample_every)
            if is_to_train and time.monotonic() - start > 60:
                is_to_train = False
                train(f"http://{address}")
            for program in programs:
                program.sample(time.monotonic() - start, len(feed.played))
        shown = status(f"http://{address}")
    finally:
        feed.ended = True
        for program in programs:
            program.process.terminate()
        codes = [program.process.wait(timeout=60) for program in programs]
    print(f"ran        {(time.monotonic() - start) / 60:.1f} minutes at {options.rate:g} rounds per second; exit codes {codes}")
    is_whole = check_order(feed, data)
    print(f"predictor  {shown['csv_records']} rounds, {shown['forecasts']['settled']} forecasts settled, "
          f"model version {(shown['model_accuracy'] or {}).get('version')}, rejected rows {shown['data']['rejected_rows']}")
    for program in programs:
        program.report()
    grows = any(max(s[2] for s in p.steady()) > max(s[2] for s in p.samples[:len(p.samples) // 2 or 1]) + 5 for p in programs)
    if not is_whole or grows or codes != [0, 0]:
        print(f"FAILED; the files and logs are in {folder}")
        raise SystemExit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
