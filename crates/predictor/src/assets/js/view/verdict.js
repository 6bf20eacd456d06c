// Row 2: can anything be predicted? One sentence, and the three lights that it rests on.

import { attribute, el, text } from "../dom.js";
import { isNumber, number } from "../format.js";
import { t, tight } from "../i18n.js";

/** @typedef {import("../contract.js").Status} Status */
/** @typedef {import("../contract.js").Light} Light */

/** So many forecasts must have met their rounds before the tests begin to bet. */
const SCORED_MIN = 60;
/** A light turns amber at 20 (a fair game gets there less than once in 20 times) and red at 100. */
const AMBER = 20;
const RED = 100;

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
    return { sentence: tight(status.verdict.sentence), from: t("verdict_from", { n: status.verdict.rounds }) };
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
  const evidence = value?.e ?? (isNumber(value?.ln_e) ? Math.exp(value.ln_e) : null);
  const bar = /** @type {HTMLElement} */ (node.querySelector(".evidence i"));
  const say = /** @type {Element} */ (node.querySelector("p"));
  const figure = /** @type {Element} */ (node.querySelector(".e"));
  if (evidence === null) {
    attribute(node, "data-level", null);
    attribute(node, "title", null);
    bar.style.width = "0";
    text(figure, null);
    text(say, t("light_wait"));
    return;
  }
  const level = evidence >= RED ? 2 : evidence >= AMBER ? 1 : 0;
  const shown = evidence > 9999 ? "> 9999" : number(evidence, evidence < 10 ? 1 : 0);
  attribute(node, "data-level", String(level));
  bar.style.width = `${(100 * Math.log(Math.min(RED, Math.max(1, evidence)))) / Math.log(RED)}%`;
  text(figure, shown);
  text(say, t(`light_${name}_${level}`));
  attribute(node, "title", t("light_title", { claim: t(`light_${name}_0`).replace(/\.$/, ""), e: shown }));
}
