import { currentLanguage, t } from "./i18n.js";

/** @type {Map<string, Intl.NumberFormat>} */
const cache = new Map();

/**
 * @param {number} value
 * @param {number} digits decimals, exactly
 * @returns {string}
 */
export function number(value, digits = 0) {
  const key = `${currentLanguage()}${digits}`;
  let format = cache.get(key);
  if (!format) {
    format = new Intl.NumberFormat(currentLanguage(), {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    cache.set(key, format);
  }
  return format.format(value).replace("-", "−");
}

/**
 * Formats a number with at most two decimals, without trailing zeros: `3`, `48.5`.
 * @param {number} value
 * @returns {string}
 */
export function plain(value) {
  return new Intl.NumberFormat(currentLanguage(), { maximumFractionDigits: 2 }).format(value);
}

/**
 * Formats the ticks of an axis: `500`, `10K`.
 * @param {number} value
 * @returns {string}
 */
export function short(value) {
  return new Intl.NumberFormat(currentLanguage(), {
    notation: "compact",
    maximumSignificantDigits: 2,
  }).format(value);
}

/**
 * Formats a multiplier as players write it: `2.31×`.
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function times(value) {
  return isNumber(value) ? `${number(value, 2)}×` : "–";
}

/**
 * @param {number | null | undefined} low
 * @param {number | null | undefined} high
 * @returns {string}
 */
export function range(low, high) {
  return isNumber(low) && isNumber(high) ? `${times(low)} – ${times(high)}` : "–";
}

/**
 * @param {number | null | undefined} share 0 to 1
 * @param {number} [digits]
 * @returns {string}
 */
export function percent(share, digits = 1) {
  return isNumber(share) ? `${number(share * 100, digits)}\u202f%` : "–";
}

/**
 * Formats a difference of two shares, in percentage points, with its sign.
 * @param {number} difference
 * @returns {string}
 */
export function points(difference) {
  const rounded = Math.round(difference * 1000) / 10;
  const sign = rounded > 0 ? "+" : "";
  return rounded === 0 ? `±${number(0, 1)}` : `${sign}${number(rounded, 1)}`;
}

/**
 * Formats a percentage with its sign: `+0.42 %`.
 * @param {number | null | undefined} value percent
 * @returns {string}
 */
export function signedPercent(value) {
  return isNumber(value) ? `${value > 0 ? "+" : ""}${number(value, 2)}\u202f%` : "–";
}

/**
 * Formats what one imaginary euro has become.
 * @param {number} value
 * @returns {string}
 */
export function euros(value) {
  if (value > 9999) return "> 9999";
  if (value < 0.095) return value < 0.001 ? `< ${number(0.001, 3)}` : number(value, value < 0.0095 ? 3 : 2);
  return number(value, value < 9.95 ? 1 : 0);
}

/**
 * Formats a figure with four significant digits, at most three of them decimals.
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function figure(value) {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  return number(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/**
 * Formats how long ago something was: `4 s`, `3 min`, `2 h 5 min`, `3 d`.
 * @param {number | null | undefined} seconds
 * @returns {string}
 */
export function age(seconds) {
  if (!isNumber(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("age_s", { n: whole });
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return t("age_min", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("age_h", { h: hours, m: minutes % 60 });
  return t("age_d", { n: Math.floor(hours / 24) });
}

/**
 * @param {number | null | undefined} milliseconds
 * @returns {string}
 */
export function duration(milliseconds) {
  if (!isNumber(milliseconds)) return "–";
  if (milliseconds < 1000) return `${number(Math.round(milliseconds))} ms`;
  return milliseconds < 60_000 ? `${number(milliseconds / 1000, 1)} s` : age(milliseconds / 1000);
}

/**
 * Formats the local time of day, with the date if it is not today.
 * @param {string | null | undefined} iso
 * @returns {string}
 */
export function clock(iso) {
  const date = parse(iso);
  if (!date) return "–";
  const today = date.toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const options = today ? time : { ...time, year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(currentLanguage(), /** @type {Intl.DateTimeFormatOptions} */ (options)).format(date);
}

/**
 * Labels a tick of a time axis: the time of day, or the date when ticks are days apart.
 * @param {number} seconds since 1970
 * @param {boolean} days
 * @returns {string}
 */
export function tickTime(seconds, days) {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = days ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(currentLanguage(), options).format(new Date(seconds * 1000));
}

/**
 * Formats the same moment in UTC, for the tooltip.
 * @param {string | null | undefined} iso
 * @returns {string}
 */
export function utc(iso) {
  const date = parse(iso);
  return date ? date.toISOString().replace("T", " ").replace("Z", " UTC") : "";
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * @param {string | null | undefined} iso
 * @returns {Date | null}
 */
function parse(iso) {
  const date = iso ? new Date(iso) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}
