// Row 2: can anything be predicted? One sentence, and the three kinds of evidence behind it.

import { attribute, el, text } from "../dom.js";
import { euros, number, percent } from "../format.js";
import { currentLanguage, t, tight } from "../i18n.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").TestEvidence} TestEvidence */
/** @typedef {import("../api_types.js").Verdict} Verdict */

/** Settled forecasts needed before the sequential tests begin. */
const SCORED_MIN = 60;
/** The end of the scale. A test turns amber at 20, which a fair game reaches less than once in 20 times. */
const TOP = 100;
/** A level never falls: the server judges by the maximum of the evidence.
 * @type {Record<string, 0 | 1 | 2>} */
const LEVELS = { quiet: 0, amber: 1, red: 2 };

/** @param {Status} status */
export function renderVerdict(status) {
  const { sentence, from, isForeign } = verdict(status);
  text("verdict", sentence);
  text("verdict-rounds", from || "\u00a0");
  // A screen reader must read a text in its own language, not in the page's.
  for (const id of ["verdict", "verdict-rounds"]) attribute(id, "lang", isForeign ? "en" : null);
  for (const name of /** @type {const} */ (["order", "law", "forecast"])) renderTest(name, status.evidence?.[name]);
}

/**
 * @param {Status} status
 * @returns {{ sentence: string, from: string, isForeign?: boolean }}
 */
function verdict(status) {
  const fault = suspected(status);
  if (fault) return { sentence: fault, from: t("verdict_suspect") };
  if (status.verdict) return currentLanguage() === "en" ? served(status.verdict) : translated(status.verdict);
  const { needed } = status.training;
  if (!status.model_trained && needed && needed.have < needed.need)
    return { sentence: t("verdict_wait", needed), from: "" };
  if (!status.model_trained) return { sentence: t("verdict_untrained"), from: "" };
  const scored = status.forecasts?.settled ?? status.recent.filter((round) => round.inside !== null).length;
  const from = t("verdict_from_scored");
  if (scored < SCORED_MIN) return { sentence: t("verdict_few", { have: scored, need: SCORED_MIN }), from };
  return { sentence: t("verdict_none", { n: scored }), from };
}

/**
 * Returns what is wrong with rounds that say nothing about the game; an empty text for others.
 * @param {Status} status
 */
function suspected(status) {
  const fault = status.quality.reasons.find(({ kind }) => kind in FAULTS);
  return status.quality.state === "suspect" && fault ? t(FAULTS[fault.kind], words(fault)) : "";
}

/** @param {import("../api_types.js").Fault} fault */
function words({ count, of, cents }) {
  return { n: count ?? 0, of: Math.round(of ?? 0), step: number((cents ?? 0) / 100, 2) };
}

/** @type {Record<string, import("../i18n.js").Key>} */
const FAULTS = {
  repeats_dropped: "fault_repeats_dropped",
  repeats_doubled: "fault_repeats_doubled",
  gaps_too_short: "fault_gaps_too_short",
  out_of_order: "fault_out_of_order",
  times_to_the_minute: "fault_times_to_the_minute",
  integers_only: "fault_integers_only",
  coarse_grid: "fault_coarse_grid",
};

/**
 * Returns the server's own sentence, which is English.
 * @param {Verdict} said
 */
function served({ sentence, rounds, absence, change }) {
  const from = [t("verdict_from", { n: rounds }), change, absence].filter(Boolean).join(" ");
  return { sentence: tight(sentence), from: tight(from) };
}

/**
 * Returns the same sentence in the page's language, from the facts behind it.
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
    ? t("verdict_law_measured", {
        ...words,
        measured: withEnds(scaled(facts.measured_return, 100), 1),
      })
    : t("verdict_law", words);
  const name = /** @type {keyof typeof SENTENCES} */ (
    `${facts.order ? "o" : ""}${facts.forecast ? "f" : ""}${facts.law ? "l" : ""}`
  );
  const sentence = SENTENCES[name].map((key) => (key === "verdict_law" ? law : t(key, words))).join(" ");
  const from = [t("verdict_from", { n: said.rounds })];
  if (facts.changes.length > 0)
    from.push(t("verdict_changed", { n: facts.changes.length, last: facts.changes.at(-1) ?? 0 }));
  if (facts.negligible_after) from.push(t("verdict_absence", { n: facts.negligible_after }));
  return { sentence, from: from.join(" ") };
}

/**
 * The sentences by which tests have reached amber: order, forecast, law.
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
 * @param {import("../api_types.js").Estimate} estimate percent
 * @param {number} digits
 */
function withEnds({ value, lo, hi }, digits) {
  return `${number(value, digits)}\u202f% [${number(lo, digits)}; ${number(hi, digits)}]`;
}

/**
 * @param {import("../api_types.js").Estimate} estimate
 * @param {number} factor
 */
function scaled({ value, lo, hi }, factor) {
  return { value: value * factor, lo: lo * factor, hi: hi * factor };
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
