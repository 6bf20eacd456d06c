// The rounds this page has received, each with its number. The status carries the last 200; older ones come from
// `api/rounds` when the page shows more, and stay while it is open.

/** @typedef {import("./api_types.js").RecentRound} RecentRound */
/** @typedef {RecentRound & { round: number }} NumberedRound */

/** Rounds kept; a plot of more rounds would look the same. */
const ROUNDS_MAX = 5000;
/** New rounds appended to a thinned view before it is fetched again. */
const NEWER_MAX = 100;

export class RoundStore {
  /** The newest, without a gap, oldest first. @type {NumberedRound[]} */
  rounds = [];
  /** All rounds, thinned by the server: the lowest and the highest of every `2 * step`.
   * @type {{ rounds: NumberedRound[], step: number, end: number } | null} */
  thinned = null;

  /** @returns {number} the number of the newest round, or 0 */
  get last() {
    return this.rounds.at(-1)?.round ?? 0;
  }

  /**
   * Adds the newest rounds; the last of `recent` has number `count`. Rounds that do not continue the
   * stored ones (another directory, a changed history) replace them.
   * @param {RecentRound[]} recent oldest first
   * @param {number} count
   */
  merge(recent, count) {
    const from = count - recent.length + 1;
    const numbered = recent.map((round, index) => ({ ...round, round: from + index }));
    if (this.#continues(numbered)) {
      const older = this.rounds.slice(0, indexOf(this.rounds, from));
      this.rounds = older.concat(numbered).slice(-ROUNDS_MAX);
    } else {
      this.rounds = numbered;
      this.thinned = null;
    }
  }

  /**
   * Adds the server's answer for a wider range; rounds that arrived since the request stay.
   * @param {{ rounds: NumberedRound[], step: number }} answer
   * @param {number} total number of rounds at the time of the answer
   */
  take({ rounds, step }, total) {
    if (step > 1) {
      this.thinned = { rounds, step, end: total };
      return;
    }
    const end = rounds.at(-1)?.round ?? 0;
    const newer = this.rounds.slice(indexOf(this.rounds, end + 1));
    // Rounds on either side of a gap would be drawn as neighbours.
    if (newer.length === 0 || newer[0].round === end + 1) this.rounds = rounds.concat(newer);
  }

  /**
   * @param {number} count
   * @param {number} total number of rounds
   * @returns {boolean} whether the newest `count` can be drawn; for all rounds a thinned view is enough
   */
  covers(count, total) {
    if (total === 0 || this.rounds[0]?.round <= Math.max(1, total - count + 1)) return true;
    return count === Infinity && this.thinned !== null && total - this.thinned.end <= NEWER_MAX;
  }

  /**
   * Returns the rounds that a plot of the newest `count` draws.
   * @param {number} count
   * @returns {{ rounds: NumberedRound[], step: number }}
   */
  view(count) {
    const { thinned } = this;
    if (count !== Infinity || !thinned || this.rounds[0]?.round === 1) return { rounds: this.rounds, step: 1 };
    const newer = this.rounds.slice(indexOf(this.rounds, thinned.end + 1));
    return { rounds: thinned.rounds.concat(newer), step: thinned.step };
  }

  /**
   * @param {number} count
   * @returns {NumberedRound[]} the newest, oldest first
   */
  newest(count) {
    return this.rounds.slice(-count);
  }

  /**
   * @param {NumberedRound[]} recent
   * @returns {boolean} whether `recent` contains the newest stored round, or follows it directly
   */
  #continues(recent) {
    const mine = this.rounds.at(-1);
    if (!mine || recent.length === 0) return false;
    const index = mine.round - recent[0].round;
    if (index === -1) return true;
    const shared = recent[index];
    return Boolean(shared) && shared.time === mine.time && shared.multiplier === mine.multiplier;
  }
}

/**
 * @param {NumberedRound[]} rounds ascending by number
 * @param {number} round
 * @returns {number} the index of the first round with this number or a higher one
 */
export function indexOf(rounds, round) {
  let [low, high] = [0, rounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rounds[middle].round < round) low = middle + 1;
    else high = middle;
  }
  return low;
}
