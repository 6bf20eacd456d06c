// A panel whose data the status does not carry: fetched once the panel is near the window, and again after new
// rounds, at most every few seconds. It has no timer of its own; the page's tick drives it.

import { ask, Refused } from "./api.js";

const INTERVAL_MS = 10_000;
/** Fetch ahead of time when the panel is this close to the window. */
const MARGIN = "400px";

export class LazyPanel {
  #isNear = false;
  #isBusy = false;
  #requestedAt = -Infinity;
  /** The revision of the data on the page. */
  #shownRevision = "";
  #wantedRevision = "";
  /** The run of a predictor that does not have this route. */
  #unsupportedRun = "";

  /**
   * @param {object} what
   * @param {string} what.path of the request, relative
   * @param {Element} what.box the panel
   * @param {(answer: any) => void} what.show gets `null` when this predictor does not have the route
   */
  constructor({ path, box, show }) {
    this.path = path;
    this.show = show;
    const seen = new IntersectionObserver(
      (entries) => {
        this.#isNear = entries.at(-1)?.isIntersecting ?? false;
        this.tick();
      },
      { rootMargin: MARGIN },
    );
    seen.observe(box);
  }

  /**
   * Notes the newest data, and fetches them if it is time.
   * @param {string} revision changes with the data behind the panel
   * @param {string} run changes when the predictor restarts
   */
  update(revision, run) {
    this.#wantedRevision = `${run} ${revision}`;
    if (this.#unsupportedRun && this.#unsupportedRun !== run) this.#unsupportedRun = "";
    this.run = run;
    this.tick();
  }

  /**
   * Asks for something else, at once.
   * @param {string} path of the request, relative
   */
  ask(path) {
    this.path = path;
    this.#shownRevision = "";
    this.tick();
  }

  /** Fetches when the data have changed and the panel can be seen. */
  tick() {
    const due = performance.now() - this.#requestedAt >= INTERVAL_MS || this.#shownRevision === "";
    if (!this.#isNear || this.#isBusy || this.#unsupportedRun || !this.#wantedRevision || document.hidden) return;
    if (due && this.#wantedRevision !== this.#shownRevision) void this.#fetch();
  }

  async #fetch() {
    const wanted = this.#wantedRevision;
    const path = this.path;
    this.#isBusy = true;
    this.#requestedAt = performance.now();
    try {
      const answer = await ask(path);
      if (path !== this.path) return;
      this.#shownRevision = wanted;
      this.show(answer);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) {
        this.#unsupportedRun = this.run ?? "";
        this.show(null);
      } else {
        // The panel keeps its data; the status bar says when the predictor is unreachable. After a failed
        // first request, the usual interval applies too.
        this.#shownRevision ||= "failed";
      }
    } finally {
      this.#isBusy = false;
      // The user has asked for something else meanwhile.
      if (path !== this.path) this.tick();
    }
  }
}
