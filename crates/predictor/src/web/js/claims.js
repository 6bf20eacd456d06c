// The sentences of the verdict, in the page's language. What is said is decided by the server; English is the same text
// as the server's.

import { number, plain } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {import("./api_types.js").Claim} Claim */
/** @typedef {import("./api_types.js").Fault} Fault */
/** @typedef {import("./i18n.js").Key} Key */

/**
 * @param {Claim[]} claims
 * @returns {string}
 */
export function sentences(claims) {
  return claims.map(sentence).join(" ");
}

/**
 * @param {Claim} claim
 * @returns {string}
 */
export function sentence(claim) {
  if (claim.kind === "remedy") return t(/** @type {Key} */ (`remedy_${claim.fault?.kind}`));
  if (claim.kind === "tested" && claim.forecasts === 0) return t("claim_tested_rounds", figures(claim));
  return t(/** @type {Key} */ (`claim_${claim.kind}`), figures(claim));
}

/**
 * @param {Claim} claim
 * @returns {Record<string, string | number>}
 */
function figures({ kind, fault, digits, lo, hi, little, served, times, forecasts, ...rest }) {
  /** @type {Record<string, string | number>} */
  const values = { n: times ?? forecasts ?? 0 };
  for (const [name, value] of Object.entries({ ...rest, forecasts })) {
    if (typeof value === "number") values[name] = plain(value);
  }
  if (fault) values.fault = faultSentence(fault);
  if (lo !== undefined) values.lo = number(lo, digits);
  if (hi !== undefined) values.hi = number(hi, digits);
  if (kind === "beats_fixed_odds") {
    values.yes = t(little ? "claim_yes_little" : "claim_yes");
    values.who = t(served ? "claim_our_forecasts" : "claim_the_models");
  }
  return values;
}

/**
 * @param {Fault} fault
 * @returns {string}
 */
function faultSentence({ kind, seen, expected, count, of, step_cents, cents }) {
  const values = {
    n: seen ?? count ?? 0,
    of: Math.round(expected ?? of ?? 0),
    step: number((step_cents ?? cents ?? 0) / 100, 2),
  };
  return t(/** @type {Key} */ (`fault_${kind}`), values);
}
