// Row 1: is it running? The four indicators, the age of the last round, the collector, and what needs attention.

import { table } from "../api.js";
import { attribute, el, make, show, text } from "../dom.js";
import { age, clock, percent, utc } from "../format.js";
import { t } from "../i18n.js";

/** @typedef {import("../api_types.js").Status} Status */
/** @typedef {import("../api_types.js").Collector} Collector */
/** @typedef {"good" | "busy" | "attention" | "trouble" | "wait"} State */
/** @typedef {{ state: State, title: string, todo?: string }} Notice */

/** A collector rewrites its status at least every few seconds. */
const COLLECTOR_SILENT_S = 60;
/** Long pauses between two rounds last about two minutes. */
const ROUND_OLD_S = 300;

/**
 * @param {Status} status
 * @param {number} since seconds since the status was made
 */
export function renderStatus(status, since) {
  origin(status);
  indicators(status);
  ages(status, since);
}

/** @param {Status} status */
function origin(status) {
  const recorded = !status.simulated && status.origin === "recorded";
  show("simulated", !recorded);
  const simulated = status.simulated || status.origin === "simulated";
  text("simulated-word", t(simulated ? "simulated_word" : "replayed_word"));
  text("simulated-text", t(simulated ? "simulated_text" : "replayed_text"));
}

/** @param {Status} status */
function indicators(status) {
  const { indicators: is, training, csv_records: count } = status;
  const needed = training.needed;
  indicate("ind-sync", is.auto_sync_active ? "good" : "trouble", t(is.auto_sync_active ? "sync_on" : "sync_off"));
  if (is.model_trained) {
    const n = status.current_prediction?.data_points_used ?? status.model_accuracy?.total_records ?? count;
    indicate("ind-model", "good", t("model_on", { n }));
  } else {
    indicate("ind-model", "wait", needed ? t("model_off", needed) : t("model_none"));
  }
  indicate("ind-train", ...trainingState(status));
  if (count === 0) indicate("ind-data", "wait", t("data_none"));
  else
    indicate(
      "ind-data",
      is.data_synced ? "good" : "attention",
      t(is.data_synced ? "data_on" : "data_off", { n: count }),
    );
}

/**
 * @param {Status} status
 * @returns {[State, string]}
 */
function trainingState(status) {
  const { training } = status;
  if (training.running) return ["busy", t("train_now", { percent: percent(training.progress, 0) })];
  if (!status.auto_train_enabled) return ["attention", t("train_off")];
  if (training.last_error) return ["trouble", t("train_failed")];
  if (training.queued) return ["busy", t("train_queued")];
  const n = (training.needed?.need ?? training.next_at_records ?? 0) - status.csv_records;
  return ["good", n > 0 ? t("train_next", { n }) : t("train_waits")];
}

/**
 * @param {string} id
 * @param {State} state
 * @param {string} say
 */
function indicate(id, state, say) {
  attribute(id, "data-state", state);
  text(/** @type {Element} */ (el(id).querySelector(".say")), say, say);
}

/** Marks the four indicators as unknown while the predictor does not answer. */
export function forgetIndicators() {
  for (const id of ["ind-sync", "ind-model", "ind-train", "ind-data"]) indicate(id, "wait", t("unknown"));
  attribute("collector-line", "data-state", "wait");
  text("collector-say", t("unknown"));
}

/**
 * Renders the ages, which change without a new status.
 * @param {Status} status
 * @param {number} since seconds since the status was made
 */
export function ages(status, since) {
  const old = status.data_age_seconds === null ? null : status.data_age_seconds + since;
  text("last-age", old === null ? t("never") : t("ago", { age: age(old) }), utc(status.latest_timestamp));
  const [state, say] = collectorState(status.collector, since);
  attribute("collector-line", "data-state", state);
  text("collector-say", say);
}

/**
 * @param {Collector | null} collector
 * @param {number} since
 * @returns {[State, string]}
 */
