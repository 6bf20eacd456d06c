// The rounds this page has seen. The status carries the last 200; older ones are kept here while the page is open,
// so that a zoomed plot does not lose its rows.

/** @typedef {import("./contract.js").RecentRound} RecentRound */

/** A plot of more rounds than this tells a person nothing more; the server thins out before it. */
const KEPT_MAX = 5000;

export class RoundStore {
  /** @type {RecentRound[]} */
  rounds = [];
  /** The number of `rounds[0]`; the first round of all is 1. */
  first = 1;

  /** @returns {number} the number of the newest round */
  get last() {
    return this.first + this.rounds.length - 1;
  }

  /**
   * Takes the newest rounds. The last of `recent` has number `count`.
   * When they do not continue what is here (another folder, a changed history), they replace it.
   * @param {RecentRound[]} recent oldest first
   * @param {number} count
   */
  merge(recent, count) {
    const first = count - recent.length + 1;
    if (!this.continues(recent, first)) {
      this.rounds = recent;
      this.first = first;
      return;
    }
    this.rounds = this.rounds.slice(0, first - this.first).concat(recent);
    const surplus = this.rounds.length - KEPT_MAX;
    if (surplus > 0) {
      this.rounds = this.rounds.slice(surplus);
      this.first += surplus;
    }
  }

  /**
   * Takes older rounds in front of those that are here.
   * @param {RecentRound[]} older oldest first, consecutive
   * @param {number} first the number of `older[0]`
   */
  prepend(older, first) {
    const missing = this.first - first;
    if (missing <= 0 || older.length < missing) return;
    this.rounds = older.slice(0, missing).concat(this.rounds);
    this.first = first;
  }

  /**
   * @param {RecentRound[]} recent
   * @param {number} first
   * @returns {boolean} whether the two overlap or touch, and agree on the round they share
   */
  continues(recent, first) {
    if (this.rounds.length === 0 || recent.length === 0) return false;
    const index = first - this.first;
    if (index < 0 || index > this.rounds.length) return false;
    const shared = this.rounds[index];
    return !shared || (shared.time === recent[0].time && shared.multiplier === recent[0].multiplier);
  }

  /**
   * @param {number} count
   * @returns {RecentRound[]} the newest, oldest first
   */
  newest(count) {
    return this.rounds.slice(-count);
  }
}
