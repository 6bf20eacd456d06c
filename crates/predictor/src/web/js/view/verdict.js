// Row 2: can anything be predicted? One sentence, and the three kinds of evidence behind it.

import { sentences } from "../claims.js";
import { attribute, el, text } from "../dom.js";
import { euros } from "../format.js";
import { t } from "../i18n.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").TestEvidence} TestEvidence */

/** The end of the scale. A test turns amber at 20, which a fair game reaches less than once in 20 times. */
const TOP = 100;
/** A level never falls: the server judges by the maximum of the evidence.
 * @type {Record<string, 0 | 1 | 2>} */
const LEVELS = { quiet: 0, amber: 1, red: 2 };

/** Before the first round there is no verdict. */
const NO_ROUNDS = [{ kind: "too_few", rounds: 0, needed: 100 }];

/** @param {Status} status */
export function renderVerdict({ verdict, quality, evidence }) {
  const { headline, notes } = verdict?.claims ?? { headline: NO_ROUNDS, notes: [] };
  text("verdict", sentences(headline));
  text("verdict-rounds", sentences(notes) || "\u00a0");
  attribute(document.body, "data-suspect", quality.state === "suspect" ? "" : null);
  document.body.style.setProperty("--not-whole", JSON.stringify(t("not_whole")));
  for (const name of /** @type {const} */ (["order", "law", "forecast"])) renderTest(name, evidence?.[name]);
}

/**
 * @param {"order" | "law" | "forecast"} name
 * @param {TestEvidence | undefined} value
 */
function renderTest(name, value) {
  const node = el(`evidence-${name}`);
  const bar = /** @type {HTMLElement} */ (node.querySelector(".evidence-bar i"));
  const say = /** @type {Element} */ (node.querySelector("p"));
  const figure = /** @type {Element} */ (node.querySelector(".e"));
  if (!value) {
    attribute(node, "data-level", null);
    attribute(node, "title", null);
    bar.style.width = "0";
    text(figure, null);
    text(say, t("evidence_wait"));
    return;
  }
  const level = LEVELS[value.level] ?? 0;
  const shown = euros(value.e);
  attribute(node, "data-level", String(level));
  bar.style.width = `${(100 * Math.log(Math.min(TOP, Math.max(1, value.e)))) / Math.log(TOP)}%`;
  text(figure, shown);
  text(say, t(`evidence_${name}_${level}`));
  const words = {
    claim: t(`evidence_${name}_0`).replace(/\.$/, ""),
    e: shown,
    most: euros(value.e_max),
  };
  attribute(node, "title", t("evidence_title", words));
}
