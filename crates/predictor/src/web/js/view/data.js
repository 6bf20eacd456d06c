// Row 6, lower part: is the data sound? And the table behind the plot.

import { el, make, show, syncRows, text } from "../dom.js";
import { clock, number, range, utc } from "../format.js";
import { t } from "../i18n.js";
import { held, outcome } from "./quality.js";
import { collectorState } from "./status.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../store.js").RoundStore} RoundStore */

/** Rows in the table behind the plot; the export has them all. */
const TABLE_MAX = 200;

/**
 * @param {Status} status
 * @param {number} since seconds since the status was made
 */
export function renderData(status, since) {
  const { collector, data } = status;
  text("c-state", collectorState(collector, since)[1]);
  text("c-source", collector?.source);
  text("c-gaps", collector && number(collector.gaps), t("gaps_title"));
  text("c-reconnects", collector && number(collector.reconnects));
  text("c-backfilled", collector && number(collector.backfilled), t("backfilled_title"));
  text("c-queued", collector && number(collector.queued_rows));
  text("d-rejected", number(data.rejected_rows));
  text("d-duplicates", number(data.duplicates_removed));
  text("d-dir", status.data_dir);
  const watch = data.watch === "notify" || data.watch === "scan" ? t(`watch_${data.watch}`) : "\u00a0";
  text("data-watch", data.torn_bytes > 0 ? t("torn", { n: data.torn_bytes }) : watch);
  files(status);
  lines("rejected-details", "rejected", rejections(status));
  lines("overlaps-details", "overlaps", data.overlaps);
}

/** @param {Status} status */
function files({ data }) {
  const rows = data.files.map((file) => ({
    key: file.name,
    cells: [{ text: file.name, className: "" }, number(file.records), number(file.rejected)],
  }));
  syncRows("files", rows);
  show("files", rows.length > 0);
}

/**
 * @param {Status} status
 * @returns {string[]}
 */
function rejections({ data }) {
  return data.rejected_by_reason.map(({ count, example }) => t("rejected_line", { n: count, ...example }));
}

/**
 * Shows lines in a list, or hides the details around it when there is none.
 * @param {string} details
 * @param {string} id
 * @param {string[]} texts
 */
function lines(details, id, texts) {
  const list = el(id);
  show(details, texts.length > 0);
  while (list.children.length > texts.length) list.lastElementChild?.remove();
  while (list.children.length < texts.length) list.append(make("li"));
  texts.forEach((line, index) => text(list.children[index], line));
}

/**
 * Fills the table behind the plot while it is open.
 * @param {RoundStore} store
 */
export function renderRounds(store) {
  if (!(/** @type {HTMLDetailsElement} */ (el("rounds-details")).open)) return;
  const rows = store.newest(TABLE_MAX).map((round) => ({
    key: String(round.round),
    cells: [
      number(round.round),
      { text: clock(round.time), title: utc(round.time) },
      outcome(round.multiplier),
      range(round.lo, round.hi),
      held(round.inside, false),
    ],
  }));
  syncRows("rounds-table", rows.reverse());
}
