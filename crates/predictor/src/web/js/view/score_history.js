// Row 5, over time: skill and its confidence band, coverage, and the three kinds of evidence, from `api/history`.

import { syncRows } from "../dom.js";
import { euros, isNumber, number, percent, signedPercent } from "../format.js";
import { t } from "../i18n.js";
import { allTicks, axis, Chart, colours, edge, level, line } from "./chart.js";
import { startLegendToggles } from "./legend_toggles.js";

/** @typedef {import("../api_types.js").History} History */
/** @typedef {(number | null)[]} Column */

const ROWS_MAX = 24;
const PROMISED = 0.8;
/** Evidence, as ln e, at which a test turns amber. */
const AMBER = Math.log(20);
const EVIDENCE_TICKS = [0.01, 0.1, 1, 20, 100, 1e3, 1e4, 1e6, 1e9, 1e15, 1e30].map(Math.log);
/** Lower end of the plot; less evidence is drawn here, as how far it has fallen says nothing. */
const LEAST = Math.log(0.005);
const TESTS = /** @type {const} */ (["order", "law", "forecast"]);

export class ScoreHistoryPlots {
  constructor() {
    this.skill = new Chart("skill-plot", skillOptions);
    this.coverage = new Chart("coverage-plot", coverageOptions);
    this.evidence = new Chart("evidence-plot", () => evidenceOptions());
    this.hidden = startLegendToggles("#evidence-legend", () => this.#toggle());
    /** @type {History | null} */
    this.shown = null;
    this.wait(t("panel_wait"));
  }

  /** @param {History | null} history `null` when this predictor has no such route */
  show(history) {
    this.shown = history;
    if (!history) return this.wait(t("panel_unsupported"));
    if (history.rounds.length === 0) return this.wait(t("score_history_none"));
    this.#skill(history);
    this.#coverage(history);
    this.#evidence(history);
  }

  /** Renders again after a change of language. */
  refresh() {
    if (this.shown) this.show(this.shown);
    else this.wait(t("panel_wait"));
  }

  /** @param {string} words */
  wait(words) {
    for (const chart of [this.skill, this.coverage, this.evidence]) chart.say(words);
    for (const name of ["skill", "coverage", "evidence"]) syncRows(`${name}-table`, []);
  }

  /** @param {History} history */
  #skill({ rounds, skill }) {
    const at = lastNumber(skill.value);
    if (at < 0) {
      syncRows("skill-table", []);
      return this.skill.say(t("skill_wait"));
    }
    const ends = { lo: signedPercent(skill.lo[at]), hi: signedPercent(skill.hi[at]) };
    const words = { n: rounds[at], value: signedPercent(skill.value[at]), ...ends };
    this.skill.draw([rounds, skill.hi, skill.lo, skill.value], t("skill_label", words));
    const filled = chosen(rounds, skill.value).map((i) => ({
      key: String(rounds[i]),
      cells: [
        number(rounds[i]),
        signedPercent(skill.value[i]),
        `${signedPercent(skill.lo[i])} … ${signedPercent(skill.hi[i])}`,
      ],
    }));
    syncRows("skill-table", filled);
  }

  /** @param {History} history */
  #coverage({ rounds, coverage }) {
    const at = lastNumber(coverage);
    if (at < 0) {
      syncRows("coverage-table", []);
      return this.coverage.say(t("coverage_wait"));
    }
    // The range in which chance alone keeps the coverage 19 times in 20 (normal approximation).
    const from = rounds[coverage.findIndex(isNumber)] - 1;
    const reach = rounds.map((round, i) =>
      isNumber(coverage[i]) ? 1.96 * Math.sqrt((PROMISED * (1 - PROMISED)) / Math.max(1, round - from)) : null,
    );
    const high = reach.map((r) => (r === null ? null : Math.min(1, PROMISED + r)));
    const low = reach.map((r) => (r === null ? null : Math.max(0, PROMISED - r)));
    this.coverage.draw(
      [rounds, high, low, coverage],
      t("coverage_label", { n: rounds[at], share: percent(coverage[at]) }),
    );
    const filled = chosen(rounds, coverage).map((i) => ({
      key: String(rounds[i]),
      cells: [number(rounds[i]), percent(coverage[i])],
    }));
    syncRows("coverage-table", filled);
  }

  /** @param {History} history */
  #evidence({ rounds, evidence }) {
    const at = rounds.length - 1;
    const [order, law, forecast] = TESTS.map((name) => e(evidence[name][at]));
    this.evidence.draw(
      [rounds, ...TESTS.map((name) => evidence[name])],
      t("evidence_label", { n: rounds[at], order, law, forecast }),
    );
    this.#toggle();
    const filled = chosen(rounds, evidence.order).map((i) => ({
      key: String(rounds[i]),
      cells: [number(rounds[i]), ...TESTS.map((name) => e(evidence[name][i]))],
    }));
    syncRows("evidence-table", filled);
  }

  #toggle() {
    const { plot } = this.evidence;
    TESTS.forEach((name, index) => {
      const shown = !this.hidden.has(name);
      if (plot && plot.series[index + 1].show !== shown) plot.setSeries(index + 1, { show: shown });
    });
  }
}

