import { de } from "./strings/de.js";
import { en } from "./strings/en.js";

/** Every text of the page by language; a text that is missing falls back to English. */
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
 * Returns the text for `key` with its `{names}` filled in. Of two forms, `one | other`, `n` selects one.
 * @param {Key} key
 * @param {Record<string, string | number>} [values] `n` selects the form; numbers are formatted, texts are not
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
 * Returns the text for a name sent by the server, or `fallback` when the page has none.
 * @param {string} name
 * @param {string} fallback
 * @returns {string}
 */
export function named(name, fallback) {
  return Object.hasOwn(STRINGS.en, name) ? t(/** @type {Key} */ (name)) : fallback;
}

/**
 * Joins percent signs to their numbers, so that none starts a line.
 * @param {string} sentence
 * @returns {string}
 */
export function tight(sentence) {
  return sentence.replaceAll(" %", "\u202f%");
}
