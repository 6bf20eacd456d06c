// All addresses are relative: the page works under any path of a reverse proxy.

/** @typedef {import("./api_types.js").Status} Status */

/** The server refused a request; `problem` is the `application/problem+json` it sent. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} problem
   */
  constructor(status, problem) {
    super(typeof problem.detail === "string" ? problem.detail : `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

const LIMIT_MS = 10_000;
/** A training request is answered when the model is trained: minutes on a large recording. */
const TRAIN_LIMIT_MS = 600_000;

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @param {number} [limit] milliseconds
 * @returns {Promise<any>}
 */
async function call(path, init, limit = LIMIT_MS) {
  const answer = await fetch(path, {
    ...init,
    cache: "no-cache",
    signal: AbortSignal.timeout(limit),
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** The table named in the page's address; `null` is the predictor's default table. */
export const table = new URLSearchParams(location.search).get("table");

/**
 * @param {string} name such as `status`
 * @returns {string} the address of this route for the table on the page
 */
export const route = (name) =>
  table === null ? `api/v1/${name}` : `api/v1/tables/${encodeURIComponent(table)}/${name}`;

/** @returns {Promise<{ tables: { name: string }[] }>} */
export const fetchTables = () => call("api/v1/tables");

/** @returns {Promise<Status>} */
export const fetchStatus = () => call(route("status"));

/** @returns {Promise<any>} */
export const loadCsv = () => call(route("load_csv"));

/** @returns {Promise<any>} */
export const predict = () => call(route("predict"));

/** @returns {Promise<any>} */
export const train = () => {
  const headers = { "Content-Type": "application/json", "X-Requested-With": "aviator" };
  return call(route("train"), { method: "POST", headers, body: "{}" }, TRAIN_LIMIT_MS);
};

/**
 * Fetches what the status does not carry.
 * @param {string} path
 * @returns {Promise<any>}
 */
export const ask = (path) => call(path);

/** The server thins rounds to this many points; a plot has no more columns. */
const POINTS = 2000;

/**
 * Fetches the newest rounds; the server thins them when there are many.
 * @param {number} count `Infinity` for all
 * @returns {Promise<{ step: number, total: number, rounds: import("./store.js").NumberedRound[] }>}
 */
export const fetchRounds = (count) =>
  call(route(`rounds?limit=${count === Infinity ? "all" : count}&points=${POINTS}`));
