// What all plots share: size, theme, axes, and a text in place of a plot without data.

import { attribute, el, make, show, text } from "../dom.js";
import { colour, onThemeChange } from "../theme.js";

/** The vendored plot library is a classic script and lives in the global scope. @type {any} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** @returns {Record<"ink" | "muted" | "grid" | "surface" | "band" | "edge" | "accent" | "low" | "mid" | "high" | "attention", string>} */
function palette() {
  return {
    ink: colour("--ink"),
    muted: colour("--muted"),
    grid: colour("--grid"),
    surface: colour("--surface"),
    band: colour("--band"),
    edge: colour("--line-strong"),
    accent: colour("--accent"),
    low: colour("--low"),
    mid: colour("--mid"),
    high: colour("--high"),
    attention: colour("--attention"),
  };
}

/** Shared by all plots, and read from the style sheet once per theme. */
export const colours = palette();
onThemeChange(() => Object.assign(colours, palette()));

/**
 * Returns the options of an axis; `more` sets its ticks and labels.
 * @param {"x" | "y"} side
 * @param {Record<string, any>} more
 * @returns {Record<string, any>}
 */
export function axis(side, more) {
  return {
    stroke: () => colours.muted,
    grid: { stroke: () => colours.grid, width: 1 },
    ticks: { show: false },
    font: `${Math.round(0.75 * rem())}px ${FONT}`,
    ...(side === "x" ? { size: Math.round(1.9 * rem()) } : { size: Math.round(3.5 * rem()), gap: 6 }),
    ...more,
  };
}

/** @returns {number} pixels */
export function rem() {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/**
 * Returns the options of a curve; `more` adds to them.
 * @param {Record<string, any>} more
 * @returns {Record<string, any>}
 */
export function line(more) {
  return { stroke: () => colours.accent, width: 1.5, points: { show: false }, ...more };
}

/** @returns {Record<string, any>} the options of an edge of a band, which is not drawn */
export function edge() {
  return line({ stroke: () => "transparent", width: 0 });
}

/** Shows every tick of an axis whose ticks are given. */
export const allTicks = {
  filter: (/** @type {any} */ _, /** @type {number[]} */ splits) => splits,
};

export class Chart {
  /** @type {any} created with the first data, when its width is known */
  #plot;
  /** @type {HTMLElement} */
  #missing;

  /**
   * @param {string} id of the box
   * @param {() => Record<string, any>} options of the library, without those that all plots share
   */
  constructor(id, options) {
    this.box = el(id);
    this.options = options;
    this.#missing = make("p", "missing muted");
    this.#missing.hidden = true;
    this.box.append(this.#missing);
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(this.box);
    onThemeChange(() => this.#plot?.redraw(true, true));
  }

  /** @returns {any} the library's plot, if there is one yet */
  get plot() {
    return this.#plot;
  }

  /**
   * @param {any[]} data columns
   * @param {string} label describes the plot to a screen reader
   * @param {boolean} [rescale] whether the axes follow the data
   */
  draw(data, label, rescale = true) {
    show(this.#missing, false);
    attribute(this.box, "data-empty", null);
    attribute(this.box, "aria-label", label);
    attribute(this.box, "data-points", String(data[0].length));
    if (this.#plot) {
      this.#plot.setData(data, rescale);
      if (!rescale) this.#plot.redraw();
    } else {
      this.#plot = new uPlot(this.#options(), data, this.box);
    }
  }

  /** Shows a text in place of the plot. @param {string} words */
  say(words) {
    text(this.#missing, words);
    show(this.#missing, true);
    attribute(this.box, "data-empty", "");
    attribute(this.box, "aria-label", words);
    attribute(this.box, "data-points", null);
  }

  redraw() {
    this.#plot?.redraw(false, true);
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  /** @returns {any} */
  #options() {
    return {
      ...this.#size(),
      padding: [8, Math.round(1.7 * rem()), 0, 0],
      legend: { show: false },
      cursor: { show: false },
      ...this.options(),
    };
  }
}

/**
 * Draws a horizontal line over the whole width.
 * @param {any} u
 * @param {{ y: number, stroke: string, width?: number, dash?: number[] }} line
 */
export function level(u, { y, stroke, width = 1.5, dash = [] }) {
  const { ctx, bbox } = u;
  const at = Math.round(u.valToPos(y, "y", true));
  if (at < bbox.top || at > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, at);
  ctx.lineTo(bbox.left + bbox.width, at);
  ctx.stroke();
  ctx.restore();
}
