import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import * as format from "../../src/web/js/format.js";
import { setLanguage } from "../../src/web/js/i18n.js";

// Choosing a language rewrites the page; there is none here.
globalThis.document = { documentElement: {}, querySelectorAll: () => [] };
const inGerman = () => setLanguage("de");
afterEach(() => setLanguage("en"));

const NARROW = "\u202f";

test("a multiplier has two decimals and its sign", () => {
  assert.equal(format.times(2.307), "2.31×");
  assert.equal(format.times(1), "1.00×");
  assert.equal(format.times(12345.678), "12,345.68×");
  inGerman();
  assert.equal(format.times(1234.5), "1.234,50×");
});

test("what is not a number is a dash", () => {
  for (const nothing of [null, undefined, NaN, Infinity]) {
    assert.equal(format.times(nothing), "–");
    assert.equal(format.percent(nothing), "–");
    assert.equal(format.signedPercent(nothing), "–");
    assert.equal(format.figure(nothing), "–");
    assert.equal(format.age(nothing), "–");
    assert.equal(format.duration(nothing), "–");
    assert.equal(format.range(1, nothing), "–");
  }
  assert.equal(format.clock("not a time"), "–");
  assert.equal(format.clock(null), "–");
  assert.equal(format.utc("not a time"), "");
});

test("isNumber accepts finite numbers only", () => {
  assert.equal(format.isNumber(0), true);
  assert.equal(format.isNumber("1"), false);
  assert.equal(format.isNumber(-Infinity), false);
});

test("a negative number has a true minus sign", () => {
  assert.equal(format.number(-3), "−3");
  assert.equal(format.number(-0.25, 2), "−0.25");
});

test("a range names both ends", () => {
  assert.equal(format.range(1.08, 9.7), "1.08× – 9.70×");
});

test("a share is a percentage, its sign on the same line", () => {
  assert.equal(format.percent(0.485), `48.5${NARROW}%`);
  assert.equal(format.percent(0.8, 0), `80${NARROW}%`);
  inGerman();
  assert.equal(format.percent(0.485), `48,5${NARROW}%`);
});

test("a difference of shares is in percentage points with its sign", () => {
  assert.equal(format.points(0.0123), "+1.2");
  assert.equal(format.points(-0.0123), "−1.2");
  assert.equal(format.points(0.0004), "±0.0");
  assert.equal(format.points(-0.0004), "±0.0");
});

test("a signed percentage has a plus only above zero", () => {
  assert.equal(format.signedPercent(0.42), `+0.42${NARROW}%`);
  assert.equal(format.signedPercent(0), `0.00${NARROW}%`);
  assert.equal(format.signedPercent(-0.42), `−0.42${NARROW}%`);
});

test("euros show as many digits as matter, and their limits", () => {
  assert.equal(format.euros(1), "1.0");
  assert.equal(format.euros(9.96), "10");
  assert.equal(format.euros(0.05), "0.05");
  assert.equal(format.euros(0.004), "0.004");
  assert.equal(format.euros(0.0001), "< 0.001");
  assert.equal(format.euros(10_000), "> 9999");
});

test("a figure has four digits that count, three at most after the point", () => {
  assert.deepEqual([0.12345, 1.23456, 12.3456, 123.456, 1234.56, -12.3456].map(format.figure), [
    "0.123",
    "1.235",
    "12.35",
    "123.5",
    "1,235",
    "−12.35",
  ]);
});

test("an age is in the largest unit that is a whole one", () => {
  assert.equal(format.age(-5), "0 s");
  assert.equal(format.age(59.4), "59 s");
  assert.equal(format.age(60), "1 min");
  assert.equal(format.age(3599), "59 min");
  assert.equal(format.age(7500), "2 h 5 min");
  assert.equal(format.age(48 * 3600), "2 d");
  inGerman();
  assert.equal(format.age(48 * 3600), "2 Tg.");
});

test("a duration is in milliseconds below a second, then in seconds, then an age", () => {
  assert.equal(format.duration(12.4), "12 ms");
  assert.equal(format.duration(1500), "1.5 s");
  assert.equal(format.duration(61_000), "1 min");
});

test("ticks of an axis are short", () => {
  assert.equal(format.short(500), "500");
  assert.equal(format.short(10_000), "10K");
});

test("a moment in UTC names its zone", () => {
  assert.equal(format.utc("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05.678 UTC");
});

test("the time of day is shown without a date today, and with it on another day", () => {
  assert.doesNotMatch(format.clock(new Date().toISOString()), /20\d\d/);
  assert.match(format.clock("2020-06-15T12:00:00Z"), /2020/);
});

test("a time axis shows days where its ticks are days apart", () => {
  const noon = Date.UTC(2026, 5, 15, 12) / 1000;
  assert.match(format.tickTime(noon, true), /Jun/);
  assert.match(format.tickTime(noon, false), /:00/);
});
