"""Measures many tables in one predictor, one round per second each: the delay of forecasts, and the cost.

Usage: tables.py PREDICTOR TABLES SECONDS
The rows of all tables are spread evenly over each second. The delay of a forecast runs from appending a row until the
list of tables shows the forecast for the next round.
"""
import datetime
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

from running import UTC, free_port, row

START = 60


def main():
    program, tables, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        files = [new_table(pathlib.Path(root) / f"table-{number:03}", draw) for number in range(tables)]
        address = f"127.0.0.1:{free_port()}"
        process = subprocess.Popen([program, "--data-dir", root, "--all-tables", "--listen", address],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            measure(process, address, files, seconds, draw)
        finally:
            process.terminate()
            process.wait()


def new_table(path, draw):
    path.mkdir()
    file = path / "aviator_payouts_20260101_000000.csv"
    moment = datetime.datetime.now(UTC) - datetime.timedelta(seconds=START + 10)
    lines = [row(moment + datetime.timedelta(seconds=number), draw) for number in range(START)]
    file.write_text("timestamp,multiplier\n" + "".join(lines))
    return file


def measure(process, address, files, seconds, draw):
    connection = http.client.HTTPConnection(address, timeout=60)

    def listed():
        try:
            connection.request("GET", "/api/tables")
            return {table["name"]: table["for_round"] or 0
                    for table in json.loads(connection.getresponse().read())["tables"]}
        except OSError:
            connection.close()
            return {}

    begun = time.perf_counter()
    while not (first := listed()) or any(first.get(file.parent.name, 0) <= START for file in files):
        time.sleep(0.2)
    print(f"{len(files)} tables with {START} rounds each: all have a model and a forecast "
          f"{time.perf_counter() - begun:.1f} s after the start")

    appended, ages, lock, over = {}, [], threading.Lock(), threading.Event()

    def look():
        while not over.is_set() or appended:
            now, current = time.perf_counter(), listed()
            seen = time.perf_counter()
            with lock:
                for (name, round_), at in list(appended.items()):
                    if at < now and current.get(name, 0) > round_:
                        ages.append(seen - at)
                        del appended[name, round_]
            time.sleep(0.02)

    watcher = threading.Thread(target=look)
    watcher.start()
    cpu, begun = processor_seconds(process), time.perf_counter()
    for second in range(seconds):
        for number, file in enumerate(files):
            due = begun + second + number / len(files)
            time.sleep(max(0.0, due - time.perf_counter()))
            with open(file, "a", newline="\n") as out:
                out.write(row(datetime.datetime.now(UTC), draw))
            with lock:
                appended[file.parent.name, START + second + 1] = time.perf_counter()
    took = time.perf_counter() - begun
    used = processor_seconds(process) - cpu
    over.set()
    watcher.join()
    ages.sort()
    at = [f"p{share} {1e3 * ages[min(len(ages) - 1, len(ages) * share // 100)]:.0f} ms" for share in (50, 90, 99)]
    print(f"{len(ages)} rows in {took:.0f} s, row appended -> its table's next forecast in the list: "
          f"{', '.join(at)}, max {1e3 * ages[-1]:.0f} ms")
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    print(f"processor time {100 * used / took:.0f} % of one core, trainings included; "
          f"memory {int(fields['VmRSS'].split()[0]) // 1024} MB; threads {fields['Threads'].strip()}")


def processor_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
