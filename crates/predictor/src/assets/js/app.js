// Puts the page together: what arrives from the server is handed, whole, to the view of each row.

import { fetchRounds, Refused, route, table } from "./api.js";
import { attribute, el, show, text } from "./dom.js";
import { clock, utc } from "./format.js";
import { Extra } from "./extra.js";
import { setLanguage, supported, t } from "./i18n.js";
import { Live } from "./live.js";
import { RoundStore } from "./store.js";
import { forget, recall, remember, startTheme } from "./theme.js";
import { startActions } from "./view/actions.js";
import { renderData, renderRounds } from "./view/data.js";
import { renderForecast, saidAge, startForecast } from "./view/forecast.js";
import { LawPlot, renderStatistics } from "./view/law.js";
import { PastPlots } from "./view/past.js";
import { RoundPlot } from "./view/plot.js";
import { renderQuality } from "./view/quality.js";
import { RecorderPlot } from "./view/recorder.js";
import { renderScorecard, startScorecard } from "./view/scorecard.js";
import { ages, forgetIndicators, notices, renderNotices, renderStatus } from "./view/status.js";
import { startTables } from "./view/tables.js";
import { renderVerdict } from "./view/verdict.js";

/** @typedef {import("./contract.js").Status} Status */

/** @type {Status | null} */
let status = null;
/** @type {string | null} */
let seenVersion = null;
let unreachable = false;
/** It answers, but only to those who know its token. */
let isLocked = false;
/** It answers, but has no such table. */
let isUnknownTable = false;

setLanguage(supported(recall("language") ?? navigator.language));
startTheme();
startForecast();
startScorecard();
startTables();

const store = new RoundStore();
const plot = new RoundPlot(store);
const law = new LawPlot();
const past = new PastPlots();
const recorder = new RecorderPlot();
const extras = [
  new Extra({ path: route("history"), box: el("scorecard"), show: (answer) => past.show(answer) }),
  new Extra({ path: route("distribution"), box: el("law-plot"), show: (answer) => law.show(answer) }),
  new Extra({ path: route("recorder"), box: el("recorder-plot"), show: (answer) => recorder.show(answer) }),
];
const live = new Live({
  onStatus(next) {
    unreachable = false;
    isLocked = false;
    isUnknownTable = false;
    seenVersion ??= next.version;
    status = next;
    store.merge(next.recent, next.csv_records);
    render();
    for (const extra of extras) extra.follow(`${next.csv_records} ${next.latest_timestamp}`, next.started_at);
    void widen();
  },
  onFailure(error) {
    unreachable = true;
    isLocked = error instanceof Refused && error.status === 401;
    isUnknownTable = table !== null && error instanceof Refused && error.status === 404;
    surroundings();
  },
  onTick() {
    if (status) {
      ages(status, since());
      saidAge(status, since());
    }
    for (const extra of extras) extra.tick();
    surroundings();
  },
});

/** Everything, from the status that is here. */
function render() {
  if (!status) return;
  renderStatus(status, since());
  renderVerdict(status);
  renderForecast(status, since());
  plot.update(status.current_prediction);
  law.update(store);
  renderRounds(store);
  renderStatistics(status);
  renderQuality(status);
  renderScorecard(status.scorecard);
  renderData(status, since());
  text("version", status.version);
  text("updated", clock(status.now), utc(status.now));
  document.title = title(status);
  surroundings();
}

/** What is true around the figures: how old they are, and what needs attention. */
function surroundings() {
  const stale = live.stale;
  const away = unreachable && stale;
  if (away) forgetIndicators();
  show("stale", stale || live.paused);
  text("stale", t(live.paused ? "paused" : "stale"));
  text("live-mode", t(live.paused ? "paused" : `live_${live.stream}`));
  attribute("live-mode", "title", live.paused ? "" : t(`live_${live.stream}_title`));
  attribute(document.body, "data-stale", stale ? "" : null);
  renderNotices(notices(status, { unreachable: away, isLocked, isUnknownTable, since: since(), seenVersion }));
}

/** @returns {number} seconds since the status was true */
function since() {
  return Number.isFinite(live.silence) ? live.silence / 1000 : 0;
}

/**
 * @param {Status} now
 * @returns {string} for the tab, where a demo must not look like a game either
 */
function title(now) {
  const point = now.current_prediction ? `${now.current_prediction.predicted_multiplier.toFixed(2)}× · ` : "";
  const mark = now.simulated ? `${t("simulated_word")} · ` : "";
  const of = table === null ? "" : ` · ${table}`;
  return `${mark}${point}${t("product")}${of}`;
}

startActions(() => live.refresh());

el("pause").addEventListener("click", () => {
  live.pause(!live.paused);
  attribute("pause", "aria-pressed", String(live.paused));
  surroundings();
});

const language = /** @type {HTMLSelectElement} */ (el("language"));
language.value = document.documentElement.lang;
language.addEventListener("change", () => {
  remember("language", language.value);
  setLanguage(language.value);
  render();
  past.again();
  recorder.again();
});

el("rounds-details").addEventListener("toggle", () => renderRounds(store));

/** How many of the newest rounds are wanted in view. */
let wanted = 200;
let isWidening = false;
/** The run of the predictor that hands out no older rounds. */
let lacking = "";
let widenedAt = -Infinity;
/** After a failure, or when the rounds were replaced, they are not asked for more often. */
const WIDEN_MS = 5000;

for (const input of document.querySelectorAll("#range input")) {
  input.addEventListener("change", () => {
    const { value } = /** @type {HTMLInputElement} */ (input);
    wanted = value === "all" ? Infinity : Number(value);
    widenedAt = -Infinity;
    plot.choose(wanted);
    void widen();
  });
}

/** Fetches older rounds, when more are wanted in view than are here. */
async function widen() {
  if (!status || isWidening || store.covers(wanted, status.csv_records)) return;
  if (lacking === status.started_at) return text("readout", t("range_limit", { n: store.rounds.length }));
  if (performance.now() - widenedAt < WIDEN_MS) return;
  isWidening = true;
  widenedAt = performance.now();
  const run = status.started_at;
  try {
    const answer = await fetchRounds(wanted);
    store.take(answer, answer.total);
    plot.update(status.current_prediction);
  } catch (error) {
    // What is here is shown; the status bar tells when the predictor is away.
    if (error instanceof Refused && error.status === 404) lacking = run;
  } finally {
    isWidening = false;
  }
}

for (const name of ["rounds", "predictions"]) attribute(`${name}-csv`, "href", route(`${name}.csv`));

// Everything has arrived, see boot.js.
forget("loads");
live.start();
