// What the status does not carry is asked for when a person can see where it is shown, and again when rounds have
// come since, but not more often than every few seconds. There is no timer here: the page's one tick asks.

import { ask, Refused } from "./api.js";

const EVERY_MS = 10_000;
/** So close to the window, what is shown there is fetched ahead. */
const AHEAD = "400px";

export class Extra {
  #near = false;
  #busy = false;
  #asked = -Infinity;
  /** What the last answer was an answer to. */
  #shown = "";
  #wanted = "";
  /** The run of the predictor that does not know this address. */
  #lacking = "";

  /**
   * @param {object} what
   * @param {string} what.path relative address
   * @param {Element} what.box where it is shown
   * @param {(answer: any) => void} what.show `null` when this predictor does not hand it out
   */
  constructor({ path, box, show }) {
    this.path = path;
    this.show = show;
    const seen = new IntersectionObserver(
      (entries) => {
        this.#near = entries.at(-1)?.isIntersecting ?? false;
        this.tick();
      },
      { rootMargin: AHEAD },
    );
    seen.observe(box);
  }

  /**
   * @param {string} mark changes with what the answer is made of
   * @param {string} run changes when the predictor is started anew
   */
  follow(mark, run) {
    this.#wanted = `${run} ${mark}`;
    if (this.#lacking && this.#lacking !== run) this.#lacking = "";
    this.run = run;
    this.tick();
  }

  /** Asks, if there is something to ask for and somebody to see it. */
  tick() {
    const due = performance.now() - this.#asked >= EVERY_MS || this.#shown === "";
    if (!this.#near || this.#busy || this.#lacking || !this.#wanted || document.hidden) return;
    if (due && this.#wanted !== this.#shown) void this.#ask();
  }

  async #ask() {
    const wanted = this.#wanted;
    this.#busy = true;
    this.#asked = performance.now();
    try {
      const answer = await ask(this.path);
      this.#shown = wanted;
      this.show(answer);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) {
        this.#lacking = this.run ?? "";
        this.show(null);
      } else {
        // What is shown stays; the status bar tells when the predictor is away. A first answer is not hurried.
        this.#shown ||= "failed";
      }
    } finally {
      this.#busy = false;
    }
  }
}
