// All addresses are relative: the page works under any path of a reverse proxy.

/** @typedef {import("./contract.js").Status} Status */

/** The server said no, and why. `problem` is its `application/problem+json`. */
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
/** A training answers when it is done, which may take minutes on much data. */
const TRAIN_LIMIT_MS = 600_000;

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @param {number} [limit] milliseconds
 * @returns {Promise<any>}
 */
async function call(path, init, limit = LIMIT_MS) {
  const answer = await fetch(path, { ...init, cache: "no-cache", signal: AbortSignal.timeout(limit) });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** @returns {Promise<Status>} */
export const fetchStatus = () => call("api/status");

/** @returns {Promise<any>} */
export const loadCsv = () => call("api/load_csv");

/** @returns {Promise<any>} */
export const predict = () => call("api/predict");

/** @returns {Promise<any>} */
export const train = () => {
  const headers = { "Content-Type": "application/json", "X-Requested-With": "aviator" };
  return call("api/train", { method: "POST", headers, body: "{}" }, TRAIN_LIMIT_MS);
};

/**
 * More rounds than the status carries, if the server hands them out (`links.rounds`).
 * @param {string} link
 * @param {number | "all"} count
 * @returns {Promise<{ first: number, rounds: import("./contract.js").RecentRound[] }>}
 */
export const fetchRounds = (link, count) => call(`${link}?limit=${encodeURIComponent(count)}`);
