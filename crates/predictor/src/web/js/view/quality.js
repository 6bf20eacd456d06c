// Row 5: how good were the forecasts? The model beside the constant, its members, past forecasts, trainings.

import { attribute, el, show, syncRows, text } from "../dom.js";
import { clock, duration, figure, isNumber, number, percent, range, times, utc } from "../format.js";
import { t } from "../i18n.js";
import { learner } from "./forecast.js";
import { bandOf } from "./round_marks.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").Accuracy} Accuracy */
/** @typedef {import("../api_types.js").Settled} Settled */

/** A relative difference in log-MAE below this counts as none. */
const SAME = 0.01;

/** @param {Status} status */
export function renderQuality(status) {
  model(status);
  learners(status);
  history([...status.prediction_history].reverse());
  trainings(status);
}

/** @param {Status} status */
function model(status) {
  const accuracy = status.model_accuracy;
  text("model-version", accuracy ? t("model_version", { version: String(accuracy.version) }) : "\u00a0");
  for (const name of /** @type {const} */ (["log_mae", "mae", "rmse", "r2_score"])) {
    const cells = el(`m-${name}`).querySelectorAll("td");
    text(cells[0], figure(accuracy?.[name]));
    // The constant explains nothing of the variance, so its R² is not measured.
    text(cells[1], name === "r2_score" ? accuracy && "≤ 0" : figure(accuracy?.baseline[name]));
  }
  text("model-say", accuracy ? t(judgement(accuracy)) : "\u00a0");
  const split = accuracy ? t("split", { trained: accuracy.samples_trained, tested: accuracy.samples_tested }) : "";
  text("samples-trained", accuracy && t("n_rounds", { n: accuracy.total_records }), split);
  text("samples-tested", accuracy && t("n_rounds", { n: accuracy.samples_tested }), split);
  text("trained-at", clock(accuracy?.trained_at), utc(accuracy?.trained_at));
  text("duration", duration(accuracy?.duration_ms));
  progress(status);
}

/**
 * @param {Accuracy} accuracy
 * @returns {"model_say_same" | "model_say_worse" | "model_say_better"}
 */
function judgement(accuracy) {
  const better = (accuracy.baseline.log_mae - accuracy.log_mae) / accuracy.baseline.log_mae;
  if (better > SAME) return "model_say_better";
  return better < -SAME ? "model_say_worse" : "model_say_same";
}

/**
 * Renders the progress of a training. It keeps its space without one, so that nothing moves.
 * @param {Status} status
 */
function progress({ training, auto_train_enabled: auto }) {
  const bar = /** @type {HTMLProgressElement} */ (el("training-progress"));
  const next = training.next_at_records;
  const idle = auto && next ? t("training_next", { n: next }) : "\u00a0";
  const words = training.running
    ? t("training_say", { n: training.records ?? 0, percent: percent(training.progress, 0) })
    : idle;
  bar.value = training.running ? training.progress : 0;
  attribute(bar, "aria-label", words);
  text("training-say", words);
}

/** @param {Status} status */
function learners({ current_prediction: said, model_accuracy: accuracy }) {
  const names = (accuracy?.members ?? said?.members ?? []).map((member) => member.name);
  const rows = names.map((name) => {
    const known = accuracy?.members.find((member) => member.name === name);
    const says = said?.members.find((member) => member.name === name);
    const weight = isNumber(known?.weight) ? known.weight : null;
    const bar = {
      text: weight === null ? "–" : percent(weight, 0),
      className: "num share",
      share: weight ?? 0,
    };
    return {
      key: name,
      cells: [learner(name), times(says?.multiplier), bar, figure(known?.r2_score)],
    };
  });
  show("learners", rows.length > 0);
  syncRows("learners", rows);
}

/** @param {Settled[]} past newest first */
function history(past) {
  const settled = past.filter((row) => row.inside !== null);
  const inside = settled.filter((row) => row.inside).length;
  const say = settled.length > 0 ? t("history_say", { inside, n: settled.length }) : t("history_none");
  text("history-say", say);
  const rows = past.map((row) => ({
    key: `${row.round} ${row.predicted_at}`,
    cells: [
      { text: String(row.round), title: utc(row.predicted_at) },
      times(row.predicted_multiplier),
      times(row.calibrated_multiplier),
      range(row.lo, row.hi),
      outcome(row.actual, utc(row.settled_at)),
      held(row.inside, row.actual === null),
    ],
  }));
  show("history", rows.length > 0);
  syncRows("history", rows);
}

/**
 * Returns a multiplier with the shape and hue of its band.
 * @param {number | null} multiplier
 * @param {string} [title]
 * @returns {import("../dom.js").Cell}
 */
export function outcome(multiplier, title) {
  if (multiplier === null) return { text: "…", title };
  return { text: times(multiplier), title, className: `num ${bandOf(multiplier)}-dot` };
}

/**
 * @param {boolean | null} inside
 * @param {boolean} open
 * @returns {import("../dom.js").Cell}
 */
export function held(inside, open) {
  if (inside === null) return { text: t(open ? "held_wait" : "held_none"), className: "muted" };
  return { text: t(inside ? "held_yes" : "held_no"), className: inside ? "yes" : "no" };
}

/** @param {Status} status */
function trainings({ training, auto_train_enabled: auto }) {
  const next = training.next_at_records;
  if (training.history.length === 0) text("training-next", t("training_none"));
  else text("training-next", auto && next ? t("training_next", { n: next }) : "\u00a0");
  const rows = training.history.map((past) => ({
    key: past.trained_at,
    cells: [
      { text: clock(past.trained_at), title: utc(past.trained_at) },
      number(past.records),
      duration(past.duration_ms),
      figure(past.mae),
      figure(past.rmse),
    ],
  }));
  show("trainings", rows.length > 0);
  syncRows("trainings", rows);
}