/** @returns {Record<string, any>} */
function skillOptions() {
  return {
    scales: { x: { time: false }, y: { range: (/** @type {any} */ u) => around(u.data) } },
    axes: [
      rounds(),
      axis("y", {
        values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => signed(tick)),
      }),
    ],
    series: [{}, edge(), edge(), line({ width: 2 })],
    bands: [{ series: [1, 2], fill: () => colours.band }],
    hooks: {
      drawAxes: [(/** @type {any} */ u) => level(u, { y: 0, stroke: colours.ink, width: 2 })],
    },
  };
}

/** @returns {Record<string, any>} */
function coverageOptions() {
  return {
    scales: { x: { time: false }, y: { range: () => [0.6, 1] } },
    axes: [
      rounds(),
      axis("y", {
        splits: () => [0.6, 0.7, 0.8, 0.9, 1],
        values: () => [0.6, 0.7, 0.8, 0.9, 1].map((tick) => percent(tick, 0)),
      }),
    ],
    series: [{}, edge(), edge(), line({ width: 2 })],
    bands: [{ series: [1, 2], fill: () => colours.band }],
    hooks: {
      drawAxes: [(/** @type {any} */ u) => level(u, { y: PROMISED, stroke: colours.ink, width: 2 })],
    },
  };
}

/** @returns {Record<string, any>} */
function evidenceOptions() {
  const inside = (/** @type {any} */ u) =>
    EVIDENCE_TICKS.filter((tick) => tick >= u.scales.y.min && tick <= u.scales.y.max);
  return {
    scales: {
      x: { time: false },
      y: {
        range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [
          Math.min(Math.log(0.05), Math.max(LEAST, low - 0.3)),
          Math.max(Math.log(130), high + 0.5),
        ],
      },
    },
    axes: [
      rounds(),
      axis("y", {
        ...allTicks,
        splits: inside,
        values: (/** @type {any} */ u) => inside(u).map(tick),
      }),
    ],
    series: [
      {},
      line({ width: 2 }),
      line({ stroke: () => colours.ink, dash: [7, 4] }),
      line({ stroke: () => colours.muted, dash: [2, 3], width: 2 }),
    ],
    hooks: {
      drawAxes: [
        (/** @type {any} */ u) => {
          level(u, { y: 0, stroke: colours.edge });
          level(u, { y: AMBER, stroke: colours.attention, dash: [4, 4] });
        },
      ],
    },
  };
}

/** @returns {Record<string, any>} */
function rounds() {
  return axis("x", {
    space: 70,
    incrs: [1, 2, 5].flatMap((step) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((ten) => step * ten)).sort((a, b) => a - b),
    values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => number(tick)),
  });
}

/**
 * Returns a range with zero in the middle. The first intervals are wide and say little, so the last nine
 * tenths decide.
 * @param {Column[]} data rounds, upper and lower ends, values
 * @returns {[number, number]}
 */
function around([xs, high, low]) {
  const from = Math.floor(xs.length / 10);
  const ends = [...high.slice(from), ...low.slice(from)]
    .filter(isNumber)
    .map(Math.abs)
    .sort((a, b) => a - b);
  const reach = Math.max(0.1, 1.1 * (ends[Math.floor(0.9 * (ends.length - 1))] ?? 1));
  return [-reach, reach];
}

/**
 * Selects the rows of the table: few, equally spaced, newest first.
 * @param {number[]} rounds
 * @param {Column} column rows without a value here are left out
 * @returns {number[]} indices
 */
function chosen(rounds, column) {
  const known = rounds
    .map((_, i) => i)
    .filter((i) => isNumber(column[i]))
    .reverse();
  const step = Math.ceil(known.length / ROWS_MAX);
  return known.filter((_, i) => i % step === 0);
}

/** @param {Column} column */
function lastNumber(column) {
  return column.findLastIndex(isNumber);
}

/** @param {number} tick percent */
function signed(tick) {
  return `${tick > 0 ? "+" : ""}${number(tick, Number.isInteger(tick) ? 0 : Number.isInteger(Math.round(tick * 1e6) / 1e5) ? 1 : 2)}\u202f%`;
}

/** @param {number | null} ln */
function e(ln) {
  return isNumber(ln) ? euros(Math.exp(ln)) : "–";
}

/** @param {number} ln */
function tick(ln) {
  const value = Math.exp(ln);
  return value > 1e5
    ? `10${exponent(Math.round(Math.log10(value)))}`
    : number(value, value < 0.05 ? 2 : value < 0.5 ? 1 : 0);
}

/** @param {number} power */
function exponent(power) {
  return String(power).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]);
}
