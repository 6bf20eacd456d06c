// The rounds this page has seen, each with its number. The status carries the last 200; more come from `api/rounds`
// when they are wanted in view, and stay while the page is open.

/** @typedef {import("./contract.js").RecentRound} RecentRound */
/** @typedef {RecentRound & { round: number }} NumberedRound */

/** A plot of more rounds than this tells a person nothing more. */
const KEPT_MAX = 5000;
/** So many new rounds are drawn behind a thinned view before it is asked for again. */
const AFTER_MAX = 100;

export class RoundStore {
  /** The newest, without a gap, oldest first. @type {NumberedRound[]} */
  rounds = [];
  /** All of them, thinned by the server: of each run of `2 * step`, the lowest and the highest.
   * @type {{ rounds: NumberedRound[], step: number, end: number } | null} */
  thinned = null;

  /** @returns {number} the number of the newest round, or 0 */
  get last() {
    return this.rounds.at(-1)?.round ?? 0;
  }

  /**
   * Takes the newest rounds. The last of `recent` has number `count`.
   * When they do not continue what is here (another folder, a changed history), they replace it.
   * @param {RecentRound[]} recent oldest first
   * @param {number} count
   */
  merge(recent, count) {
    const from = count - recent.length + 1;
    const numbered = recent.map((round, index) => ({ ...round, round: from + index }));
    if (this.#continues(numbered)) {
      const older = this.rounds.slice(0, indexOf(this.rounds, from));
      this.rounds = older.concat(numbered).slice(-KEPT_MAX);
    } else {
      this.rounds = numbered;
      this.thinned = null;
    }
  }

  /**
   * Takes what the server gave for a wider range; newer rounds that came meanwhile stay.
   * @param {{ rounds: NumberedRound[], step: number }} answer
   * @param {number} total of rounds when it was given
   */
  take({ rounds, step }, total) {
    if (step > 1) {
      this.thinned = { rounds, step, end: total };
      return;
    }
    const end = rounds.at(-1)?.round ?? 0;
    const newer = this.rounds.slice(indexOf(this.rounds, end + 1));
    // A gap between the two would be drawn as if there had been no rounds.
    if (newer.length === 0 || newer[0].round === end + 1) this.rounds = rounds.concat(newer);
  }

  /**
   * @param {number} count
   * @param {number} total rounds there are
   * @returns {boolean} whether the newest `count` can be shown; of very many, a thinned view is enough
   */
  covers(count, total) {
    if (total === 0 || this.rounds[0]?.round <= Math.max(1, total - count + 1)) return true;
    return count === Infinity && this.thinned !== null && total - this.thinned.end <= AFTER_MAX;
  }

  /**
   * What a plot of the newest `count` draws.
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
   * @returns {boolean} whether the newest round that is here is among them, or just before, and the same
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
 * @returns {number} the index of the first with this number or a higher one
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
