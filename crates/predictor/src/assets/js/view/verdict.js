// Row 2: can anything be predicted? One sentence, and the three lights that it rests on.

import { attribute, el, text } from "../dom.js";
import { number } from "../format.js";
import { t, tight } from "../i18n.js";

/** @typedef {import("../contract.js").Status} Status */
/** @typedef {import("../contract.js").Light} Light */

/** So many forecasts must have met their rounds before the tests begin to bet. */
const SCORED_MIN = 60;
/** The scale ends here; a light turns amber at 20 (a fair game gets there less than once in 20 times). */
const TOP = 100;
/** A light that has once been on stays on: the server judges by the most the evidence has been.
 * @type {Record<string, 0 | 1 | 2>} */
const LEVELS = { quiet: 0, amber: 1, red: 2 };

/** @param {Status} status */
export function renderVerdict(status) {
  const { sentence, from } = verdict(status);
  text("verdict", sentence);
  text("verdict-rounds", from || "\u00a0");
  for (const name of /** @type {const} */ (["order", "law", "forecast"])) light(name, status.lights?.[name]);
}

/**
 * @param {Status} status
 * @returns {{ sentence: string, from: string }}
 */
function verdict(status) {
  if (status.verdict) {
    const { sentence, rounds, absence, change } = status.verdict;
    const from = [t("verdict_from", { n: rounds }), change, absence].filter(Boolean).join(" ");
    return { sentence: tight(sentence), from: tight(from) };
  }
  const { needed } = status.training;
  if (!status.model_trained && needed && needed.have < needed.need) return { sentence: t("verdict_wait", needed), from: "" };
  if (!status.model_trained) return { sentence: t("verdict_untrained"), from: "" };
  const scored = status.forecasts?.settled ?? status.recent.filter((round) => round.inside !== null).length;
  const from = t("verdict_from_scored");
  if (scored < SCORED_MIN) return { sentence: t("verdict_few", { have: scored, need: SCORED_MIN }), from };
  return { sentence: t("verdict_none", { n: scored }), from };
}

/**
 * @param {"order" | "law" | "forecast"} name
 * @param {Light | undefined} value
 */
function light(name, value) {
  const node = el(`light-${name}`);
  const bar = /** @type {HTMLElement} */ (node.querySelector(".evidence i"));
  const say = /** @type {Element} */ (node.querySelector("p"));
  const figure = /** @type {Element} */ (node.querySelector(".e"));
  if (!value) {
    attribute(node, "data-level", null);
    attribute(node, "title", null);
    bar.style.width = "0";
    text(figure, null);
    text(say, t("light_wait"));
    return;
  }
  const level = LEVELS[value.level] ?? 0;
  const shown = euros(value.e);
  attribute(node, "data-level", String(level));
  bar.style.width = `${(100 * Math.log(Math.min(TOP, Math.max(1, value.e)))) / Math.log(TOP)}%`;
  text(figure, shown);
  text(say, t(`light_${name}_${level}`));
  const words = { claim: t(`light_${name}_0`).replace(/\.$/, ""), e: shown, most: euros(value.e_max) };
  attribute(node, "title", t("light_title", words));
}

/**
 * @param {number} value
 * @returns {string}
 */
function euros(value) {
  if (value > 9999) return "> 9999";
  return number(value, value < 9.95 ? 1 : 0);
}
