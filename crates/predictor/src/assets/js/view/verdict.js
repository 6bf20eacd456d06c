// Row 2: can anything be predicted? One sentence, and the three lights that it rests on.

import { attribute, el, text } from "../dom.js";
import { euros, number, percent } from "../format.js";
import { currentLanguage, t, tight } from "../i18n.js";

/** @typedef {import("../contract.js").Status} Status */
/** @typedef {import("../contract.js").Light} Light */
/** @typedef {import("../contract.js").Verdict} Verdict */

/** So many forecasts must have met their rounds before the tests begin to bet. */
const SCORED_MIN = 60;
/** The scale ends here; a light turns amber at 20 (a fair game gets there less than once in 20 times). */
const TOP = 100;
/** A light that has once been on stays on: the server judges by the most the evidence has been.
 * @type {Record<string, 0 | 1 | 2>} */
const LEVELS = { quiet: 0, amber: 1, red: 2 };

/** @param {Status} status */
export function renderVerdict(status) {
  const { sentence, from, isForeign } = verdict(status);
  text("verdict", sentence);
  text("verdict-rounds", from || "\u00a0");
  // What is not in the page's language is read aloud in its own.
  for (const id of ["verdict", "verdict-rounds"]) attribute(id, "lang", isForeign ? "en" : null);
  for (const name of /** @type {const} */ (["order", "law", "forecast"])) light(name, status.lights?.[name]);
}

/**
 * @param {Status} status
 * @returns {{ sentence: string, from: string, isForeign?: boolean }}
 */
function verdict(status) {
  if (status.verdict) return currentLanguage() === "en" ? served(status.verdict) : translated(status.verdict);
  const { needed } = status.training;
  if (!status.model_trained && needed && needed.have < needed.need) return { sentence: t("verdict_wait", needed), from: "" };
  if (!status.model_trained) return { sentence: t("verdict_untrained"), from: "" };
  const scored = status.forecasts?.settled ?? status.recent.filter((round) => round.inside !== null).length;
  const from = t("verdict_from_scored");
  if (scored < SCORED_MIN) return { sentence: t("verdict_few", { have: scored, need: SCORED_MIN }), from };
  return { sentence: t("verdict_none", { n: scored }), from };
}

/**
 * The server's own words, which are English.
 * @param {Verdict} said
 */
function served({ sentence, rounds, absence, change }) {
  const from = [t("verdict_from", { n: rounds }), change, absence].filter(Boolean).join(" ");
  return { sentence: tight(sentence), from: tight(from) };
}

/**
 * The same from the facts it rests on.
 * @param {Verdict} said
 */
function translated(said) {
  const { facts } = said;
  if (!facts) return { ...served(said), isForeign: true };
  const words = {
    n: facts.rounds,
    edge: percent(1 - facts.advertised_return, 0),
    chance: percent(facts.advertised_return / 2),
    half: percent(0.5, 0),
    r: number(facts.advertised_return, 2),
    skill: facts.skill_percent ? withEnds(facts.skill_percent, 2) : t("unknown"),
  };
  const law = facts.measured_return
    ? t("verdict_law_measured", { ...words, measured: withEnds(scaled(facts.measured_return, 100), 1) })
    : t("verdict_law", words);
  const name = /** @type {keyof typeof SENTENCES} */ (`${facts.order ? "o" : ""}${facts.forecast ? "f" : ""}${facts.law ? "l" : ""}`);
  const sentence = SENTENCES[name].map((key) => (key === "verdict_law" ? law : t(key, words))).join(" ");
  const from = [t("verdict_from", { n: said.rounds })];
  if (facts.changes.length > 0) from.push(t("verdict_changed", { n: facts.changes.length, last: facts.changes.at(-1) ?? 0 }));
  if (facts.negligible_after) from.push(t("verdict_absence", { n: facts.negligible_after }));
  return { sentence, from: from.join(" ") };
}

/**
 * Which lights have been on (order, forecast, law), and what is then said.
 * @satisfies {Record<string, import("../i18n.js").Key[]>}
 */
const SENTENCES = /** @type {const} */ ({
  "": ["verdict_quiet"],
  l: ["verdict_law", "verdict_law_only"],
  o: ["verdict_order"],
  ol: ["verdict_order", "verdict_law"],
  of: ["verdict_beats", "verdict_edge"],
  ofl: ["verdict_beats", "verdict_edge"],
  fl: ["verdict_beats", "verdict_law", "verdict_explained"],
  f: ["verdict_beats", "verdict_unconfirmed"],
});

/**
 * @param {import("../contract.js").Estimate} estimate percent
 * @param {number} digits
 */
function withEnds({ value, lo, hi }, digits) {
  return `${number(value, digits)}\u202f% [${number(lo, digits)}; ${number(hi, digits)}]`;
}

/**
 * @param {import("../contract.js").Estimate} estimate
 * @param {number} factor
 */
function scaled({ value, lo, hi }, factor) {
  return { value: value * factor, lo: lo * factor, hi: hi * factor };
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
