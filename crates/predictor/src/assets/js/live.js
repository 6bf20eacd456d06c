// Keeps the page fresh: a status every 3 s, or at once when the server's event stream says that something happened.
// One timer, stopped while the page is hidden or paused; never two requests at a time.

import { fetchStatus } from "./api.js";

const POLL_MS = 3000;
/** With an event stream the poll only guards against a silent one. */
const GUARD_MS = 15_000;
const STALE_MS = 10_000;
/** A server that refuses a stream (too many pages are open) is polled this long before it is asked again. */
const REFUSED_MS = 60_000;
const TOPICS = ["round", "new-round", "forecast", "training", "data", "resync"];

/** @typedef {import("./contract.js").Status} Status */

/**
 * @typedef {object} Handlers
 * @property {(status: Status) => void} onStatus
 * @property {() => void} onFailure a request has failed
 * @property {() => void} onTick once a second while visible, for the ages
 */

export class Live {
  /** @type {number | undefined} */
  #timer;
  /** @type {EventSource | undefined} */
  #stream;
  #streaming = false;
  #busy = false;
  #again = false;
  #paused = false;
  #lastAsked = -Infinity;
  #lastAnswer = -Infinity;
  #failed = false;
  #refusedUntil = -Infinity;

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

  /** Whether the server tells of news by itself; otherwise it is asked. */
  get streaming() {
    return this.#streaming;
  }

  /** Milliseconds since the last answer. */
  get silence() {
    return performance.now() - this.#lastAnswer;
  }

  /** Whether what is on the page may no longer be true. */
  get stale() {
    return !this.#paused && (this.#failed || this.silence > (this.#streaming ? GUARD_MS + STALE_MS : STALE_MS));
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
      this.#listen(status.links?.events === undefined ? "api/events" : status.links.events);
      this.handlers.onStatus(status);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#failed = true;
      this.handlers.onFailure();
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
      this.#hangUp();
      this.handlers.onTick();
      return;
    }
    this.#timer = window.setInterval(() => this.#tick(), 1000);
    void this.refresh();
  }

  #tick() {
    const every = this.#streaming ? GUARD_MS : POLL_MS;
    // The timer drifts by milliseconds: half a tick of tolerance keeps 3 s from becoming 4 s.
    if (performance.now() - this.#lastAsked >= every - 500) void this.refresh();
    this.handlers.onTick();
  }

  /** @param {string | null} address */
  #listen(address) {
    if (!address || this.#stream || document.hidden || this.#paused) return;
    if (performance.now() < this.#refusedUntil) return;
    const stream = new EventSource(address);
    this.#stream = stream;
    stream.addEventListener("open", () => {
      this.#streaming = true;
    });
    stream.addEventListener("error", () => {
      this.#streaming = false;
      if (stream.readyState !== EventSource.CLOSED) return;
      this.#refusedUntil = performance.now() + REFUSED_MS;
      this.#hangUp();
    });
    for (const topic of TOPICS) {
      stream.addEventListener(topic, () => void this.refresh());
    }
  }

  #hangUp() {
    this.#stream?.close();
    this.#stream = undefined;
    this.#streaming = false;
  }
}
