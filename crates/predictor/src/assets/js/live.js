// Keeps the page fresh: a status every 3 s, or at once when the server's event stream says that something happened.
// One timer, stopped while the page is hidden or paused; never two requests at a time.

import { fetchStatus } from "./api.js";
import { Stream } from "./stream.js";

const POLL_MS = 3000;
/** With an event stream the poll only guards against a silent one. */
const GUARD_MS = 15_000;
const STALE_MS = 10_000;

/** @typedef {import("./contract.js").Status} Status */

/**
 * @typedef {object} Handlers
 * @property {(status: Status) => void} onStatus
 * @property {(error: Error) => void} onFailure a request has failed
 * @property {() => void} onTick once a second while visible, for the ages
 */

export class Live {
  /** @type {number | undefined} */
  #timer;
  #stream = new Stream(() => void this.refresh());
  #busy = false;
  #again = false;
  #paused = false;
  #lastAsked = -Infinity;
  #lastAnswer = -Infinity;
  #failed = false;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    document.addEventListener("visibilitychange", () => this.#follow());
    window.addEventListener("online", () => void this.refresh());
  }

  start() {
    this.#follow();
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.#paused = paused;
    this.#follow();
  }

  get paused() {
    return this.#paused;
  }

  /** @returns {"own" | "shared" | "none"} where news come from: this page's stream, another page's, or the clock */
  get stream() {
    if (!this.#stream.open) return "none";
    return this.#stream.leads ? "own" : "shared";
  }

  /** Milliseconds since the last answer. */
  get silence() {
    return performance.now() - this.#lastAnswer;
  }

  /** Whether what is on the page may no longer be true. */
  get stale() {
    return !this.#paused && (this.#failed || this.silence > (this.#stream.open ? GUARD_MS + STALE_MS : STALE_MS));
  }

  /** Asks now; a call during a request asks once more after it. */
  async refresh() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#lastAsked = performance.now();
    try {
      const status = await fetchStatus();
      this.#lastAnswer = performance.now();
      this.#failed = false;
      if (this.#timer !== undefined) this.#stream.start();
      this.handlers.onStatus(status);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#failed = true;
      this.handlers.onFailure(error);
    } finally {
      this.#busy = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.refresh();
    }
  }

  /** Starts or stops everything that runs by itself. */
  #follow() {
    const active = !document.hidden && !this.#paused;
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
    if (performance.now() - this.#lastAsked >= every - 500) void this.refresh();
    this.handlers.onTick();
  }
}
