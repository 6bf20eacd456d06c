// Row 6, upper part: what the data are like, and how often rounds reach a multiplier beside the house's law.

import { attribute, el, syncRows, text } from "../dom.js";
import { figure, percent, times } from "../format.js";
import { t } from "../i18n.js";
import { colour, onThemeChange } from "../theme.js";

/** @typedef {import("../contract.js").Status} Status */
/** @typedef {import("../contract.js").RecentRound} RecentRound */

/** @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

/** The house keeps 3 %: P(M ≥ x) = 0.97 / x. */
const HOUSE = 0.97;
const STEPS = 80;
/** From 1.01 to 100, evenly on the logarithmic axis. */
const GRID = Array.from({ length: STEPS + 1 }, (_, index) => 1.01 * (100 / 1.01) ** (index / STEPS));
const TABLE = [1.5, 2, 3, 5, 10, 20, 50, 100];
const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** @param {Status} status */
export function renderStatistics(status) {
  const { statistics } = status;
  text("stats-rounds", t("n_rounds", { n: status.csv_records }));
  text("s-median", times(statistics?.median), t("median_title"));
  text("s-mean", times(statistics?.mean), t("mean_title"));
  text("s-std", figure(statistics?.std), t("mean_title"));
  text("s-min", times(statistics?.min));
  text("s-max", times(statistics?.max));
}

export class LawPlot {
  constructor() {
    this.box = el("law-plot");
    this.colours = palette();
    this.plot = new uPlot(this.#options(), [GRID, [], []], this.box);
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(this.box);
    onThemeChange(() => {
      this.colours = palette();
      this.plot.redraw(true, true);
    });
  }

  /** @param {RecentRound[]} rounds */
  update(rounds) {
    const sorted = rounds.map((round) => round.multiplier).sort((a, b) => a - b);
    const seen = GRID.map((x) => share(sorted, x) || null);
    this.plot.setData([GRID, seen, GRID.map((x) => HOUSE / x)]);
    text("law-seen", t("law_seen", { n: rounds.length }));
    const at = { seen: percent(share(sorted, 2)), house: percent(HOUSE / 2) };
    attribute(this.box, "aria-label", t("law_label", at));
    const rows = TABLE.map((x) => ({
      key: String(x),
      cells: [times(x), rounds.length > 0 ? percent(share(sorted, x)) : "–", percent(HOUSE / x)],
    }));
    syncRows(/** @type {Element} */ (el("law-table").querySelector("tbody")), rows);
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  /** @returns {any} */
  #options() {
    const axis = {
      stroke: () => this.colours.muted,
      grid: { stroke: () => this.colours.grid, width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
      filter: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits,
    };
    return {
      ...this.#size(),
      padding: [8, 20, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, distr: 3, log: 10, range: () => [1, 100] },
        y: { distr: 3, log: 10, range: () => [0.0085, 1.1] },
      },
      axes: [
        { ...axis, size: 28, splits: () => [1, 2, 5, 10, 20, 50, 100], values: () => [1, 2, 5, 10, 20, 50, 100].map((x) => `${x}×`) },
        { ...axis, size: 48, gap: 6, splits: () => SHARES, values: () => SHARES.map((share) => percent(share, 0)) },
      ],
      series: [
        {},
        { stroke: () => this.colours.accent, width: 2, points: { show: false } },
        { stroke: () => this.colours.ink, width: 1.5, dash: [6, 5], points: { show: false } },
      ],
      cursor: { show: false },
    };
  }
}

/**
 * @param {number[]} sorted ascending
 * @param {number} x
 * @returns {number} the share that is at least `x`, on cents
 */
function share(sorted, x) {
  if (sorted.length === 0) return 0;
  const from = sorted.findIndex((multiplier) => multiplier >= x - 1e-9);
  return from < 0 ? 0 : (sorted.length - from) / sorted.length;
}

function palette() {
  return { ink: colour("--ink"), muted: colour("--muted"), grid: colour("--grid"), accent: colour("--accent") };
}
