// Keeps the page up to date: fetches the status every 3 s, and at once when the server's stream sends
// an event.
// One timer, stopped while the page is hidden or paused; never two requests at a time.

import { fetchStatus } from "./api.js";
import { Stream } from "./stream.js";

const POLL_MS = 3000;
/** While an event stream is open, polling only guards against a stream that has gone silent. */
const GUARD_MS = 15_000;
const STALE_MS = 10_000;

/** @typedef {import("./api_types.js").Status} Status */

/**
 * @typedef {object} Handlers
 * @property {(status: Status) => void} onStatus
 * @property {(error: Error) => void} onFailure after a failed request
 * @property {() => void} onTick once a second while the page is visible, to update ages
 */

export class Poller {
  /** @type {number | undefined} */
  #timer;
  #stream = new Stream(() => void this.refresh());
  #isBusy = false;
  #refreshAgain = false;
  #isPaused = false;
  #requestedAt = -Infinity;
  #answeredAt = -Infinity;
  #hasFailed = false;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    document.addEventListener("visibilitychange", () => this.#startOrStop());
    window.addEventListener("online", () => void this.refresh());
  }

  start() {
    this.#startOrStop();
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#isPaused = paused;
    this.#startOrStop();
  }

  get paused() {
    return this.#isPaused;
  }

  /** @returns {"own" | "shared" | "none"} whose event stream this page follows; `none` means polling */
  get stream() {
    if (!this.#stream.open) return "none";
    return this.#stream.leads ? "own" : "shared";
  }

  /** Milliseconds since the last answer. */
  get silence() {
    return performance.now() - this.#answeredAt;
  }

  /** Whether the page may be out of date. */
  get stale() {
    return !this.#isPaused && (this.#hasFailed || this.silence > (this.#stream.open ? GUARD_MS + STALE_MS : STALE_MS));
  }

  /** Fetches the status now; a call during a request repeats it afterwards. */
  async refresh() {
    if (this.#isBusy) {
      this.#refreshAgain = true;
      return;
    }
    this.#isBusy = true;
    this.#requestedAt = performance.now();
    try {
      const status = await fetchStatus();
      this.#answeredAt = performance.now();
      this.#hasFailed = false;
      if (this.#timer !== undefined) this.#stream.start();
      this.handlers.onStatus(status);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#hasFailed = true;
      this.handlers.onFailure(error);
    } finally {
      this.#isBusy = false;
    }
    if (this.#refreshAgain) {
      this.#refreshAgain = false;
      await this.refresh();
    }
  }

  /** Runs the timer and the event stream while the page is visible and not paused. */
  #startOrStop() {
    const active = !document.hidden && !this.#isPaused;
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    if (!active) {
      this.#stream.stop();
      this.handlers.onTick();
      return;
    }
    this.#timer = window.setInterval(() => this.#tick(), 1000);
    void this.refresh();
  }

  #tick() {
    const every = this.#stream.open ? GUARD_MS : POLL_MS;
    // The timer drifts by milliseconds: half a tick of tolerance keeps 3 s from becoming 4 s.
    if (performance.now() - this.#requestedAt >= every - 500) void this.refresh();
    this.handlers.onTick();
  }
}
