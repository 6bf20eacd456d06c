// Row 3: what is forecast for the next round?

import { attribute, el, make, show, syncRows, text } from "../dom.js";
import { age, isNumber, percent, points, range, times, utc } from "../format.js";
import { named, t } from "../i18n.js";
import { recall, remember } from "../theme.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").Prediction} Prediction */

/** @type {Prediction | null} */
let shown = null;
/** The sentence last announced to screen readers. */
let announced = "";

/** Connects the field for the user's own target. */
export function startForecast() {
  const own = ownInput();
  own.value = recall("own") ?? own.value;
  own.addEventListener("input", () => {
    if (own.checkValidity()) remember("own", own.value);
    renderOwn();
  });
}

/**
 * @param {Status} status
 * @param {number} since seconds since the status was made
 */
export function renderForecast(status, since) {
  shown = status.current_prediction;
  show("forecast-empty", !shown);
  show("forecast-body", Boolean(shown));
  text("for-round", shown && isNumber(shown.for_round) ? `#${shown.for_round}` : "\u00a0");
  renderForecastAge(status, since);
  if (!shown) {
    empty(status);
    return;
  }
  figures(shown, status);
  ruler(shown);
  trust(shown);
  targets(shown);
  renderOwn();
  announce(shown);
}

/**
 * @param {Status} status
 * @param {number} since
 */
export function renderForecastAge(status, since) {
  const said = status.current_prediction;
  if (!said) return text("forecast-age", "\u00a0", "");
  const seconds = (Date.parse(status.now) - Date.parse(said.predicted_at)) / 1000 + since;
  text("forecast-age", t("forecast_age", { age: age(seconds) }), utc(said.predicted_at));
}

/** @param {Status} status */
function empty(status) {
  const { training, csv_records: have } = status;
  const need = training.needed?.need ?? 30;
  const meter = /** @type {HTMLProgressElement} */ (el("empty-meter"));
  const [title, todo] = emptyTexts(status, need);
  text("empty-text", title);
  text("empty-todo", todo);
  if (training.running) {
    meter.max = 1;
    meter.value = training.progress;
  } else {
    meter.max = need;
    meter.value = Math.min(have, need);
  }
  attribute(meter, "aria-label", title);
}

/**
 * @param {Status} status
 * @param {number} need
 * @returns {[string, string]}
 */
function emptyTexts(status, need) {
  const { training, csv_records: have } = status;
  if (have === 0) return [t("empty_none"), t("empty_none_todo", { dir: status.data_dir })];
  if (have < need) return [t("empty_few", { have, need, n: have }), t("empty_few_todo", { need, n: need - have })];
  if (!status.auto_train_enabled && !training.running) return [t("empty_manual"), t("empty_manual_todo")];
  return [t("empty_training"), t("empty_training_todo", { n: have })];
}

/**
 * @param {Prediction} said
 * @param {Status} status
 */
function figures(said, status) {
  text("point", times(said.predicted_multiplier));
  text("calibrated", times(said.calibrated_multiplier));
  text("house", times(said.house_multiplier));
  const level = percent(said.interval.level, 0);
  text("interval-label", t("interval_label", { percent: level }));
  text("interval", range(said.interval.lo, said.interval.hi), t("interval_title", { percent: level }));
  text("last-actual", times(status.latest_multiplier ?? said.last_actual), utc(status.latest_timestamp));
  text("ensemble-label", t(said.models_guess.proven ? "ensemble" : "ensemble_unproven"));
  const members = el("members");
  const words = said.members.map((member) => `${learner(member.name)} ${times(member.multiplier)}`);
  text(members, words.join(" · ") || "\u00a0");
}

/**
 * Returns a model's name in the page's language, or its own when the page has none.
 * @param {string} name
 * @returns {string}
 */
export function learner(name) {
  return named(name, name);
}

/** @param {Prediction} said */
function ruler(said) {
  const { interval } = said;
  const left = onRuler(interval.lo);
  el("ruler-span").style.left = `${left}%`;
  el("ruler-span").style.width = `${Math.max(1, onRuler(interval.hi) - left)}%`;
  el("ruler-house").style.left = `${onRuler(said.house_multiplier)}%`;
  el("ruler-cal").style.left = `${onRuler(said.calibrated_multiplier)}%`;
  el("ruler-ens").style.left = `${onRuler(said.predicted_multiplier)}%`;
  const words = {
    range: range(interval.lo, interval.hi),
    calibrated: times(said.calibrated_multiplier),
    point: times(said.predicted_multiplier),
    house: times(said.house_multiplier),
  };
  attribute("ruler", "aria-label", t("ruler", words));
}

/**
 * @param {number} multiplier
 * @returns {number} percent of the way from 1 to 100, on a logarithmic scale
 */
function onRuler(multiplier) {
  return (100 * Math.log(Math.min(100, Math.max(1, multiplier)))) / Math.log(100);
}

/** @param {Prediction} said */
function trust(said) {
  const { kappa } = said;
  el("kappa-bar").style.width = `${100 * Math.min(1, Math.max(0, kappa))}%`;
  text("kappa", percent(kappa, 0), t("trust_title"));
  const level = kappa < 0.005 ? 0 : kappa < 0.15 ? 1 : kappa < 0.6 ? 2 : 3;
  text("kappa-say", t(`kappa_${level}`));
}

/** @param {Prediction} said */
function targets(said) {
  const rows = said.probabilities.map((row) => ({
    key: String(row.target),
    cells: [times(row.target), ...chances(row.probability, row.house, row.break_even)],
  }));
  syncRows("targets", rows);
}

/**
 * @param {number} ours
 * @param {number} house
 * @param {number} breakEven
 * @returns {import("../dom.js").Cell[]}
 */
function chances(ours, house, breakEven) {
  return [
    { text: percent(ours) },
    { text: percent(house) },
    { text: points(ours - house), title: t("difference_title") },
    { text: percent(breakEven) },
  ];
}

/**
 * Renders the user's own target from the standard ones: on a log-log scale every tilted house law is a straight
 * line, and observed frequencies are joined by such lines.
 */
function renderOwn() {
  const own = ownInput();
  const cells = el("own-row").querySelectorAll("td");
  const target = own.valueAsNumber;
  const known = shown?.probabilities ?? [];
  if (known.length < 2 || !own.checkValidity() || !isNumber(target)) {
    for (const cell of cells) text(cell, null);
    return;
  }
  const r = known[0].house * known[0].target;
  const above = known.findIndex((row) => row.target >= target);
  const next = Math.max(1, above < 0 ? known.length - 1 : above);
  const [from, to] = [known[next - 1], known[next]];
  const slope = Math.log(to.probability / from.probability) / Math.log(to.target / from.target);
  const ours = Math.min(1, from.probability * (target / from.target) ** slope);
  chances(ours, r / target, 1 / target).forEach((cell, index) => text(cells[index], cell.text, cell.title));
}

/** @returns {HTMLInputElement} */
function ownInput() {
  return /** @type {HTMLInputElement} */ (el("own"));
}

/**
 * Announces the forecast to screen readers, once per forecast.
 * @param {Prediction} said
 */
function announce(said) {
  const sentence = t("forecast_live", {
    round: said.for_round,
    point: times(said.predicted_multiplier),
    calibrated: times(said.calibrated_multiplier),
    lo: times(said.interval.lo),
    hi: times(said.interval.hi),
  });
  if (sentence === announced) return;
  announced = sentence;
  el("forecast-live").replaceChildren(make("span", "", sentence));
}
