#!/usr/bin/env python3
"""Chaos test: runs collector, predictor, `bridge push`, a NATS server and `bridge pull` on a fast simulated game, and
injects every fault that can come from outside, in an order that a seed decides, some of them two at a time. Reports how
long each took to recover from, and whether every round that the collector wrote has arrived, once.

    scripts/dev/chaos.py [--seconds 1800] [--seed 1] [--rate 20] [--bin target/release]

Needs Python 3, the programs, and a NATS server (scripts/dev/nats/install.sh). The full disks are small ones in memory,
which need root or user namespaces (unshare -m); without these that fault is left out, and the report says so. Exits
with 1 if a round is lost or doubled, a program ends, or one does not work again within two minutes of a fault.
"""

import argparse
import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from chaos_faults import Breach, Faults, together
from chaos_programs import Machine, count, rows, until

RECOVERY_SECONDS = 120
DISK_MIB = 64
KEPT_BYTES_MAX = 32 << 20
PRINTED = re.compile(rb"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) +(\d+\.\d\d)x +\(#\d+\)  simulated")
ROW_EVENT = re.compile(rb'"round_id":"([^"]+)".*"row":\d+')
INSIDE = "AVIATOR_CHAOS_INSIDE"


def enter_namespace():
    """Starts this script again where it may mount; returns whether it may, and no other process sees the mounts."""
    if INSIDE in os.environ:
        return os.environ[INSIDE] == "mounts"
    for apart in (["unshare", "-m"], ["unshare", "-rm"]):
        may_mount = shutil.which("unshare") and subprocess.run(
            [*apart, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode == 0
        if may_mount:
            os.environ[INSIDE] = "mounts"
            os.execvp(apart[0], [*apart, sys.executable, *sys.argv])
    return False


class Run:
    """One run: its faults, what they broke, and how long recovery took."""

    def __init__(self, machine, faults):
        self.machine, self.faults = machine, faults
        self.recoveries, self.breaches = collections.defaultdict(list), []

    def breach(self, what):
        print(f"BREACH     {what}", flush=True)
        self.breaches.append(what)
        for program in self.machine.programs.values():
            if not program.is_running():
                program.start()

    def recover(self, names):
        """Waits until everything works; returns the seconds that took, or None."""
        start, before = time.monotonic(), count(self.machine.here)
        wrong = []

        def is_over():
            wrong[:] = self.machine.unhealthy(before)
            return not wrong or any("exited" in what for what in wrong)

        until(is_over, RECOVERY_SECONDS, pause=0.2)
        if wrong:
            self.breach(f"after {names}: {', '.join(wrong)}")
            return None
        return time.monotonic() - start

    def inject(self):
        one, other = self.faults.pair()
        names = " with ".join(f"{name} ({target})" for name, target, _ in filter(None, (one, other)))
        try:
            together(*(it and it[2] for it in (one, other)))
        except Breach as broken:
            self.breach(f"{names}: {broken}")
        took = self.recover(names)
        print(f"{time.strftime('%T')}   {names}: {'NO RECOVERY' if took is None else f'{took:.1f} s'}", flush=True)
        for name, *_ in filter(None, (one, other)):
            self.recoveries[name].append(took)

    def finish(self):
        """Stops the collector and compares what it wrote with what has arrived."""
        machine = self.machine
        if (code := machine.programs["collector"].terminate()) != 0:
            self.breach(f"the collector exited with {code}")
        written = rows(machine.here)
        until(lambda: rows(machine.there) == written and machine.csv_records() == written.total(), RECOVERY_SECONDS)
        pulled = rows(machine.there)
        printed = printed_rounds(machine.programs["collector"].output)
        lost_on_disk = printed - rounds_by_second(written)
        lost, extra = written - pulled, pulled - written
        print(f"rounds     {printed.total()} printed, {written.total()} written, {pulled.total()} pulled, "
              f"{machine.csv_records()} in the predictor")
        checks = {"printed but not written": lost_on_disk, "written but not pulled": lost,
                  "pulled twice or never written": extra, "written twice": doubled_ids(machine.here)}
        for what, found in checks.items():
            print(f"           {found.total()} {what}")
            if found:
                self.breach(f"{found.total()} rounds {what}: {sorted(found)[:3]}")
        if machine.csv_records() != written.total():
            self.breach(f"the predictor has {machine.csv_records()} of {written.total()} rounds")
        codes = {name: code for name, code in machine.stop().items() if name != "collector"}
        if any(codes.values()) or None in codes.values():
            self.breach(f"exit codes {codes}")

    def report(self):
        for name, (targets, _) in self.faults.kinds.items():
            took = self.recoveries[name]
            worst = max((it for it in took if it is not None), default=None)
            shown = "not injected" if not took else f"{len(took):>4} times, longest recovery {worst or float('nan'):.1f} s"
            print(f"{name:<24} {shown}")


def printed_rounds(output):
    """Counts the rounds that the collector printed, which it does once they are on the disk."""
    lines = output.read_bytes().split(b"\n")
    return collections.Counter(match.groups() for line in lines if (match := PRINTED.fullmatch(line)))


def rounds_by_second(written):
    found = collections.Counter()
    for row, times in written.items():
        moment, multiplier = row.split(b",")
        found[moment[:10], moment[11:19], multiplier] += times
    return found


def doubled_ids(folder):
    """Counts the rounds with more than one row. Two rounds of a burst may have the same time and multiplier, but not the
    same id."""
    texts = (path.read_bytes() for path in folder.glob("*.events.jsonl"))
    ids = collections.Counter(match[1] for text in texts for match in ROW_EVENT.finditer(text))
    return ids - collections.Counter(set(ids))


def not_worth_keeping(folder, names):
    """Returns what is not copied: the hub's store, and what a fault may have left behind."""
    paths = {name: pathlib.Path(folder, name) for name in names}
    return {name for name, path in paths.items()
            if name == "store" or not path.is_dir() and not (path.is_file() and path.stat().st_size < KEPT_BYTES_MAX)}


def nats_server():
    names = [os.environ.get("AVIATOR_NATS_SERVER"), "target/nats/bin/nats-server", shutil.which("nats-server")]
    found = next((name for name in names if name and os.path.exists(name)), None)
    return found or sys.exit("no NATS server: run scripts/dev/nats/install.sh, or set AVIATOR_NATS_SERVER")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20, help="rounds per second")
    parser.add_argument("--bin", default=os.environ.get("CARGO_TARGET_DIR", "target") + "/release")
    options = parser.parse_args()
    may_mount = enter_namespace()
    os.environ["TZ"] = "UTC"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aviator-chaos-"))
    disks = [folder / name for name in ("here", "there", "store")]
    for disk in disks:
        disk.mkdir()
        if may_mount:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", disk], check=True)
    machine = Machine(folder, options.bin, nats_server(), options.rate, may_mount)
    run = Run(machine, Faults(machine, options.seed))
    start = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        machine.start()
        run.recover("the start")
        while time.monotonic() - start < options.seconds:
            run.inject()
        run.finish()
    finally:
        machine.stop()
        if run.breaches or sys.exc_info()[0]:
            shutil.copytree(folder, f"{folder}-kept", ignore=not_worth_keeping)
        for disk in disks if may_mount else ():
            subprocess.run(["umount", disk], check=False)
        shutil.rmtree(folder)
    run.report()
    print(f"ran        {(time.monotonic() - start) / 60:.1f} minutes with seed {options.seed}; {len(run.breaches)} breaches")
    if run.breaches:
        print(f"FAILED; the files and logs are in {folder}-kept")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
