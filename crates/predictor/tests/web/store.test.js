import assert from "node:assert/strict";
import { test } from "node:test";

import { RoundStore, indexOf } from "../../src/web/js/store.js";

/** Rounds `from` to `to` with their numbers; the multiplier and the time follow from the number. */
function numbered(from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    round: from + index,
    ...plain(from + index),
  }));
}

/** A round as the status carries it, without its number. */
function plain(round) {
  const time = new Date(Date.UTC(2026, 0, 1) + 20_000 * round).toISOString();
  return { time, multiplier: 1 + round / 100, lo: null, hi: null, point: null, inside: null };
}

/** The rounds `from` to `to` as the status carries them. */
function recent(from, to) {
  return numbered(from, to).map(({ round }) => plain(round));
}

const numbers = (rounds) => rounds.map(({ round }) => round);

test("the last of the recent rounds has the number of rounds as its number", () => {
  const store = new RoundStore();
  store.merge(recent(5, 8), 8);
  assert.deepEqual(numbers(store.rounds), [5, 6, 7, 8]);
  assert.equal(store.last, 8);
});

test("an empty store has no last round", () => {
  assert.equal(new RoundStore().last, 0);
});

test("newer rounds are appended to the ones already here", () => {
  const store = new RoundStore();
  store.merge(recent(1, 4), 4);
  store.merge(recent(3, 6), 6);
  assert.deepEqual(numbers(store.rounds), [1, 2, 3, 4, 5, 6]);
});

test("rounds that follow without an overlap are appended", () => {
  const store = new RoundStore();
  store.merge(recent(1, 2), 2);
  store.merge(recent(3, 4), 4);
  assert.deepEqual(numbers(store.rounds), [1, 2, 3, 4]);
});

test("a gap replaces everything, so that a plot never joins rounds that are not neighbours", () => {
  const store = new RoundStore();
  store.merge(recent(1, 2), 2);
  store.merge(recent(4, 5), 5);
  assert.deepEqual(numbers(store.rounds), [4, 5]);
});

test("a changed history replaces everything, the thinned view included", () => {
  const store = new RoundStore();
  store.merge(recent(1, 4), 4);
  store.take({ rounds: numbered(1, 4), step: 2 }, 4);
  const changed = recent(3, 5).map((round) => ({ ...round, multiplier: 9 }));
  store.merge(changed, 5);
  assert.deepEqual(numbers(store.rounds), [3, 4, 5]);
  assert.equal(store.thinned, null);
});

test("a round that is settled later takes the place of the open one", () => {
  const store = new RoundStore();
  store.merge(recent(1, 2), 2);
  const settled = recent(1, 2).map((round) => ({ ...round, inside: true }));
  store.merge(settled, 2);
  assert.deepEqual(
    store.rounds.map(({ inside }) => inside),
    [true, true],
  );
});

test("at most 5,000 rounds are kept, the newest", () => {
  const store = new RoundStore();
  store.merge(recent(1, 5000), 5000);
  store.merge(recent(5001, 5010), 5010);
  assert.equal(store.rounds.length, 5000);
  assert.equal(store.rounds[0].round, 11);
  assert.equal(store.last, 5010);
});

test("older rounds are put before the ones here, and newer ones stay", () => {
  const store = new RoundStore();
  store.merge(recent(7, 9), 9);
  store.take({ rounds: numbered(1, 8), step: 1 }, 8);
  assert.deepEqual(numbers(store.rounds), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("older rounds that do not reach the ones here are left out", () => {
  const store = new RoundStore();
  store.merge(recent(7, 9), 9);
  store.take({ rounds: numbered(1, 4), step: 1 }, 4);
  assert.deepEqual(numbers(store.rounds), [7, 8, 9]);
});

test("a range is covered when its first round is here", () => {
  const store = new RoundStore();
  assert.equal(store.covers(200, 0), true);
  store.merge(recent(11, 20), 20);
  assert.equal(store.covers(10, 20), true);
  assert.equal(store.covers(11, 20), false);
  assert.equal(store.covers(Infinity, 20), false);
});

test("a thinned view covers all rounds until 100 newer ones have come", () => {
  const store = new RoundStore();
  store.merge(recent(801, 1000), 1000);
  store.take({ rounds: numbered(1, 1000).filter(({ round }) => round % 5 === 0), step: 2.5 }, 1000);
  assert.equal(store.covers(Infinity, 1100), true);
  assert.equal(store.covers(Infinity, 1101), false);
  assert.equal(store.covers(500, 1000), false);
});

test("all rounds are drawn thinned, with the newer ones behind them", () => {
  const store = new RoundStore();
  store.merge(recent(8, 10), 10);
  store.take({ rounds: [2, 5, 8].map((round) => ({ round, ...plain(round) })), step: 1.5 }, 8);
  const { rounds, step } = store.view(Infinity);
  assert.deepEqual(numbers(rounds), [2, 5, 8, 9, 10]);
  assert.equal(step, 1.5);
  assert.equal(store.view(3).step, 1);
  assert.deepEqual(numbers(store.view(3).rounds), [8, 9, 10]);
});

test("nothing is thinned when every round is here", () => {
  const store = new RoundStore();
  store.merge(recent(1, 10), 10);
  store.take({ rounds: numbered(1, 10).slice(0, 4), step: 2 }, 10);
  assert.equal(store.view(Infinity).step, 1);
});

test("the newest rounds come oldest first", () => {
  const store = new RoundStore();
  store.merge(recent(1, 5), 5);
  assert.deepEqual(numbers(store.newest(2)), [4, 5]);
  assert.deepEqual(numbers(store.newest(9)), [1, 2, 3, 4, 5]);
});

test("indexOf finds the round with a number, or the place where it would be", () => {
  const rounds = [2, 4, 6].map((round) => ({ round, ...plain(round) }));
  assert.deepEqual(
    [1, 2, 3, 4, 6, 7].map((round) => indexOf(rounds, round)),
    [0, 0, 1, 1, 2, 3],
  );
  assert.equal(indexOf([], 1), 0);
});
