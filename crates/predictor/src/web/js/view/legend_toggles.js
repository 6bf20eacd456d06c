// A legend whose entries can be switched off; only pressed entries are drawn.

import { attribute } from "../dom.js";

/**
 * @param {string} selector of the legend, whose entries are `button[data-name]`
 * @param {() => void} onChange
 * @returns {Set<string>} the names that are switched off
 */
export function startLegendToggles(selector, onChange) {
  /** @type {Set<string>} */
  const hidden = new Set();
  for (const node of document.querySelectorAll(`${selector} button[data-name]`)) {
    const name = /** @type {HTMLElement} */ (node).dataset.name ?? "";
    node.addEventListener("click", () => {
      if (!hidden.delete(name)) hidden.add(name);
      attribute(node, "aria-pressed", String(!hidden.has(name)));
      onChange();
    });
  }
  return hidden;
}
