// Assembles the page: each status from the server is passed on unchanged to the view of every row.

import { fetchRounds, Refused, route, table } from "./api.js";
import { attribute, el, show, text } from "./dom.js";
import { clock, utc } from "./format.js";
import { LazyPanel } from "./lazy_panel.js";
import { setLanguage, supported, t } from "./i18n.js";
import { Poller } from "./poller.js";
import { RoundStore } from "./store.js";
import { forget, recall, remember, startTheme } from "./theme.js";
import { startActions } from "./view/actions.js";
import { renderData, renderRounds } from "./view/data.js";
import { renderForecast, renderForecastAge, startForecast } from "./view/forecast.js";
import { SurvivalCurve, renderStatistics } from "./view/survival_curve.js";
import { ScoreHistoryPlots } from "./view/score_history.js";
import { RoundPlot } from "./view/plot.js";
import { renderQuality } from "./view/quality.js";
import { RecorderPlot } from "./view/recorder.js";
import { renderScorecard, startScorecard } from "./view/scorecard.js";
import { SimulationPanel } from "./view/simulation.js";
import { ages, forgetIndicators, notices, renderNotices, renderStatus } from "./view/status.js";
import { startTables } from "./view/tables.js";
import { renderVerdict } from "./view/verdict.js";

/** @typedef {import("./api_types.js").Status} Status */

/** @type {Status | null} */
let status = null;
/** @type {string | null} */
let seenVersion = null;
let unreachable = false;
/** The predictor answers, but requires its token. */
let isLocked = false;
/** The predictor answers, but has no such table. */
let isUnknownTable = false;

setLanguage(supported(recall("language") ?? navigator.language));
startTheme();
startForecast();
startScorecard();
startTables();

const store = new RoundStore();
const plot = new RoundPlot(store);
const survivalCurve = new SurvivalCurve();
const scoreHistory = new ScoreHistoryPlots();
const recorder = new RecorderPlot();
const simulation = new SimulationPanel((query) => simulationPanel.ask(route(`simulation?${query}`)));
const simulationPanel = new LazyPanel({
  path: route(`simulation?${simulation.query()}`),
  box: el("simulation"),
  show: (answer) => simulation.show(answer),
});
const panels = [
  simulationPanel,
  new LazyPanel({
    path: route("history"),
    box: el("scorecard"),
    show: (answer) => scoreHistory.show(answer),
  }),
  new LazyPanel({
    path: route("distribution"),
    box: el("law-plot"),
    show: (answer) => survivalCurve.show(answer),
  }),
  new LazyPanel({
    path: route("recorder"),
    box: el("recorder-plot"),
    show: (answer) => recorder.show(answer),
  }),
];
const poller = new Poller({
  onStatus(next) {
    unreachable = false;
    isLocked = false;
    isUnknownTable = false;
    seenVersion ??= next.version;
    status = next;
    store.merge(next.recent, next.csv_records);
    render();
    for (const panel of panels) panel.update(`${next.csv_records} ${next.latest_timestamp}`, next.started_at);
    void widen();
  },
  onFailure(error) {
    unreachable = true;
    isLocked = error instanceof Refused && error.status === 401;
    isUnknownTable = table !== null && error instanceof Refused && error.status === 404;
    renderPageState();
  },
  onTick() {
    if (status) {
      ages(status, since());
      renderForecastAge(status, since());
    }
    for (const panel of panels) panel.tick();
    renderPageState();
  },
});

/** Renders everything from the latest status. */
function render() {
  if (!status) return;
  renderStatus(status, since());
  renderVerdict(status);
  renderForecast(status, since());
  plot.update(status.current_prediction);
  survivalCurve.update(store, status.game.return);
  renderRounds(store);
  renderStatistics(status);
  renderQuality(status);
  renderScorecard(status.scorecard);
  renderData(status, since());
  text("version", status.version);
  text("updated", clock(status.now), utc(status.now));
  document.title = title(status);
  renderPageState();
}

/** Renders what surrounds the figures: their age and what needs attention. */
function renderPageState() {
  const stale = poller.stale;
  const away = unreachable && stale;
  if (away) forgetIndicators();
  show("stale", stale || poller.paused);
  text("stale", t(poller.paused ? "paused" : "stale"));
  text("live-mode", t(poller.paused ? "paused" : `live_${poller.stream}`));
  attribute("live-mode", "title", poller.paused ? "" : t(`live_${poller.stream}_title`));
  attribute(document.body, "data-stale", stale ? "" : null);
  renderNotices(notices(status, { unreachable: away, isLocked, isUnknownTable, since: since(), seenVersion }));
}

/** @returns {number} seconds since the status was true */
function since() {
  return Number.isFinite(poller.silence) ? poller.silence / 1000 : 0;
}

/**
 * @param {Status} now
 * @returns {string} the title of the tab, which also says when the rounds are simulated
 */
function title(now) {
  const served = now.current_prediction ? `${now.current_prediction.calibrated_multiplier.toFixed(2)}× · ` : "";
  const mark = now.simulated ? `${t("simulated_word")} · ` : "";
  const of = table === null ? "" : ` · ${table}`;
  return `${mark}${served}${t("product")}${of}`;
}

startActions(() => poller.refresh());

el("pause").addEventListener("click", () => {
  poller.pause(!poller.paused);
  attribute("pause", "aria-pressed", String(poller.paused));
  renderPageState();
});

const language = /** @type {HTMLSelectElement} */ (el("language"));
language.value = document.documentElement.lang;
language.addEventListener("change", () => {
  remember("language", language.value);
  setLanguage(language.value);
  render();
  simulation.refresh();
  scoreHistory.refresh();
  recorder.refresh();
});

el("rounds-details").addEventListener("toggle", () => renderRounds(store));

/** How many of the newest rounds to show. */
let wanted = 200;
let isWidening = false;
/** The run (start time) of a predictor that serves no older rounds. */
let unsupportedRun = "";
let widenedAt = -Infinity;
/** The shortest time between two requests for older rounds, after a failure too. */
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

/** Fetches older rounds when the page has fewer than it should show. */
async function widen() {
  if (!status || isWidening || store.covers(wanted, status.csv_records)) return;
  if (unsupportedRun === status.started_at) return text("readout", t("range_limit", { n: store.rounds.length }));
  if (performance.now() - widenedAt < WIDEN_MS) return;
  isWidening = true;
  widenedAt = performance.now();
  const run = status.started_at;
  try {
    const answer = await fetchRounds(wanted);
    store.take(answer, answer.total);
    plot.update(status.current_prediction);
  } catch (error) {
    // The page keeps what it has; the status bar says when the predictor is unreachable.
    if (error instanceof Refused && error.status === 404) unsupportedRun = run;
  } finally {
    isWidening = false;
  }
}

for (const name of ["rounds", "predictions"]) attribute(`${name}-csv`, "href", route(`${name}.csv`));

// Every module has loaded: reset the count of reloads, see boot.js.
forget("loads");
poller.start();
