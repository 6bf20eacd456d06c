// The three buttons. Each reports in words what it is doing and how it ended; the figures update by themselves.

import { Refused, loadCsv, predict, train } from "../api.js";
import { attribute, el, text } from "../dom.js";
import { figure, range, times } from "../format.js";
import { t } from "../i18n.js";

/** @typedef {"load" | "train" | "predict"} Action */
/** @typedef {"busy" | "good" | "attention" | "trouble"} State */

/** @type {Record<Action, { call: () => Promise<any>, done: (answer: any) => string }>} */
const ACTIONS = {
  load: {
    call: loadCsv,
    done: (answer) => t("load_done", { n: answer.total_records, file: answer.filename }),
  },
  train: {
    call: train,
    done: (answer) => (answer.accuracy ? t("train_done", { mae: figure(answer.accuracy.mae) }) : t("train_started")),
  },
  predict: {
    call: predict,
    done: ({ prediction }) =>
      t("predict_done", {
        point: times(prediction.predicted_multiplier),
        range: range(prediction.interval?.lo, prediction.interval?.hi),
      }),
  },
};

/** @param {() => Promise<void>} refresh shows the new state at once */
export function startActions(refresh) {
  for (const name of /** @type {Action[]} */ (Object.keys(ACTIONS))) {
    el(name).addEventListener("click", () => void run(name, refresh));
  }
}

/**
 * A busy button stays focusable: it gets `aria-disabled`, not `disabled`.
 * @param {Action} name
 * @param {() => Promise<void>} refresh
 */
async function run(name, refresh) {
  const button = el(name);
  if (button.getAttribute("aria-disabled") === "true") return;
  attribute(button, "aria-disabled", "true");
  say("busy", t(`${name}_busy`));
  try {
    const answer = await ACTIONS[name].call();
    say("good", ACTIONS[name].done(answer));
  } catch (error) {
    say(...refusal(error));
  } finally {
    attribute(button, "aria-disabled", null);
  }
  await refresh();
}

/**
 * @param {unknown} error
 * @returns {[State, string]}
 */
function refusal(error) {
  if (!(error instanceof Refused)) return ["trouble", t("action_unreachable")];
  if (error.status === 409) return ["attention", t("train_conflict")];
  if (error.status === 503 || error.status === 404)
    return ["attention", t("action_missing", { detail: error.message })];
  return ["trouble", t("action_failed", { detail: error.message })];
}

/**
 * @param {State} state
 * @param {string} words
 */
function say(state, words) {
  attribute("feedback", "data-state", state);
  attribute("feedback", "data-i18n", null);
  text("feedback", words);
}
