// Puts the page together: what arrives from the server is handed, whole, to the view of each row.

import { fetchRounds } from "./api.js";
import { attribute, el, show, text } from "./dom.js";
import { clock, utc } from "./format.js";
import { setLanguage, supported, t } from "./i18n.js";
import { Live } from "./live.js";
import { RoundStore } from "./store.js";
import { recall, remember, startTheme } from "./theme.js";
import { startActions } from "./view/actions.js";
import { renderData, renderRounds } from "./view/data.js";
import { renderForecast, saidAge, startForecast } from "./view/forecast.js";
import { LawPlot, renderStatistics } from "./view/law.js";
import { RoundPlot } from "./view/plot.js";
import { renderQuality } from "./view/quality.js";
import { renderScorecard, startScorecard } from "./view/scorecard.js";
import { ages, forgetIndicators, notices, renderNotices, renderStatus } from "./view/status.js";
import { renderVerdict } from "./view/verdict.js";

/** @typedef {import("./contract.js").Status} Status */

/** @type {Status | null} */
let status = null;
/** @type {string | null} */
let seenVersion = null;
let unreachable = false;

setLanguage(supported(recall("language") ?? navigator.language));
startTheme();
startForecast();
startScorecard();

const store = new RoundStore();
const plot = new RoundPlot(store);
const law = new LawPlot();
const live = new Live({
  onStatus(next) {
    unreachable = false;
    seenVersion ??= next.version;
    status = next;
    store.merge(next.recent, next.csv_records);
    render();
  },
  onFailure() {
    unreachable = true;
    surroundings();
  },
  onTick() {
    if (status) {
      ages(status, since());
      saidAge(status, since());
    }
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
  law.update(store.rounds);
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
  text("live-mode", t(live.paused ? "paused" : live.streaming ? "live_stream" : "live_poll"));
  attribute(document.body, "data-stale", stale ? "" : null);
  renderNotices(notices(status, { unreachable: away, since: since(), seenVersion }));
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
  return `${mark}${point}${t("product")}`;
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
});

el("rounds-details").addEventListener("toggle", () => renderRounds(store));

for (const input of document.querySelectorAll("#range input")) {
  input.addEventListener("change", () => void chooseRange(/** @type {HTMLInputElement} */ (input).value));
}

/** @param {string} value `50` to `1000`, or `all` */
async function chooseRange(value) {
  const count = value === "all" ? Infinity : Number(value);
  const link = status?.links?.rounds;
  if (link && store.rounds.length < Math.min(count, status?.csv_records ?? 0)) {
    try {
      const older = await fetchRounds(link, value === "all" ? "all" : count);
      store.prepend(older.rounds, older.first);
    } catch {
      // What is here is shown; the status bar tells when the predictor is away.
    }
  }
  plot.choose(count);
  const here = store.rounds.length;
  if (here < Math.min(count, status?.csv_records ?? 0)) text("readout", t("range_limit", { n: here }));
}

live.start();
