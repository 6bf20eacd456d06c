"""Tests the predictor under load and with misbehaving clients.

Usage: load.py PREDICTOR [ROUNDS] [SECONDS]      default 100000 rounds, 60 seconds

1. 9,500 open connections request /api/status while one training follows another: no errors, and less than 250 MB.
2. 500 clients never finish the head of a request and 50 never finish its body: all are disconnected within 10 s, and
   other requests take less than 50 ms in the meantime.
3. 200 event streams are reset, opened again and reset: in the end none is counted as open.
4. SIGTERM with 20 open event streams during a training: the predictor exits within a second.

Needs wrk and a limit of 10,000 open files. Exits with 1 if one of these checks fails.
"""
import http.client
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

from running import Predictor
from serving import Training

CROWD, HEADS, BODIES, STREAMS = 9500, 500, 50, 200
HEAD = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (b"POST /api/train HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 4000\r\n\r\n{")
STREAM = b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"

results = []


def show(what, holds):
    results.append(holds)
    print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)


def host_and_port(predictor):
    host, port = predictor.address.split(":")
    return host, int(port)


def crowd(predictor, seconds):
    trainer = Training(predictor.address)
    trainer.start()
    output = subprocess.run(
        ["wrk", "--threads=1", f"--connections={CROWD}", f"--duration={seconds}s", "--timeout=30s", "--latency",
         f"http://{predictor.address}/api/status"], check=True, capture_output=True, text=True).stdout
    trainer.over.set()
    trainer.join()
    requests = int(re.search(r"(\d+) requests in", output)[1])
    p99 = re.search(r"99%\s+(\S+)", output)[1]
    errors = re.findall(r"(?:Socket errors|Non-2xx).*", output)
    memory = predictor.memory()[1]
    show(f"{CROWD} connections for {seconds} s during {trainer.done} trainings: {requests} requests, p99 {p99}, "
         f"{'; '.join(errors) or 'no error'}, at most {memory} MB", not errors and memory < 250 and trainer.done > 0)


def slow(predictor):
    clients = {}
    for first in [HEAD] * HEADS + [BODY] * BODIES:
        client = socket.create_connection(host_and_port(predictor))
        client.sendall(first)
        client.setblocking(False)
        clients[client] = time.monotonic()
    lived, took = [], []
    normal = http.client.HTTPConnection(predictor.address)
    while clients and time.monotonic() < max(clients.values()) + 30:
        for client in select.select(list(clients), [], [], 0.05)[0]:
            try:
                is_over = not client.recv(4096)
            except OSError:
                is_over = True
            if is_over:
                lived.append(time.monotonic() - clients.pop(client))
                client.close()
        for client in clients:
            try:
                client.send(b"x")
            except OSError:
                pass  # disconnected; the next select reports it
        begun = time.monotonic()
        normal.request("GET", "/api/status")
        normal.getresponse().read()
        took.append(1000 * (time.monotonic() - begun))
    took.sort()
    show(f"{HEADS} heads and {BODIES} bodies that never end: {len(clients)} still open, the last disconnected after "
         f"{max(lived):.1f} s; {len(took)} other requests: median {took[len(took) // 2]:.1f} ms, longest {took[-1]:.1f} ms",
         not clients and max(lived) < 10 and took[-1] < 50)


def listen(predictor, count):
    clients = []
    for _ in range(count):
        client = socket.create_connection(host_and_port(predictor))
        client.sendall(STREAM)
        client.recv(4096)
        clients.append(client)
    return clients


def break_off(clients):
    for client in clients:
        # A reset instead of an orderly close.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def counted(predictor):
    predictor.connection.close()  # the server may have closed it as idle
    predictor.connection.request("GET", "/metrics")
    text = predictor.connection.getresponse().read().decode()
    return sum(int(float(count)) for count in re.findall(r"^aviator_sse_clients(?:\{.*\})? (\S+)", text, re.M))


def streams(predictor):
    most = []
    for _ in range(2):
        clients = listen(predictor, STREAMS)
        most.append(counted(predictor))
        break_off(clients)
    begun = time.monotonic()
    while (left := counted(predictor)) and time.monotonic() < begun + 60:
        predictor.append()  # the server notices a closed stream when it sends an event
        time.sleep(0.2)
    show(f"{STREAMS} event streams reset twice: {most} counted, {left} in the end", most[0] == STREAMS and left == 0)


def end(predictor):
    clients = listen(predictor, 20)
    trainer = http.client.HTTPConnection(predictor.address)
    trainer.request("POST", "/api/train")
    predictor.wait_for(lambda: predictor.ask("GET", "/api/status")["training"]["running"])
    begun = time.monotonic()
    predictor.process.send_signal(signal.SIGTERM)
    code = predictor.process.wait()
    took = time.monotonic() - begun
    show(f"SIGTERM with {len(clients)} event streams and a training: exit {code} after {1000 * took:.0f} ms", code == 0 and took < 1)


def main():
    numbers = [int(argument) for argument in sys.argv[2:]]
    rounds, seconds = (numbers + [100_000, 60][len(numbers):])[:2]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    predictor = Predictor(sys.argv[1], rounds)
    try:
        crowd(predictor, seconds)
        slow(predictor)
        streams(predictor)
        end(predictor)
    finally:
        predictor.stop()
    raise SystemExit(not all(results))


if __name__ == "__main__":
    main()
