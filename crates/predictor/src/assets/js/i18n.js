import { de } from "./strings/de.js";
import { en } from "./strings/en.js";

/** Every word of the page, by language. English is what a missing string falls back to. */
export const STRINGS = { en, de };

/** @typedef {keyof typeof en} Key */

/** @type {keyof typeof STRINGS} */
let language = "en";
let plural = new Intl.PluralRules(language);

/** @returns {string} */
export function currentLanguage() {
  return language;
}

/**
 * @param {string | null | undefined} wanted a tag such as `de-AT`
 * @returns {keyof typeof STRINGS}
 */
export function supported(wanted) {
  return (wanted ?? "").toLowerCase().startsWith("de") ? "de" : "en";
}

/** @param {string} wanted */
export function setLanguage(wanted) {
  language = supported(wanted);
  plural = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-i18n]")) {
    node.textContent = t(/** @type {Key} */ (node.getAttribute("data-i18n")));
  }
  for (const node of document.querySelectorAll("[data-i18n-label]")) {
    node.setAttribute("aria-label", t(/** @type {Key} */ (node.getAttribute("data-i18n-label"))));
  }
  for (const node of document.querySelectorAll("[data-i18n-title]")) {
    node.setAttribute("title", t(/** @type {Key} */ (node.getAttribute("data-i18n-title"))));
  }
}

/**
 * The string for `key` with its `{names}` filled in. A string with two forms, `one | other`, is chosen by `n`.
 * @param {Key} key
 * @param {Record<string, string | number>} [values] `n` chooses the form; `shown` forms are already text
 * @returns {string}
 */
export function t(key, values = {}) {
  const whole = STRINGS[language][key] ?? STRINGS.en[key] ?? key;
  const forms = whole.split(" | ");
  const form = forms.length > 1 && plural.select(Number(values.n)) !== "one" ? forms[1] : forms[0];
  return tight(form).replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    if (typeof value === "number") return new Intl.NumberFormat(language).format(value);
    return value === undefined ? "" : String(value);
  });
}

/**
 * The string for a name that the server gave, or `fallback` when the page has no word for it.
 * @param {string} name
 * @param {string} fallback
 * @returns {string}
 */
export function named(name, fallback) {
  return Object.hasOwn(STRINGS.en, name) ? t(/** @type {Key} */ (name)) : fallback;
}

/**
 * A percent sign never starts a line.
 * @param {string} sentence
 * @returns {string}
 */
export function tight(sentence) {
  return sentence.replaceAll(" %", "\u202f%");
}
