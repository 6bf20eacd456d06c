"""Measures the time from an appended row to the next forecast over HTTP.

Usage: latency.py PREDICTOR WATCH ROWS     WATCH: notify or scan
Polls without a pause on one connection; rows are appended 50 to 350 ms apart (0.5 to 2.5 s with scan).
"""
import sys
import time

from running import Predictor

START = 2000


def main():
    program, watch, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
    predictor = Predictor(program, START, watch=watch)
    predictor.ask("GET", "/api/predict")
    seconds = []
    for number in range(START + 1, START + rows + 1):
        time.sleep(0.05 + 0.3 * predictor.draw.random() if watch == "notify" else 0.5 + 2 * predictor.draw.random())
        predictor.append()
        start = time.perf_counter()
        while predictor.ask("GET", "/api/predict")["prediction"]["for_round"] != number + 1:
            pass
        seconds.append(time.perf_counter() - start)
    predictor.stop()
    seconds.sort()
    at = [f"p{share} {1e3 * seconds[min(rows - 1, rows * share // 100)]:.1f} ms" for share in (50, 90, 99)]
    print(f"row appended -> forecast over HTTP, {watch}, {rows} rows: {', '.join(at)}, max {1e3 * seconds[-1]:.1f} ms")


if __name__ == "__main__":
    main()
