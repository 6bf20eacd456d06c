// The server's event stream, one for all pages of this browser: a browser opens only six connections to a server,
// and each stream holds one. The page that gets the lock listens and tells the others. Where a browser has no locks
// (a page that is not of this machine and not encrypted), every page listens for itself.

import { route } from "./api.js";

const TOPICS = ["new-round", "forecast", "training", "data", "resync"];
/** A server that refuses a stream (too many pages are open, or it is starting) is asked again after this long. */
const REFUSED_MS = [5000, 20_000, 60_000];

/** Pages of another table, or of another predictor behind the same proxy, have another address, so another lock. */
const ADDRESS = new URL(route("events"), document.baseURI).href;

export class Stream {
  /** @type {EventSource | undefined} */
  #source;
  /** @type {(() => void) | undefined} gives the lock back */
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

  /** @param {(topic: string) => void} onNews */
  constructor(onNews) {
    this.onNews = onNews;
    if ("locks" in navigator && "BroadcastChannel" in globalThis) {
      this.#channel = new BroadcastChannel(ADDRESS);
      this.#channel.addEventListener("message", ({ data }) => this.#told(data));
    }
  }

  /** Whether news arrive by themselves. */
  get open() {
    return this.#open;
  }

  /** Whether this page is the one that listens. */
  get leads() {
    return this.#role === "leads";
  }

  /** Listens, or waits for another page's turn to end. Called as often as one likes. */
  start() {
    if (this.#role === "leads") return this.#listen();
    if (this.#role === "waits") return;
    if (!this.#channel) {
      this.#role = "leads";
      return this.#listen();
    }
    this.#role = "waits";
    this.#queue = new AbortController();
    navigator.locks.request(ADDRESS, { signal: this.#queue.signal }, () => this.#lead()).catch(() => {
      // Left the queue: the page was hidden or paused before its turn came.
    });
    this.#channel.postMessage({ ask: true });
  }

  stop() {
    this.#role = "off";
    this.#queue?.abort();
    this.#queue = undefined;
    this.#hangUp();
    this.#release?.();
    this.#release = undefined;
  }

  /** @returns {Promise<void>} that holds the lock until it is resolved */
  #lead() {
    if (this.#role === "off") return Promise.resolve();
    this.#role = "leads";
    this.#open = false;
    this.#listen();
    return new Promise((release) => {
      this.#release = release;
    });
  }

  /** @param {{ ask?: true, open?: boolean, topic?: string }} said by another page */
  #told(said) {
    if (said.ask && this.#role === "leads") this.#tell({ open: this.#open });
    if (this.#role !== "waits") return;
    if (said.open !== undefined) this.#open = said.open;
    if (said.topic) this.onNews(said.topic);
  }

  /** @param {{ open?: boolean, topic?: string }} words */
  #tell(words) {
    this.#channel?.postMessage(words);
  }

  #listen() {
    if (this.#source || performance.now() < this.#refusedUntil) return;
    const source = new EventSource(ADDRESS);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#refusals = 0;
      this.#state(true);
      // What happened since the last status, while nobody listened.
      this.onNews("ready");
    });
    source.addEventListener("error", () => {
      this.#state(false);
      if (source.readyState !== EventSource.CLOSED) return;
      this.#refusedUntil = performance.now() + REFUSED_MS[Math.min(this.#refusals, REFUSED_MS.length - 1)];
      this.#refusals += 1;
      this.#hangUp();
    });
    for (const topic of TOPICS) {
      source.addEventListener(topic, () => {
        this.onNews(topic);
        this.#tell({ topic });
      });
    }
  }

  /** @param {boolean} open */
  #state(open) {
    this.#open = open;
    this.#tell({ open });
  }

  #hangUp() {
    if (this.#source) {
      this.#source.close();
      this.#tell({ open: false });
    }
    this.#source = undefined;
    this.#open = false;
  }
}
