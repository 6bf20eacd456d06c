// A legend whose entries can be switched off: what is not pressed is not drawn.

import { attribute } from "../dom.js";

/**
 * @param {string} selector of the legend; each entry is a `button[data-name]`
 * @param {() => void} onChange
 * @returns {Set<string>} the names that are switched off
 */
export function startToggles(selector, onChange) {
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
