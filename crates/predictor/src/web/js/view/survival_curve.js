// Row 6, upper part: statistics of the data, and the survival curve: how often rounds reach a multiplier,
// beside the house's law.

import { syncRows, text } from "../dom.js";
import { figure, isNumber, number, percent, short, times } from "../format.js";
import { t } from "../i18n.js";
import { allTicks, axis, Chart, colours, edge, line } from "./chart.js";
import { LOG_TICKS } from "./round_marks.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").DistributionPoint} Point */
/** @typedef {import("../store.js").RoundStore} RoundStore */

const STEPS = 60;
/** From 1.01 to 100 in equal steps on the logarithmic axis. */
const GRID = Array.from({ length: STEPS + 1 }, (_, index) => 1.01 * (100 / 1.01) ** (index / STEPS));
const TABLE_MAX = 12;
const SHARES = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1];

/** @param {Status} status */
export function renderStatistics(status) {
  const { statistics } = status;
  const returns = status.game.return;
  // The median lies on the grid of hundredths.
  const median = times(Math.floor(200 * returns + 1e-9) / 100);
  const title = t("return_title", { r: percent(returns) });
  text("law-house", t("law_house", { r: number(returns, 2) }));
  text("stats-rounds", t("n_rounds", { n: status.csv_records }));
  text("s-median", times(statistics?.median), t("median_title", { median }));
  text("s-mean", times(statistics?.mean), t("mean_title"));
  text("s-std", figure(statistics?.std), t("mean_title"));
  text("s-min", times(statistics?.min));
  text("s-max", times(statistics?.max));
  // The first row, of 1.01x, is by far the most precise measure of the return.
  const measured = status.evidence?.measured?.returns[0]?.measured;
  text("s-return", measured ? percent(measured.value) : null, title);
  const ends = measured ? `${percent(measured.lo)} – ${percent(measured.hi)}` : "\u00a0";
  text("s-return-ends", ends, title);
}

export class SurvivalCurve {
  constructor() {
    this.chart = new Chart("law-plot", options);
    /** @type {{ rounds: number, points: Point[] } | null} */
    this.answer = null;
    /** @type {RoundStore | undefined} */
    this.store = undefined;
    /** The return of the game: the house's law is P(M ≥ x) = returns / x. */
    this.returns = 1;
  }

  /** @param {{ rounds: number, points: Point[] } | null} answer `null` when this predictor has no such route */
  show(answer) {
    this.answer = answer;
    this.update();
  }

  /**
   * Uses the rounds on the page until the server has answered.
   * @param {RoundStore} [store]
   * @param {number} [returns]
   */
  update(store, returns) {
    this.returns = returns ?? this.returns;
    this.store = store ?? this.store;
    const all = this.answer;
    const points = all?.points ?? counted(this.store?.newest(200).map((round) => round.multiplier) ?? [], this.returns);
    const n = all?.rounds ?? Math.min(200, this.store?.rounds.length ?? 0);
    text("law-seen", t(all ? "law_seen_all" : "law_seen", { n }));
    syncRows("law-table", rows(points));
    if (points.length === 0) return this.chart.say(t("law_none"));
    const two = points.findLast((point) => point.multiplier <= 2.005) ?? points[0];
    const label = t("law_label", {
      at: times(two.multiplier),
      seen: percent(two.observed),
      house: percent(two.house),
    });
    const some = (/** @type {"observed" | "lo" | "hi"} */ name) => points.map((point) => point[name] || null);
    this.chart.draw(
      [
        points.map((point) => point.multiplier),
        some("hi"),
        some("lo"),
        some("observed"),
        points.map((point) => point.house),
      ],
      label,
    );
  }
}

/** @returns {Record<string, any>} */
function options() {
  const xTicks = (/** @type {any} */ u) => sparse(LOG_TICKS.filter((tick) => tick <= u.scales.x.max));
  const yTicks = (/** @type {any} */ u) => SHARES.filter((share) => share >= u.scales.y.min);
  return {
    scales: {
      x: {
        time: false,
        distr: 3,
        log: 10,
        range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ top) => [1, Math.max(100, top)],
      },
      y: { distr: 3, log: 10, range: (/** @type {any} */ u) => [0.6 * lowest(u.data), 1.1] },
    },
    axes: [
      axis("x", {
        ...allTicks,
        splits: xTicks,
        values: (/** @type {any} */ u) => xTicks(u).map((x) => `${short(x)}×`),
      }),
      axis("y", {
        ...allTicks,
        splits: yTicks,
        values: (/** @type {any} */ u) => yTicks(u).map(share),
      }),
    ],
    series: [{}, edge(), edge(), line({ width: 2 }), line({ stroke: () => colours.ink, dash: [6, 5] })],
    bands: [{ series: [1, 2], fill: () => colours.band }],
  };
}

/**
 * Returns the bottom of the plot: the smallest observed share, that of one round.
 * @param {(number | null)[][]} data
 * @returns {number}
 */
function lowest([, , , seen]) {
  const least = Math.min(...seen.filter(isNumber));
  return Number.isFinite(least) ? Math.min(0.01, least) : 0.01;
}

/**
 * Returns the powers of ten when there is no room for all ticks.
 * @param {number[]} ticks
 */
function sparse(ticks) {
  return ticks.length > 8 ? ticks.filter((tick) => /^10*$/.test(String(tick))) : ticks;
}

/** @param {number} value */
function share(value) {
  return percent(value, Math.max(0, -Math.round(Math.log10(value)) - 2));
}

/**
 * @param {Point[]} points
 * @returns {import("../dom.js").Row[]}
 */
function rows(points) {
  const step = Math.max(1, Math.ceil(points.length / TABLE_MAX));
  return points
    .filter((_, index) => index % step === 0)
    .map(({ multiplier, observed, lo, hi, house }) => ({
      key: String(multiplier),
      cells: [times(multiplier), digits(observed), isNumber(lo) ? `${digits(lo)} – ${digits(hi)}` : "–", digits(house)],
    }));
}

/** @param {number | null} value a share, shown with two significant digits */
function digits(value) {
  return isNumber(value)
    ? percent(value, value > 0 && value < 0.01 ? Math.min(6, 1 - Math.floor(Math.log10(100 * value))) : 1)
    : "–";
}

/**
 * @param {number[]} multipliers
 * @param {number} returns
 * @returns {Point[]} without intervals
 */
function counted(multipliers, returns) {
  if (multipliers.length === 0) return [];
  const sorted = multipliers.toSorted((a, b) => a - b);
  return GRID.map((x) => {
    const from = sorted.findIndex((multiplier) => multiplier >= x - 1e-9);
    const observed = from < 0 ? 0 : (sorted.length - from) / sorted.length;
    return { multiplier: x, observed, lo: null, hi: null, house: returns / x };
  });
}
