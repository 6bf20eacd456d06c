// Row 3, below: what equal stakes on one target would have brought, from `api/simulation`.

import { el, syncRows, text } from "../dom.js";
import { isNumber, number, plain, times } from "../format.js";
import { t } from "../i18n.js";
import { recall, remember } from "../theme.js";
import { axis, Chart, colours, edge, level, line } from "./chart.js";

/** @typedef {import("../api_types.js").Simulation} Simulation */

const FIELDS = /** @type {const} */ (["target", "stake", "bankroll"]);
const ROWS_MAX = 24;

export class SimulationPanel {
  /** @param {(query: string) => void} onQuery called when other bets are asked for */
  constructor(onQuery) {
    this.chart = new Chart("simulation-plot", options);
    /** @type {Simulation | null} */
    this.shown = null;
    for (const name of FIELDS) {
      const input = field(name);
      input.value = recall(`simulation-${name}`) ?? input.value;
      input.addEventListener("change", () => {
        if (!input.checkValidity()) return;
        remember(`simulation-${name}`, input.value);
        onQuery(this.query());
      });
    }
    for (const input of document.querySelectorAll("#simulation-range input")) {
      input.addEventListener("change", () => onQuery(this.query()));
    }
    this.chart.say(t("panel_wait"));
  }

  /** @returns {string} the query of these bets */
  query() {
    const chosen = /** @type {HTMLInputElement} */ (document.querySelector("#simulation-range input:checked"));
    const query = new URLSearchParams({ limit: chosen.value });
    for (const name of FIELDS) {
      const { value } = field(name);
      if (value !== "" && field(name).checkValidity()) query.set(name, value);
    }
    return query.toString();
  }

  /** @param {Simulation | null} answer `null` when this predictor has no such route */
  show(answer) {
    this.shown = answer;
    if (!answer || answer.rounds === 0) {
      text("simulation-say", "\u00a0");
      text("simulation-luck", "\u00a0");
      syncRows("simulation-table", []);
      return this.chart.say(t(answer ? "simulation_none" : "panel_unsupported"));
    }
    const { points, luck } = answer;
    text("simulation-say", sentence(answer));
    const expected = signed(answer.expected_per_100);
    text("simulation-luck", t("simulation_luck", { lo: signed(luck.lo), hi: signed(luck.hi), expected }));
    const column = (/** @type {"net" | "lo" | "hi"} */ name) => points.map((point) => point[name]);
    this.chart.draw(
      [points.map((point) => point.round), column("hi"), column("lo"), column("net")],
      t("simulation_label", { n: answer.rounds, net: signed(answer.net), lo: signed(luck.lo), hi: signed(luck.hi) }),
    );
    const step = Math.max(1, Math.ceil(points.length / ROWS_MAX));
    const shown = points.filter((_, index) => (points.length - 1 - index) % step === 0).reverse();
    syncRows(
      "simulation-table",
      shown.map(({ round, net, lo, hi }) => ({
        key: String(round),
        cells: [number(round), signed(net), `${signed(lo)} … ${signed(hi)}`],
      })),
    );
  }

  /** Renders again after a change of language. */
  refresh() {
    if (this.shown) this.show(this.shown);
    else this.chart.say(t("panel_wait"));
  }
}

/**
 * @param {Simulation} answer
 * @returns {string}
 */
function sentence(answer) {
  const words = {
    n: answer.bets,
    target: times(answer.target),
    stake: plain(answer.stake),
    won: number(answer.won),
    net: signed(answer.net),
    per: signed(answer.net_per_100),
    run: number(answer.longest_losing_run),
  };
  const said = t("simulation_say", words);
  if (isNumber(answer.broke_after)) return `${said} ${t("simulation_broke", { round: number(answer.broke_after) })}`;
  return isNumber(answer.balance) ? `${said} ${t("simulation_balance", { balance: plain(answer.balance) })}` : said;
}

/**
 * Formats an amount with its sign and at most two decimals.
 * @param {number | null} value
 * @returns {string}
 */
function signed(value) {
  if (!isNumber(value)) return "–";
  const shown = plain(Math.abs(value));
  return shown === "0" ? "0" : `${value > 0 ? "+" : "−"}${shown}`;
}

/**
 * @param {(typeof FIELDS)[number]} name
 * @returns {HTMLInputElement}
 */
function field(name) {
  return /** @type {HTMLInputElement} */ (el(`simulation-${name}`));
}

/** @returns {Record<string, any>} */
function options() {
  const whole = (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => plain(tick));
  return {
    scales: { x: { time: false } },
    axes: [axis("x", { values: whole }), axis("y", { values: whole })],
    series: [{}, edge(), edge(), line({ width: 2 })],
    bands: [{ series: [1, 2], fill: () => colours.band }],
    hooks: { drawAxes: [(/** @type {any} */ u) => level(u, { y: 0, stroke: colours.ink, width: 2 })] },
  };
}
