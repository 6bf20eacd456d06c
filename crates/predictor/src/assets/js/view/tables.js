// Which table the page shows, where the predictor serves more than one.

import { fetchTables, table } from "../api.js";
import { el, make, show } from "../dom.js";

/** Offers the tables that are served; another choice is another address, so it can be kept and shared. */
export function startTables() {
  const choice = /** @type {HTMLSelectElement} */ (el("table"));
  choice.addEventListener("change", () => {
    const address = new URL(location.href);
    address.searchParams.set("table", choice.value);
    location.assign(address);
  });
  fetchTables().then(({ tables }) => offer(choice, tables.map(({ name }) => name)), () => {
    // The status tells when the predictor is away; a reload asks again.
  });
}

/**
 * @param {HTMLSelectElement} choice
 * @param {string[]} names the one that plain addresses mean first
 */
function offer(choice, names) {
  for (const name of names) {
    const option = /** @type {HTMLOptionElement} */ (make("option", "", name));
    option.value = name;
    choice.append(option);
  }
  choice.value = table ?? names[0] ?? "";
  show("tables", names.length > 1 || (table !== null && !names.includes(table)));
}
