// Row 5, the table: ours, each learner and each baseline, on the same rounds. It is there when the server has it.

import { el, make, show, syncRows, text } from "../dom.js";
import { figure, isNumber } from "../format.js";
import { t } from "../i18n.js";

/** @typedef {{ name: string } & Record<string, number | string | null>} ScoreRow */
/** @typedef {{ rounds?: number, columns?: string[], rows?: ScoreRow[] }} Scorecard */

/** Of these, more is better; of every other score, less. */
const MORE_IS_BETTER = new Set(["r2", "r2_score", "skill", "coverage"]);

/** @param {Scorecard | null} card */
export function renderScorecard(card) {
  const rows = card?.rows ?? [];
  show("scorecard", rows.length > 0);
  if (!card || rows.length === 0) return;
  const columns = card.columns ?? Object.keys(rows[0]).filter((name) => name !== "name");
  text("scorecard-say", t("scorecard_say", { n: card.rounds ?? 0 }));
  heads(columns);
  const best = new Map(columns.map((column) => [column, bestOf(rows, column)]));
  const filled = rows.map((row) => ({
    key: row.name,
    cells: [t(/** @type {any} */ (row.name)), ...columns.map((column) => cell(row[column], best.get(column)))],
  }));
  syncRows(/** @type {Element} */ (el("scores").querySelector("tbody")), filled);
}

/**
 * @param {number | string | null} value
 * @param {string | undefined} best
 * @returns {import("../dom.js").Cell}
 */
function cell(value, best) {
  if (!isNumber(value)) return { text: value ?? "–" };
  const shown = figure(value);
  return shown === best ? { text: shown, title: t("best"), className: "num best" } : { text: shown, title: "" };
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
  text(head.children[0], t("model"));
  columns.forEach((column, index) => text(head.children[index + 1], t(/** @type {any} */ (column))));
}

/**
 * Compared as shown, so that a tie looks like a tie.
 * @param {ScoreRow[]} rows
 * @param {string} column
 * @returns {string | undefined}
 */
function bestOf(rows, column) {
  const values = rows.map((row) => row[column]).filter(isNumber);
  if (values.length < 2) return undefined;
  return figure(MORE_IS_BETTER.has(column) ? Math.max(...values) : Math.min(...values));
}
