"""The faults of a chaos run: each is injected, lasts, and is taken back. They come from outside the programs only."""

import contextlib
import errno
import os
import random
import resource
import shutil
import signal
import socket
import threading
import time

from chaos_programs import PAYLOAD_BYTES_MAX, count, full_log, until

OURS = ("collector", "predictor", "push", "pull")
ALL = ("server", *OURS)
FILES = ("here/status.json", "here/aviator_payouts.origin", "here/.predictor/checkpoint", "there/aviator_payouts.origin")
MALFORMED = [b"", b'{"evil":', b"[]", b"null", b'{"v":99}', b'{"v":1,"site":"a b"}', b"\xff" * 64, b"{" * 20_000]
# The program that a fault restarts or asks, and that no other fault may stop in the meantime.
TOUCHED = {"event file renamed": "collector"} | dict.fromkeys(
    ("file replaced", "ledger truncated", "state directory moved", "wrong tokens", "token changed",
     "streams of another site"), "predictor")
# Programs that refuse to start, with an error, while one of these files is not a file.
REFUSE = {"here/aviator_payouts.origin": ["collector"], "there/aviator_payouts.origin": ["pull"]}
FLOOD, STREAMS = 300, 300
LEDGER_NOTICE = "truncated, moved or deleted the ledger"
LEDGER_NOTICE_SECONDS = 75
ENDLESS_BYTES = 64 << 20


class Breach(Exception):
    """Something that must hold in spite of a fault did not."""


