// Reliability diagram: the forecast probability on one axis, the observed frequency on the other.

import { syncRows } from "../dom.js";
import { number, percent, times } from "../format.js";
import { t } from "../i18n.js";
import { axis, Chart, colours, line } from "./chart.js";

/** @typedef {import("../api_types.js").ReliabilityRow} ReliabilityRow */

/** A group of fewer rounds says little, and is drawn faint. */
const FEW = 30;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export class ReliabilityPlot {
  constructor() {
    /** @type {ReliabilityRow[]} */
    this.rows = [];
    this.chart = new Chart("reliability-plot", () => this.#options());
  }

  /** @param {ReliabilityRow[]} rows */
  update(rows) {
    this.rows = rows;
    const filled = rows.map((row) => ({
      key: `${row.target} ${row.from}`,
      cells: [
        times(row.target),
        number(row.rounds),
        percent(row.forecast),
        percent(row.observed.value),
        `${percent(row.observed.lo)} – ${percent(row.observed.hi)}`,
      ],
    }));
    syncRows("reliability-table", filled);
    if (rows.length === 0) return this.chart.say(t("reliability_none"));
    const held = rows.filter((row) => row.observed.lo <= row.forecast && row.forecast <= row.observed.hi).length;
    this.chart.draw(
      [
        [0, 1],
        [0, 1],
      ],
      t("reliability_label", { held, n: rows.length }),
    );
  }

  /** @returns {Record<string, any>} */
  #options() {
    const ticks = { splits: () => TICKS, values: () => TICKS.map((tick) => percent(tick, 0)) };
    return {
      scales: { x: { time: false, range: () => [0, 1] }, y: { range: () => [0, 1] } },
      axes: [axis("x", ticks), axis("y", ticks)],
      series: [{}, line({ stroke: () => colours.ink, dash: [6, 5] })],
      hooks: { draw: [(/** @type {any} */ u) => this.#marks(u)] },
    };
  }

  /** Draws each group as a point with its interval. @param {any} u */
  #marks(u) {
    const { ctx } = u;
    ctx.save();
    ctx.strokeStyle = colours.accent;
    ctx.fillStyle = colours.accent;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    for (const row of this.rows) {
      ctx.globalAlpha = row.rounds < FEW ? 0.4 : 1;
      const x = u.valToPos(row.forecast, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, u.valToPos(row.observed.lo, "y", true));
      ctx.lineTo(x, u.valToPos(row.observed.hi, "y", true));
      ctx.stroke();
      ctx.beginPath();
      ctx.arc(x, u.valToPos(row.observed.value, "y", true), 4 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }
}
