// Draws on the plot of rounds: the forecast ranges, and each round with the hue and shape of its multiplier band.

import { colours } from "./chart.js";

/** @typedef {import("../store.js").NumberedRound} NumberedRound */

export const LOG_TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000, 1000000];

/**
 * @param {number} multiplier
 * @returns {"low" | "mid" | "high"}
 */
export function bandOf(multiplier) {
  return multiplier < 2 ? "low" : multiplier < 10 ? "mid" : "high";
}

/**
 * Draws the forecast ranges as a stepped band, and the open forecast at the right edge.
 * @param {any} u the plot: round numbers and multipliers
 * @param {{ rounds: NumberedRound[], next: import("../api_types.js").Prediction | null }} shown
 */
export function drawBand(u, { rounds, next }) {
  const { ctx } = u;
  clipped(u, () => {
    ctx.fillStyle = colours.band;
    let left = rounds.length > 0 ? rounds[0].round - 0.5 : 0;
    rounds.forEach(({ round, lo, hi }, index) => {
      // When the server has thinned the rounds, a column reaches half way to its neighbour.
      const right = index + 1 < rounds.length ? (round + rounds[index + 1].round) / 2 : round + 0.5;
      if (lo !== null && hi !== null) ctx.fillRect(...box(u, [left, right], [lo, hi]));
      left = right;
    });
    if (!next || rounds.length === 0) return;
    const { lo, hi } = next.interval;
    const open = box(u, [left, left + 1], [lo, hi]);
    ctx.fillRect(...open);
    ctx.strokeStyle = colours.edge;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.strokeRect(...open);
    ctx.setLineDash([]);
  });
}

/**
 * @param {any} u
 * @param {[number, number]} rounds from, to
 * @param {[number, number]} range low, high
 * @returns {[number, number, number, number]} left, top, width, height in canvas pixels
 */
function box(u, [from, to], [low, high]) {
  const left = Math.round(u.valToPos(from, "x", true));
  const right = Math.round(u.valToPos(to, "x", true));
  const top = u.valToPos(Math.min(high, u.scales.y.max), "y", true);
  const bottom = u.valToPos(Math.max(low, u.scales.y.min), "y", true);
  return [left, top, right - left, bottom - top];
}

/**
 * @param {any} u
 * @param {{ rounds: NumberedRound[], step: number, read: number, hidden: Set<string> }} shown `read` is the number of the selected round, or 0
 */
export function drawDots(u, { rounds, step, read, hidden }) {
  const { ctx } = u;
  const { min, max } = u.scales.x;
  const seen = rounds.filter(
    (round) => round.round >= min && round.round <= max && !hidden.has(bandOf(round.multiplier)),
  );
  const room = u.bbox.width / devicePixelRatio / Math.min(max - min, Math.max(20, seen.length));
  const radius = devicePixelRatio * Math.min(5, Math.max(room > 2 ? 3 : 2, 0.32 * room));
  // A thinned view keeps the extremes, nearly all of them outside their range, so rings would say
  // nothing.
  const ringed = step === 1 && !hidden.has("out");
  clipped(u, () => {
    for (const { round, multiplier, inside } of seen) {
      const x = u.valToPos(round, "x", true);
      const y = u.valToPos(multiplier, "y", true);
      const band = bandOf(multiplier);
      ctx.fillStyle = colours[band];
      mark(ctx, band, [x, y, radius]);
      ctx.fill();
      if (inside === false && ringed) ring(ctx, [x, y, radius + 2.5 * devicePixelRatio], colours.ink);
      if (round === read) ring(ctx, [x, y, radius + 5 * devicePixelRatio], colours.muted);
    }
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {"low" | "mid" | "high"} band
 * @param {[number, number, number]} place x, y and radius
 */
function mark(ctx, band, [x, y, radius]) {
  ctx.beginPath();
  if (band === "low") {
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const r = radius * 1.25;
  ctx.moveTo(x, y - r);
  if (band === "mid") {
    ctx.lineTo(x + r, y + 0.8 * r);
    ctx.lineTo(x - r, y + 0.8 * r);
  } else {
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
  }
  ctx.closePath();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {[number, number, number]} place x, y and radius
 * @param {string} stroke
 */
function ring(ctx, [x, y, radius], stroke) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.strokeStyle = stroke;
  ctx.stroke();
}

/**
 * @param {any} u
 * @param {() => void} draw
 */
function clipped(u, draw) {
  const { ctx, bbox } = u;
  const margin = 6 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top - margin, bbox.width + margin, bbox.height + 2 * margin);
  ctx.clip();
  draw();
  ctx.restore();
}
