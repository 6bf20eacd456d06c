// Row 5, the table: the served forecast, each model and each simple rule, scored on the same rounds.

import { el, make, show, syncRows, text } from "../dom.js";
import { figure, isNumber, number, percent, signedPercent } from "../format.js";
import { named, t } from "../i18n.js";
import { ReliabilityPlot } from "./reliability.js";

/** @typedef {import("../api_types.js").Scorecard} Scorecard */
/** @typedef {import("../api_types.js").ScoreRow} ScoreRow */
/** @typedef {import("../api_types.js").Estimate} Estimate */

/** Coverage is best at its nominal level; every other score is better when lower. */
const NOMINAL = new Map([
  ["coverage", 0.8],
  ["coverage90", 0.9],
]);

/** @type {Scorecard | null} */
let shown = null;
/** @type {ReliabilityPlot | undefined} */
let plot;
/** @type {"rows" | "recent" | "fading"} */
let span = "rows";

/** Connects the switch between all rounds, the last 500 and exponential weights. */
export function startScorecard() {
  for (const node of document.querySelectorAll("#span input")) {
    const input = /** @type {HTMLInputElement} */ (node);
    input.addEventListener("change", () => {
      span = /** @type {typeof span} */ (input.value);
      renderScorecard(shown);
    });
  }
}

/** @param {Scorecard | null} card */
export function renderScorecard(card) {
  shown = card;
  const scored = card && card.rounds > 0 ? card : null;
  text("scorecard-say", t("scorecard_say", { n: scored?.rounds ?? 0 }));
  show("scores-part", Boolean(scored));
  table(scored?.[span] ?? scored?.rows ?? [], scored?.columns ?? []);
  skill("house", scored?.skill?.house.shown ?? null);
  skill("climatology", scored?.skill?.climatology.shown ?? null);
  plot ??= new ReliabilityPlot();
  plot.update(scored?.reliability ?? []);
}

/**
 * @param {ScoreRow[]} rows
 * @param {string[]} columns
 */
function table(rows, columns) {
  heads(columns);
  const best = new Map(columns.map((column) => [column, bestOf(rows, column)]));
  const filled = rows.map((row) => ({
    key: String(row.name),
    className: row.name === "served" ? "own" : "",
    cells: [rowName(String(row.name)), ...columns.map((column) => cell(row[column], column, best.get(column)))],
  }));
  syncRows("scores", filled);
}

/**
 * @param {string} name
 * @returns {string}
 */
function rowName(name) {
  return named(`row_${name.replaceAll(" ", "_")}`, name);
}

/**
 * @param {number | string | null | undefined} value
 * @param {string} column
 * @param {string | undefined} best
 * @returns {import("../dom.js").Cell}
 */
function cell(value, column, best) {
  if (!isNumber(value)) return { text: "–" };
  const words = score(value, column);
  return words === best ? { text: words, title: t("best"), className: "num best" } : { text: words, title: "" };
}

/**
 * @param {number} value
 * @param {string} column
 * @returns {string}
 */
function score(value, column) {
  return NOMINAL.has(column) ? percent(value) : figure(value);
}

/** @param {string[]} columns */
function heads(columns) {
  const head = /** @type {Element} */ (el("scores").querySelector("thead tr"));
  while (head.children.length > columns.length + 1) head.lastElementChild?.remove();
  while (head.children.length < columns.length + 1) {
    const node = make("th");
    node.setAttribute("scope", "col");
    head.append(node);
  }
  text(head.children[0], t("forecaster"));
  columns.forEach((column, index) =>
    text(head.children[index + 1], named(column, column), named(`${column}_title`, "")),
  );
}

/**
 * Returns the best value as displayed, so that equal-looking values tie.
 * @param {ScoreRow[]} rows
 * @param {string} column
 * @returns {string | undefined}
 */
function bestOf(rows, column) {
  const nominal = NOMINAL.get(column) ?? -Infinity;
  const values = rows.map((row) => row[column]).filter(isNumber);
  if (values.length < 2) return undefined;
  const distance = (/** @type {number} */ value) => (nominal < 0 ? value : Math.abs(value - nominal));
  return score(
    values.reduce((best, value) => (distance(value) < distance(best) ? value : best)),
    column,
  );
}

/**
 * Draws a bar around the zero line: to its right the forecast is better than the reference, to its left worse.
 * @param {"house" | "climatology"} reference
 * @param {Estimate | null} estimate percent
 */
function skill(reference, estimate) {
  const node = el(`skill-${reference}`);
  const bar = /** @type {HTMLElement} */ (node.querySelector(".interval"));
  const mark = /** @type {HTMLElement} */ (node.querySelector(".estimate"));
  const say = /** @type {Element} */ (node.querySelector(".say"));
  show(bar, Boolean(estimate));
  show(mark, Boolean(estimate));
  if (!estimate) {
    text(say, t("skill_wait"));
    return;
  }
  const reach = Math.max(1, ...[estimate.lo, estimate.hi].map((end) => Math.ceil(1.1 * Math.abs(end))));
  const at = (/** @type {number} */ value) => 50 + (50 * Math.min(reach, Math.max(-reach, value))) / reach;
  bar.style.left = `${at(estimate.lo)}%`;
  bar.style.width = `${at(estimate.hi) - at(estimate.lo)}%`;
  mark.style.left = `${at(estimate.value)}%`;
  text(/** @type {Element} */ (node.querySelector(".least")), `${number(-reach)}\u202f%`);
  text(/** @type {Element} */ (node.querySelector(".most")), `+${number(reach)}\u202f%`);
  const words = {
    value: signedPercent(estimate.value),
    lo: signedPercent(estimate.lo),
    hi: signedPercent(estimate.hi),
  };
  const verdict = estimate.lo > 0 ? "skill_better" : estimate.hi < 0 ? "skill_worse" : "skill_none";
  text(say, t(verdict, words), t("skill_title"));
}
