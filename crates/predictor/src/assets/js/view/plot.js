// Row 4: what happened? The rounds as dots on a logarithmic axis, the forecast range behind them.

import { attribute, el, show, text } from "../dom.js";
import { clock, range, times, utc } from "../format.js";
import { t } from "../i18n.js";
import { colour, onThemeChange } from "../theme.js";
import { drawBand, drawDots, LOG_TICKS } from "./marks.js";

/** @typedef {import("../contract.js").Status} Status */
/** @typedef {import("../store.js").RoundStore} RoundStore */

/** The vendored plot library is a classic script and lives in the global scope. @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

export class RoundPlot {
  /** @type {any} */
  #plot;
  /** How many of the newest rounds are in view. @type {number} */
  #count = 200;
  #zoomed = false;
  /** @type {import("../contract.js").Prediction | null} */
  #next = null;
  /** The index that is read out, or -1. */
  #read = -1;

  /** @param {RoundStore} store */
  constructor(store) {
    this.store = store;
    this.box = el("plot");
    this.colours = palette();
    this.#plot = new uPlot(this.#options(), [[], []], this.box);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(this.box);
    onThemeChange(() => this.#repaint());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    el("zoom-reset").addEventListener("click", () => this.#fit());
    this.#readOut(-1);
  }

  /** @param {number} count the newest so many rounds; `Infinity` shows all that are here */
  choose(count) {
    this.#count = count;
    this.update(this.#next);
    this.#fit();
  }

  /** @param {import("../contract.js").Prediction | null} next the open forecast */
  update(next) {
    this.#next = next;
    const { rounds, first } = this.store;
    this.#plot.setData([rounds.map((_, index) => first + index), rounds.map((round) => round.multiplier)], false);
    if (this.#zoomed) this.#plot.redraw();
    else this.#fit();
    this.#label();
    if (this.#read >= 0) this.#readOut(this.#read);
  }

  /** Shows the chosen range again, up to and with the round to come. */
  #fit() {
    this.#zoomed = false;
    show("zoom-reset", false);
    const last = this.store.last;
    const count = Math.min(this.#count, Math.max(20, this.store.rounds.length));
    this.#plot.setScale("x", { min: Math.max(0, last - count) + 0.25, max: last + 1.75 });
  }

  #label() {
    const shown = this.store.newest(this.#count);
    const sorted = shown.map((round) => round.multiplier).sort((a, b) => a - b);
    const scored = shown.filter((round) => round.inside !== null);
    const words = {
      n: shown.length,
      median: times(sorted[Math.floor(sorted.length / 2)]),
      max: times(sorted.at(-1)),
      inside: scored.filter((round) => round.inside).length,
      scored: scored.length,
    };
    attribute(this.box, "aria-label", t("plot_label", words));
    text("coverage", scored.length > 0 ? t("coverage_say", { n: scored.length, inside: words.inside }) : "\u00a0");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const size = this.store.rounds.length;
    const from = this.#read < 0 ? size : this.#read;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: size - 1 };
    if (event.key === "Escape") {
      this.#fit();
      this.#readOut(-1);
    } else if (event.key in moves) {
      event.preventDefault();
      this.#readOut(Math.min(size - 1, Math.max(0, moves[event.key])));
      this.#plot.redraw(false);
    }
  }

  /** @param {number} index of the round to read out, or -1 for the hint */
  #readOut(index) {
    const round = this.store.rounds[index];
    this.#read = round ? index : -1;
    if (!round) return text("readout", t("plot_hint"), "");
    const words = { round: String(this.store.first + index), time: clock(round.time), multiplier: times(round.multiplier) };
    const parts = [t("readout", words)];
    if (round.lo !== null) parts.push(t("readout_range", { range: range(round.lo, round.hi) }));
    if (round.inside !== null) parts.push(`${t("held").toLowerCase()}: ${t(round.inside ? "held_yes" : "held_no")}`);
    text("readout", parts.join(" · "), utc(round.time));
  }

  #repaint() {
    this.colours = palette();
    this.#plot.redraw(false, true);
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
    };
    return {
      ...this.#size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, auto: false },
        y: { distr: 3, log: 10, range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ top) => [0.94, Math.max(10, top) * 1.25] },
      },
      axes: [
        { ...axis, size: 28, space: 80, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
        {
          ...axis,
          size: 56,
          gap: 6,
          splits: (/** @type {any} */ u) => LOG_TICKS.filter((tick) => tick <= u.scales.y.max),
          filter: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits,
          values: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((tick) => `${tick}×`),
        },
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
        drawAxes: [(/** @type {any} */ u) => drawBand(u, this.colours, { rounds: this.store.rounds, next: this.#next })],
        draw: [(/** @type {any} */ u) => drawDots(u, this.colours, { rounds: this.store.rounds, read: this.#read })],
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

  /** What is in view, for tools and tests. @param {any} u */
  #onScale(u) {
    attribute(this.box, "data-x-min", String(u.scales.x.min));
    attribute(this.box, "data-x-max", String(u.scales.x.max));
  }

  /** @param {any} u */
  #onCursor(u) {
    if (u.cursor.left < 0 || u.cursor.idx === null || u.cursor.idx === undefined) return;
    if (u.cursor.idx === this.#read) return;
    this.#readOut(u.cursor.idx);
    u.redraw(false);
  }
}

function palette() {
  return {
    ink: colour("--ink"),
    muted: colour("--muted"),
    grid: colour("--grid"),
    surface: colour("--surface"),
    band: colour("--band"),
    edge: colour("--line-strong"),
    low: colour("--low"),
    mid: colour("--mid"),
    high: colour("--high"),
  };
}
