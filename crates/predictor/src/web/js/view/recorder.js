// Row 6, lower part: the events of the collector's event files, on a time line and as a list.

import { syncRows, text } from "../dom.js";
import { clock, isNumber, number, tickTime, utc } from "../format.js";
import { t } from "../i18n.js";
import { allTicks, axis, Chart, colours } from "./chart.js";

/** @typedef {import("../api_types.js").Recorded} Recorded */
/** @typedef {import("../api_types.js").RecordedEvent} RecordedEvent */

/** From top to bottom: what matters most to a reader of the data comes first. */
const LANES = /** @type {const} */ (["gap", "weak", "conflict", "reset", "reconnect", "backfill", "start", "stop"]);
/** Lanes that are always shown, so that "none" is visible. */
const ALWAYS = new Set(["gap", "reconnect", "backfill"]);
const TROUBLE = new Set(["gap", "weak", "conflict", "reset"]);
const ROWS_MAX = 100;
const DAY = 86_400;

export class RecorderPlot {
  constructor() {
    /** @type {Recorded | null} */
    this.answer = null;
    /** @type {string[]} */
    this.lanes = [];
    this.chart = new Chart("recorder-plot", () => this.#options());
    this.chart.say(t("panel_wait"));
  }

  /** @param {Recorded | null} answer `null` when this predictor does not read event files */
  show(answer) {
    this.answer = answer;
    const events = answer?.events ?? [];
    syncRows("recorder-table", rows(events));
    text("recorder-say", answer ? totals(answer.totals) : "\u00a0");
    if (events.length === 0) return this.chart.say(t(answer ? "recorder_none" : "panel_unsupported"));
    const kinds = new Set(events.map((event) => event.kind));
    this.lanes = LANES.filter((kind) => kinds.has(kind) || ALWAYS.has(kind));
    const points = events
      .map((event) => [Date.parse(event.time) / 1000, this.lanes.length - 1 - this.lanes.indexOf(event.kind)])
      .filter(([, lane]) => lane < this.lanes.length)
      .sort((a, b) => a[0] - b[0]);
    const label = t("recorder_label", { totals: totals(answer?.totals ?? {}) });
    this.chart.draw([points.map(([time]) => time), points.map(([, lane]) => lane)], label);
  }

  refresh() {
    if (this.answer) this.show(this.answer);
  }

  /** @returns {Record<string, any>} */
  #options() {
    const splits = () => this.lanes.map((_, index) => index);
    const names = () => this.lanes.toReversed().map((kind) => t(/** @type {any} */ (`event_${kind}`)));
    return {
      scales: {
        x: {
          time: true,
          range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => wide(low, high),
        },
        y: { range: () => [-0.6, this.lanes.length - 0.4] },
      },
      axes: [
        axis("x", {
          space: 80,
          values: (/** @type {any} */ u, /** @type {number[]} */ ticks) =>
            ticks.map((tick) => tickTime(tick, u.scales.x.max - u.scales.x.min > 2 * DAY)),
        }),
        axis("y", { ...allTicks, splits, values: names, size: 108 }),
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [(/** @type {any} */ u) => this.#marks(u)] },
    };
  }

  /** Draws a bar for each event, and a triangle where rounds may be missing. @param {any} u */
  #marks(u) {
    const { ctx } = u;
    const [times, lanes] = u.data;
    const half = 6 * devicePixelRatio;
    ctx.save();
    for (let index = 0; index < times.length; index += 1) {
      const x = Math.round(u.valToPos(times[index], "x", true));
      const y = u.valToPos(lanes[index], "y", true);
      const kind = this.lanes[this.lanes.length - 1 - lanes[index]];
      ctx.beginPath();
      if (TROUBLE.has(kind)) {
        ctx.fillStyle = colours.attention;
        ctx.moveTo(x, y - half);
        ctx.lineTo(x + half, y + half);
        ctx.lineTo(x - half, y + half);
      } else {
        ctx.fillStyle = kind === "backfill" ? colours.accent : colours.edge;
        ctx.rect(x - devicePixelRatio, y - half, 2 * devicePixelRatio, 2 * half);
      }
      ctx.fill();
    }
    ctx.restore();
  }
}

/**
 * Adds a margin to a time range, at least a minute on each side.
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function wide(low, high) {
  const margin = Math.max(60, 0.03 * (high - low));
  return [low - margin, high + margin];
}

/**
 * @param {Record<string, number>} counts
 * @returns {string}
 */
function totals(counts) {
  const some = LANES.filter((kind) => ALWAYS.has(kind) || counts[kind] > 0).filter(
    (kind) => kind !== "start" && kind !== "stop",
  );
  return some.map((kind) => `${t(/** @type {any} */ (`event_${kind}`))} ${number(counts[kind] ?? 0)}`).join(" · ");
}

/**
 * Returns the rows of the table; consecutive back-filled rounds share one.
 * @param {RecordedEvent[]} events newest first
 * @returns {import("../dom.js").Row[]}
 */
function rows(events) {
  /** @type {{ event: RecordedEvent, count: number }[]} */
  const groups = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last && last.event.kind === "backfill" && event.kind === "backfill" && last.event.file === event.file)
      last.count += 1;
    else groups.push({ event, count: 1 });
  }
  const used = new Map();
  return groups.slice(0, ROWS_MAX).map(({ event, count }) => {
    const name = `${event.time} ${event.kind}`;
    const nth = (used.get(name) ?? 0) + 1;
    used.set(name, nth);
    const kind = t(/** @type {any} */ (`event_${event.kind}`));
    return {
      key: `${name} ${nth}`,
      cells: [
        { text: clock(event.time), title: utc(event.time) },
        {
          text: count > 1 ? `${kind} × ${number(count)}` : kind,
          className: TROUBLE.has(event.kind) ? "attention" : "",
        },
        { text: event.source, className: "" },
        { text: details(event.detail), className: "wrap" },
      ],
    };
  });
}

/**
 * Returns the details of an event, in the collector's own words.
 * @param {Record<string, unknown> | null | undefined} detail
 * @returns {string}
 */
function details(detail) {
  if (!detail) return "\u00a0";
  const parts = [detail.reason, detail.error].filter((part) => typeof part === "string" && part !== "");
  if (isNumber(detail.after_s)) parts.push(t("event_after", { s: detail.after_s }));
  if (isNumber(detail.attempts) && detail.attempts > 1) parts.push(t("event_attempts", { n: detail.attempts }));
  return parts.length > 0 ? parts.join(", ") : "\u00a0";
}
