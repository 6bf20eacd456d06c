// Did rounds come as often as was said? What was said on one axis, what came on the other.

import { attribute, el, syncRows } from "../dom.js";
import { number, percent, times } from "../format.js";
import { t } from "../i18n.js";
import { colour, onThemeChange } from "../theme.js";

/** @typedef {import("../contract.js").ReliabilityRow} ReliabilityRow */

/** @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;
/** A group of fewer rounds says little, and is drawn so. */
const FEW = 30;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export class ReliabilityPlot {
  constructor() {
    /** @type {ReliabilityRow[]} */
    this.rows = [];
    this.box = el("reliability-plot");
    this.colours = palette();
    this.plot = new uPlot(this.#options(), [[0, 1], [0, 1]], this.box);
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(this.box);
    onThemeChange(() => {
      this.colours = palette();
      this.plot.redraw(true, true);
    });
  }

  /** @param {ReliabilityRow[]} rows */
  update(rows) {
    this.rows = rows;
    this.plot.redraw(false, true);
    const held = rows.filter((row) => row.came.lo <= row.said && row.said <= row.came.hi).length;
    attribute(this.box, "aria-label", t("reliability_label", { held, n: rows.length }));
    const filled = rows.map((row) => ({
      key: `${row.target} ${row.from}`,
      cells: [
        times(row.target),
        number(row.rounds),
        percent(row.said),
        percent(row.came.value),
        `${percent(row.came.lo)} – ${percent(row.came.hi)}`,
      ],
    }));
    syncRows(/** @type {Element} */ (el("reliability-table").querySelector("tbody")), filled);
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
      splits: () => TICKS,
      values: () => TICKS.map((tick) => percent(tick, 0)),
    };
    return {
      ...this.#size(),
      padding: [8, 20, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: () => [0, 1] }, y: { range: () => [0, 1] } },
      axes: [{ ...axis, size: 28 }, { ...axis, size: 48, gap: 6 }],
      series: [{}, { stroke: () => this.colours.ink, width: 1.5, dash: [6, 5], points: { show: false } }],
      cursor: { show: false },
      hooks: { draw: [(/** @type {any} */ u) => this.#marks(u)] },
    };
  }

  /** A point with the ends of its interval for each bin. @param {any} u */
  #marks(u) {
    const { ctx } = u;
    ctx.save();
    ctx.strokeStyle = this.colours.accent;
    ctx.fillStyle = this.colours.accent;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    for (const row of this.rows) {
      ctx.globalAlpha = row.rounds < FEW ? 0.4 : 1;
      const x = u.valToPos(row.said, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, u.valToPos(row.came.lo, "y", true));
      ctx.lineTo(x, u.valToPos(row.came.hi, "y", true));
      ctx.stroke();
      ctx.beginPath();
      ctx.arc(x, u.valToPos(row.came.value, "y", true), 4 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }
}

function palette() {
  return { ink: colour("--ink"), muted: colour("--muted"), grid: colour("--grid"), accent: colour("--accent") };
}