class Faults:
    """Every kind of fault, on one machine. A fault is a context manager; its name and the programs it needs come first."""

    def __init__(self, machine, seed):
        self.machine = machine
        # Two faults at a time draw their durations in any order; the faults themselves follow from the seed alone.
        self.order, self.dice = random.Random(seed), random.Random(seed)
        self.kinds = {
            "SIGKILL": (ALL, self.kill), "SIGSTOP": (ALL, self.pause), "full log": (OURS, self.fill_log),
            "full disk": (("here", "there", "store") if machine.disks_are_small else (), self.fill_disk),
            "file size limit": (OURS, self.limit_files), "malformed messages": (("stream",), self.send_malformed),
            "file replaced": (FILES, self.replace_file), "event file renamed": (("collector",), self.rename_events),
            "ledger truncated": (("predictor",), self.truncate_ledger),
            "state directory moved": (("predictor",), self.move_state), "wrong tokens": (("predictor",), self.flood),
            "token changed": (("predictor",), self.change_token),
            "streams of another site": (("predictor",), self.open_streams), "endless line": (("here",), self.grow_line),
        }
        self.bag = []

    def pair(self):
        """Returns a fault, and every third time another one that hits a different program in the meantime."""
        one = self.draw()
        name, target, _ = one
        if (name, target) == ("full disk", "store"):
            return one, None
        if self.order.random() > 1 / 3:
            return one, None
        spared = {target, TOUCHED.get(name), *REFUSE.get(target, ())}
        second = self.order.choice([program for program in ALL if program not in spared])
        kind = self.order.choice(["SIGKILL", "SIGSTOP"])
        return one, (kind, second, self.kinds[kind][1](second))

    def draw(self):
        """Returns a fault: name, target, context manager. All are drawn before one is drawn again."""
        if not self.bag:
            self.bag = [(name, target) for name, (targets, _) in self.kinds.items() for target in targets]
            self.order.shuffle(self.bag)
        name, target = self.bag.pop()
        return name, target, self.kinds[name][1](target)

    def seconds(self, low, high):
        return self.dice.uniform(low, high)

    def wait(self, low, high):
        time.sleep(self.seconds(low, high))

    @contextlib.contextmanager
    def kill(self, target):
        program = self.machine.programs[target]
        program.kill()
        self.wait(0, 3)
        program.start()
        yield

    @contextlib.contextmanager
    def pause(self, target):
        program = self.machine.programs[target]
        program.send(signal.SIGSTOP)
        try:
            yield self.wait(1, 8)
        finally:
            program.send(signal.SIGCONT)

    @contextlib.contextmanager
    def fill_log(self, target):
        program = self.machine.programs[target]
        log, reader = full_log(self.dice.choice(["/dev/full", "pipe"]))
        try:
            self.end(program)
            program.start(stderr=log)
            log.close()
            before = count(self.machine.here)
            healthy = until(lambda: not self.machine.unhealthy(before), 120)
            if not healthy:
                raise Breach(f"{target} does not work with a full log: {self.machine.unhealthy(before)}")
            yield
            self.end(program)
        finally:
            if reader is not None:
                os.close(reader)
        program.start()

    def end(self, program):
        code = program.terminate()
        if code != 0:
            raise Breach(f"{program.name} exited with {code} on SIGTERM")

    @contextlib.contextmanager
    def fill_disk(self, target):
        ballast = self.machine.folder / target / "ballast"
        try:
            with open(ballast, "wb", buffering=0) as file:
                size = 1 << 20
                while size:
                    try:
                        file.write(b"." * size)
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        size //= 2
                yield self.wait(2, 8)
        finally:
            ballast.unlink(missing_ok=True)
            if target == "store":
                # A NATS server accepts nothing more for a stream once its disk was full, until an operator restarts it.
                self.machine.programs["server"].terminate()
                self.machine.programs["server"].start()

    @contextlib.contextmanager
    def limit_files(self, target):
        process = self.machine.programs[target].process.pid
        _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (1, hard))
        try:
            yield self.wait(2, 6)
        finally:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process, resource.RLIMIT_FSIZE, (hard, hard))

    @contextlib.contextmanager
    def send_malformed(self, _):
        garbage = [self.dice.randbytes(self.dice.randrange(PAYLOAD_BYTES_MAX)) for _ in range(20)]
        self.machine.publish(MALFORMED + garbage)
        yield

    @contextlib.contextmanager
    def replace_file(self, target):
        """Puts a pipe, a device or an endless file in the place of a file that the programs read."""
        path = self.machine.folder / target
        aside = path.with_name("aside")
        is_kept = path.exists()
        if is_kept:
            os.replace(path, aside)
        path.parent.mkdir(exist_ok=True)
        kind = self.dice.choice(["pipe", "device", "endless"])
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "device":
            path.symlink_to("/dev/zero")
        else:
            with open(path, "wb") as file:
                file.truncate(1 << 40)
        if target.startswith("here/"):
            predictor = self.machine.programs["predictor"]
            predictor.kill()
            predictor.start()
        self.wait(1, 4)
        if target.startswith("here/") and not until(lambda: self.machine.ask("/healthz")[0] == 200, 30):
            raise Breach(f"the predictor does not answer while a {kind} is in place of {target}")
        # A program that replaces the file itself has written a better one.
        was_replaced = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 30
        if is_kept and not was_replaced:
            os.replace(aside, path)
        elif not was_replaced:
            path.unlink(missing_ok=True)
        yield

    @contextlib.contextmanager
    def rename_events(self, _):
        path = max(self.machine.here.glob("*.events.jsonl"))
        copy = self.machine.here / "copy"
        shutil.copy(path, copy)
        os.replace(copy, path)
        yield

    @contextlib.contextmanager
    def truncate_ledger(self, _):
        with self.noticed():
            path = self.ledger()
            os.truncate(path, self.dice.randrange(path.stat().st_size))
        yield

    def ledger(self):
        path = self.machine.here / ".predictor" / "forecasts.jsonl"
        if not until(lambda: path.exists() and path.stat().st_size > 0):
            raise Breach("the predictor writes no forecasts")
        return path

    @contextlib.contextmanager
    def noticed(self):
        """Within about a minute, the predictor has to log what happens to its ledger here."""
        log = self.machine.programs["predictor"].log
        count_notices = lambda: log.read_text(errors="replace").count(LEDGER_NOTICE)
        before = count_notices()
        yield
        if not until(lambda: count_notices() > before, LEDGER_NOTICE_SECONDS):
            raise Breach("the predictor does not notice it")

    @contextlib.contextmanager
    def move_state(self, _):
        with self.noticed():
            shutil.rmtree(self.machine.here / "moved", ignore_errors=True)
            os.rename(self.ledger().parent, self.machine.here / "moved")
        yield

    def request(self, path, *headers):
        head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""])
        connection = socket.create_connection(("127.0.0.1", self.machine.port), timeout=30)
        connection.sendall(head.encode())
        return connection

    @contextlib.contextmanager
    def flood(self, _):
        with contextlib.ExitStack() as stack:
            for number in range(FLOOD):
                stack.enter_context(self.request("/api/status", f"Authorization: Bearer wrong-token-number-{number}"))
            start = time.monotonic()
            status, _ = self.machine.ask("/api/status", self.machine.token)
            took = time.monotonic() - start
            if status != 200 or took > 5:
                raise Breach(f"during a flood of wrong tokens the right one gets {status} after {took:.1f} s")
        yield

    @contextlib.contextmanager
    def change_token(self, _):
        before, self.machine.token = self.machine.token, f"token-{self.dice.randrange(10**20):020}"
        self.machine.token_file.write_text(self.machine.token)
        if not until(lambda: self.machine.ask("/api/status", self.machine.token)[0] == 200, 20):
            raise Breach("a changed token is not accepted")
        if self.machine.ask("/api/status", before)[0] not in (401, 429):
            raise Breach("the token before is still accepted")
        yield

    @contextlib.contextmanager
    def open_streams(self, _):
        with contextlib.ExitStack() as stack:
            token = f"Authorization: Bearer {self.machine.token}"
            foreign = [stack.enter_context(self.request("/api/events", token, "Sec-Fetch-Site: cross-site"))
                       for _ in range(STREAMS)]
            if any(b" 403 " not in stream.recv(64) for stream in foreign):
                raise Breach("a page of another site opens an event stream")
            ours = stack.enter_context(self.request("/api/events", token))
            if b" 200 " not in ours.recv(64):
                raise Breach("our own event stream is refused")
        yield

    @contextlib.contextmanager
    def grow_line(self, _):
        """A file that grows and never has a newline; sparse, so that it takes no space."""
        path = self.machine.here / "aviator_payouts_endless.csv"
        with open(path, "wb") as file:
            file.write(b"timestamp,multiplier\n")
            for step in range(1, 5):
                file.truncate(step * ENDLESS_BYTES)
                time.sleep(1)
        path.unlink()
        yield


def together(one, other):
    """Injects one fault while another lasts; both are taken back."""
    threads, errors = [], []

    def run(fault):
        try:
            with fault:
                pass
        except Exception as error:  # reported by the caller, as if it had been raised there
            errors.append(error)

    for fault in filter(None, (one, other)):
        threads.append(threading.Thread(target=run, args=(fault,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
