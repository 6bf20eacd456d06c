// What is drawn on the plot of rounds: the band, and a mark of its own hue and shape for each band of multipliers.

/** @typedef {{ ink: string, muted: string, grid: string, surface: string, band: string, edge: string, low: string, mid: string, high: string }} Palette */

/** @typedef {import("../contract.js").RecentRound} RecentRound */

export const LOG_TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000, 1000000];

/**
 * @param {number} multiplier
 * @returns {"low" | "mid" | "high"}
 */
export function bandOf(multiplier) {
  return multiplier < 2 ? "low" : multiplier < 10 ? "mid" : "high";
}

/**
 * The forecast ranges as a stepped band, and the open one at the right edge.
 * @param {any} u the plot: round numbers and multipliers
 * @param {Palette} colours
 * @param {{ rounds: RecentRound[], next: import("../contract.js").Prediction | null }} shown
 */
export function drawBand(u, colours, { rounds, next }) {
  const { ctx } = u;
  const [xs] = u.data;
  clipped(u, () => {
    ctx.fillStyle = colours.band;
    rounds.forEach(({ lo, hi }, index) => {
      if (lo !== null && hi !== null) column(u, xs[index], lo, hi);
    });
    if (!next || xs.length === 0) return;
    const { lo, hi } = next.interval;
    const x = xs[xs.length - 1] + 1;
    column(u, x, lo, hi);
    ctx.strokeStyle = colours.edge;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.strokeRect(...box(u, x, lo, hi));
    ctx.setLineDash([]);
  });
}

/**
 * @param {any} u
 * @param {number} x
 * @param {number} low
 * @param {number} high
 * @returns {[number, number, number, number]} left, top, width, height in canvas pixels
 */
function box(u, x, low, high) {
  const left = Math.round(u.valToPos(x - 0.5, "x", true));
  const right = Math.round(u.valToPos(x + 0.5, "x", true));
  const top = u.valToPos(Math.min(high, u.scales.y.max), "y", true);
  const bottom = u.valToPos(Math.max(low, u.scales.y.min), "y", true);
  return [left, top, right - left, bottom - top];
}

/**
 * @param {any} u
 * @param {number} x
 * @param {number} low
 * @param {number} high
 */
function column(u, x, low, high) {
  u.ctx.fillRect(...box(u, x, low, high));
}

/**
 * @param {any} u
 * @param {Palette} colours
 * @param {{ rounds: RecentRound[], read: number }} shown `read` is the index that is read out, or -1
 */
export function drawDots(u, colours, { rounds, read }) {
  const { ctx } = u;
  const [xs, ys] = u.data;
  const { min, max } = u.scales.x;
  const room = u.bbox.width / devicePixelRatio / (max - min);
  const radius = devicePixelRatio * Math.min(5, Math.max(room > 2 ? 3 : 2, 0.32 * room));
  clipped(u, () => {
    for (let index = 0; index < xs.length; index += 1) {
      if (xs[index] < min || xs[index] > max) continue;
      const x = u.valToPos(xs[index], "x", true);
      const y = u.valToPos(ys[index], "y", true);
      const band = bandOf(ys[index]);
      ctx.fillStyle = colours[band];
      mark(ctx, band, [x, y, radius]);
      ctx.fill();
      if (rounds[index]?.inside === false) ring(ctx, [x, y, radius + 2.5 * devicePixelRatio], colours.ink);
      if (index === read) ring(ctx, [x, y, radius + 5 * devicePixelRatio], colours.muted);
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
