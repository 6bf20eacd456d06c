// The server's event stream, one for all pages of this browser: a browser opens at most six connections to a server,
// and each stream holds one. The page that gets the lock listens and forwards events to the others. Without the
// Web Locks API (a remote page without TLS has none), every page opens its own stream.

import { route } from "./api.js";

const TOPICS = ["new-round", "forecast", "training", "data", "resync"];
/** Waiting times after a refused stream: the server is starting, or too many pages are open. */
const REFUSED_MS = [5000, 20_000, 60_000];

/** Also names the lock and the channel, as it differs by table and by predictor behind a proxy. */
const ADDRESS = new URL(route("events"), document.baseURI).href;

export class Stream {
  /** @type {EventSource | undefined} */
  #source;
  /** @type {(() => void) | undefined} releases the lock */
  #release;
  /** @type {AbortController | undefined} leaves the queue for the lock */
  #queue;
  /** @type {BroadcastChannel | undefined} */
  #channel;
  #open = false;
  #refusals = 0;
  #refusedUntil = -Infinity;
  /** @type {"off" | "waits" | "leads"} */
  #role = "off";

  /** @param {(topic: string) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    if ("locks" in navigator && "BroadcastChannel" in globalThis) {
      this.#channel = new BroadcastChannel(ADDRESS);
      this.#channel.addEventListener("message", ({ data }) => this.#receive(data));
    }
  }

  /** Whether events arrive. */
  get open() {
    return this.#open;
  }

  /** Whether this page holds the stream. */
  get leads() {
    return this.#role === "leads";
  }

  /** Opens the stream, or waits for the lock. Calling it again changes nothing. */
  start() {
    if (this.#role === "leads") return this.#listen();
    if (this.#role === "waits") return;
    if (!this.#channel) {
      this.#role = "leads";
      return this.#listen();
    }
    this.#role = "waits";
    this.#queue = new AbortController();
    navigator.locks
      .request(ADDRESS, { signal: this.#queue.signal }, () => this.#lead())
      .catch(() => {
        // The page was hidden or paused while it waited for the lock.
      });
    this.#channel.postMessage({ ask: true });
  }

  stop() {
    this.#role = "off";
    this.#queue?.abort();
    this.#queue = undefined;
    this.#close();
    this.#release?.();
    this.#release = undefined;
  }

  /** @returns {Promise<void>} holds the lock until it resolves */
  #lead() {
    if (this.#role === "off") return Promise.resolve();
    this.#role = "leads";
    this.#open = false;
    this.#listen();
    return new Promise((release) => {
      this.#release = release;
    });
  }

  /** @param {{ ask?: true, open?: boolean, topic?: string }} message from another page */
  #receive(message) {
    if (message.ask && this.#role === "leads") this.#send({ open: this.#open });
    if (this.#role !== "waits") return;
    if (message.open !== undefined) this.#open = message.open;
    if (message.topic) this.onEvent(message.topic);
  }

  /** @param {{ open?: boolean, topic?: string }} message */
  #send(message) {
    this.#channel?.postMessage(message);
  }

  #listen() {
    if (this.#source || performance.now() < this.#refusedUntil) return;
    const source = new EventSource(ADDRESS);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#refusals = 0;
      this.#setOpen(true);
      // Events since the last status were missed, so fetch it.
      this.onEvent("ready");
    });
    source.addEventListener("error", () => {
      this.#setOpen(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this.#refusedUntil = performance.now() + REFUSED_MS[Math.min(this.#refusals, REFUSED_MS.length - 1)];
      this.#refusals += 1;
      this.#close();
    });
    for (const topic of TOPICS) {
      source.addEventListener(topic, () => {
        this.onEvent(topic);
        this.#send({ topic });
      });
    }
  }

  /** @param {boolean} open */
  #setOpen(open) {
    this.#open = open;
    this.#send({ open });
  }

  #close() {
    if (this.#source) {
      this.#source.close();
      this.#send({ open: false });
    }
    this.#source = undefined;
    this.#open = false;
  }
}