export function collectorState(collector, since) {
  if (!collector) return ["wait", t("collector_none")];
  const stopped = collector.state === "stopped";
  if (!stopped && collector.age_seconds + since > COLLECTOR_SILENT_S) return ["trouble", t("collector_silent")];
  const say = t(`collector_${collector.state}`);
  switch (collector.state) {
    case "connected":
      return ["good", say];
    case "starting":
      return ["busy", say];
    case "writing_failed":
      return ["trouble", say];
    default:
      return ["attention", say];
  }
}

/**
 * Returns what needs attention, worst first.
 * @param {Status | null} status
 * @param {{ unreachable: boolean, isLocked: boolean, isUnknownTable: boolean, since: number, seenVersion: string | null }} page
 * @returns {Notice[]}
 */
export function notices(status, page) {
  /** @type {Notice[]} */
  const list = [];
  if (page.isLocked) return [{ state: "attention", title: t("notice_locked"), todo: t("notice_locked_todo") }];
  if (page.isUnknownTable)
    return [
      {
        state: "attention",
        title: t("notice_no_table", { table: table ?? "" }),
        todo: t("notice_no_table_todo"),
      },
    ];
  if (page.unreachable) {
    const todo = status ? t("notice_unreachable_todo", { time: clock(status.now) }) : t("notice_never");
    list.push({ state: "trouble", title: t("notice_unreachable"), todo });
  }
  if (!status) return list;
  if (page.seenVersion && page.seenVersion !== status.version) {
    list.push({ state: "attention", title: t("notice_restarted", { version: status.version }) });
  }
  if (page.unreachable) return list;
  if (status.data.last_error) {
    list.push({ state: "trouble", title: t("notice_unreadable"), todo: status.data.last_error });
  }
  for (const file of status.data.refused) {
    const todo = t("notice_refused_todo", { reason: file.reason, command: file.command });
    list.push({ state: "trouble", title: t("notice_refused", { file: file.name }), todo });
  }
  list.push(...collectorNotices(status, page.since));
  if (status.training.last_error) {
    list.push({
      state: "attention",
      title: t("notice_train_failed"),
      todo: status.training.last_error,
    });
  }
  return list;
}

/**
 * @param {Status} status
 * @param {number} since
 * @returns {Notice[]}
 */
function collectorNotices(status, since) {
  const { collector } = status;
  const old = (status.data_age_seconds ?? 0) + since;
  if (!collector) {
    if (status.csv_records === 0 || old < ROUND_OLD_S) return [];
    return [
      {
        state: "attention",
        title: t("notice_stale", { age: age(old) }),
        todo: t("notice_stale_todo"),
      },
    ];
  }
  const quiet = collector.age_seconds + since;
  const error = collector.last_error ?? undefined;
  if (collector.state === "stopped") {
    return [{ state: "attention", title: t("notice_stopped"), todo: t("notice_stopped_todo") }];
  }
  if (quiet > COLLECTOR_SILENT_S) {
    return [
      {
        state: "trouble",
        title: t("notice_gone", { age: age(quiet) }),
        todo: t("notice_gone_todo"),
      },
    ];
  }
  if (collector.state === "writing_failed") {
    const wait = t("notice_writing_todo", { n: collector.queued_rows });
    return [{ state: "trouble", title: t("notice_writing"), todo: error ? `${error}. ${wait}` : wait }];
  }
  if (collector.state === "reconnecting") return [{ state: "attention", title: t("notice_reconnecting"), todo: error }];
  if (collector.state === "stalled") {
    return [{ state: "attention", title: t("notice_stalled", { age: age(old) }), todo: error }];
  }
  return [];
}

/** @param {Notice[]} list */
export function renderNotices(list) {
  const box = el("notices");
  while (box.children.length > list.length) box.lastElementChild?.remove();
  while (box.children.length < list.length) {
    const notice = make("div", "notice");
    notice.append(make("i", "shape"), make("p"), make("p"));
    box.append(notice);
  }
  list.forEach((notice, index) => {
    const node = box.children[index];
    attribute(node, "data-state", notice.state);
    text(node.children[1], notice.title);
    text(node.children[2], notice.todo ?? "");
    show(/** @type {HTMLElement} */ (node.children[2]), Boolean(notice.todo));
  });
}
