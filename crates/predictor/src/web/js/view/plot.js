// Row 4: what happened? The rounds as dots on a logarithmic axis, in front of their forecast ranges.

import { attribute, el, show, text } from "../dom.js";
import { clock, number, range, short, times, utc } from "../format.js";
import { t } from "../i18n.js";
import { indexOf } from "../store.js";
import { allTicks, axis, Chart, rem } from "./chart.js";
import { drawBand, drawDots, LOG_TICKS } from "./round_marks.js";
import { startLegendToggles } from "./legend_toggles.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../store.js").RoundStore} RoundStore */
/** @typedef {import("../store.js").NumberedRound} NumberedRound */

/** Multipliers from here on get a short label. */
const LONG = 10_000;

export class RoundPlot {
  #chart;
  /** How many of the newest rounds are shown. @type {number} */
  #count = 200;
  #zoomed = false;
  /** What is drawn. @type {{ rounds: NumberedRound[], step: number }} */
  #view = { rounds: [], step: 1 };
  /** @type {import("../api_types.js").Prediction | null} */
  #next = null;
  /** The number of the selected round, or 0. */
  #read = 0;

  /** @param {RoundStore} store */
  constructor(store) {
    this.store = store;
    this.hidden = startLegendToggles("#rounds-legend", () => this.#chart.redraw());
    this.#chart = new Chart("plot", () => this.#options());
    const { box } = this.#chart;
    box.addEventListener("keydown", (event) => this.#key(event));
    el("zoom-reset").addEventListener("click", () => this.#fit());
    this.#readOut(undefined);
  }

  /** @param {number} count of the newest rounds; `Infinity` shows all */
  choose(count) {
    this.#count = count;
    this.#zoomed = false;
    this.update(this.#next);
  }

  /** @param {import("../api_types.js").Prediction | null} next the open forecast */
  update(next) {
    this.#next = next;
    this.#view = this.store.view(this.#count);
    const { rounds } = this.#view;
    if (rounds.length === 0) {
      text("coverage", "\u00a0");
      return this.#chart.say(t("plot_none"));
    }
    this.#chart.draw(
      [rounds.map(({ round }) => round), rounds.map(({ multiplier }) => multiplier)],
      this.#words(),
      false,
    );
    if (!this.#zoomed) this.#fit();
    this.#readOut(this.#selectedRound());
  }

  /** Resets the zoom to the chosen range, which includes the next round. */
  #fit() {
    this.#zoomed = false;
    show("zoom-reset", false);
    const { last } = this.store;
    const count = Math.min(this.#count, Math.max(20, last - this.#view.rounds[0].round + 1));
    this.#chart.plot?.setScale("x", { min: Math.max(0, last - count) + 0.25, max: last + 1.75 });
  }

  /** @returns {string} describes the plot in words */
  #words() {
    const { rounds, step } = this.#view;
    const shown = rounds.slice(indexOf(rounds, this.store.last - this.#count + 1));
    const sorted = shown.map((round) => round.multiplier).sort((a, b) => a - b);
    // A thinned view keeps extremes, so no statistics can be computed from it.
    if (step > 1) {
      const words = { n: this.store.last, run: Math.round(2 * step), max: times(sorted.at(-1)) };
      text("coverage", t("thinned_say", words));
      return t("plot_label_thinned", words);
    }
    const scored = shown.filter((round) => round.inside !== null);
    const inside = scored.filter((round) => round.inside).length;
    text("coverage", scored.length > 0 ? t("coverage_say", { n: scored.length, inside }) : "\u00a0");
    const median = times(sorted[Math.floor(sorted.length / 2)]);
    return t("plot_label", {
      n: shown.length,
      median,
      max: times(sorted.at(-1)),
      inside,
      scored: scored.length,
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { rounds } = this.#view;
    const from = this.#read === 0 ? rounds.length : indexOf(rounds, this.#read);
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: rounds.length - 1 };
    if (event.key === "Escape") {
      if (rounds.length > 0) this.#fit();
      this.#readOut(undefined);
      this.#chart.redraw();
    } else if (event.key in moves) {
      event.preventDefault();
      this.#readOut(rounds[Math.min(rounds.length - 1, Math.max(0, moves[event.key]))]);
      this.#chart.redraw();
    }
  }

  /** @returns {NumberedRound | undefined} */
  #selectedRound() {
    const { rounds } = this.#view;
    const round = this.#read === 0 ? undefined : rounds[indexOf(rounds, this.#read)];
    return round?.round === this.#read ? round : undefined;
  }

  /** @param {NumberedRound | undefined} round `undefined` shows the hint */
  #readOut(round) {
    this.#read = round?.round ?? 0;
    if (!round) return text("readout", t("plot_hint"), "");
    const words = {
      round: number(round.round),
      time: clock(round.time),
      multiplier: times(round.multiplier),
    };
    const parts = [t("readout", words)];
    if (round.lo !== null) parts.push(t("readout_range", { range: range(round.lo, round.hi) }));
    if (round.inside !== null) parts.push(`${t("held").toLowerCase()}: ${t(round.inside ? "held_yes" : "held_no")}`);
    text("readout", parts.join(" · "), utc(round.time));
  }

  /** @returns {Record<string, any>} */
  #options() {
    const ticks = (/** @type {any} */ u) => LOG_TICKS.filter((tick) => tick <= u.scales.y.max);
    return {
      padding: [8, Math.round(1.7 * rem()), 0, 0],
      scales: {
        x: { time: false, auto: false },
        y: {
          distr: 3,
          log: 10,
          range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ top) => [
            0.94,
            Math.max(10, top) * 1.25,
          ],
        },
      },
      axes: [
        axis("x", {
          space: 80,
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
          ],
          values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((tick) => number(tick)),
        }),
        axis("y", {
          ...allTicks,
          splits: ticks,
          values: (/** @type {any} */ u) => spaced(u, ticks(u)),
        }),
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: {
        x: true,
        y: false,
        points: { show: false },
        drag: { x: true, y: false, dist: 8 },
        bind: { dblclick: () => () => this.#fit() },
      },
      hooks: {
        drawAxes: [
          (/** @type {any} */ u) =>
            !this.hidden.has("range") && drawBand(u, { rounds: this.#view.rounds, next: this.#next }),
        ],
        draw: [(/** @type {any} */ u) => drawDots(u, { ...this.#view, read: this.#read, hidden: this.hidden })],
        setSelect: [(/** @type {any} */ u) => this.#onSelect(u)],
        setScale: [(/** @type {any} */ u, /** @type {string} */ name) => name === "x" && this.#onScale(u)],
        setCursor: [(/** @type {any} */ u) => this.#onCursor(u)],
      },
    };
  }

  /** @param {any} u */
  #onSelect(u) {
    if (u.select.width <= 0) return;
    this.#zoomed = true;
    show("zoom-reset", true);
  }

  /** Publishes the visible range, for tools and tests. @param {any} u */
  #onScale(u) {
    attribute("plot", "data-x-min", String(u.scales.x.min));
    attribute("plot", "data-x-max", String(u.scales.x.max));
  }

  /** @param {any} u */
  #onCursor(u) {
    if (u.cursor.left < 0 || u.cursor.idx === null || u.cursor.idx === undefined) return;
    const round = this.#view.rounds[u.cursor.idx];
    if (!round || round.round === this.#read) return;
    this.#readOut(round);
    u.redraw(false);
  }
}

/**
 * Labels the ticks of the multiplier axis; when they crowd, only powers of ten.
 * @param {any} u
 * @param {number[]} ticks
 * @returns {string[]}
 */
function spaced(u, ticks) {
  const crowded = u.bbox.height / devicePixelRatio / ticks.length < 16;
  return ticks.map((tick) =>
    crowded && !/^10*$/.test(String(tick)) ? "" : `${tick < LONG ? number(tick) : short(tick)}×`,
  );
}
