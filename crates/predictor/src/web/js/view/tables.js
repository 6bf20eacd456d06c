// Selects the table that the page shows, when the predictor serves more than one.

import { fetchTables, table } from "../api.js";
import { el, make, show } from "../dom.js";

/** Lists the served tables. Choosing one changes the address, so that it can be bookmarked and shared. */
export function startTables() {
  const choice = /** @type {HTMLSelectElement} */ (el("table"));
  choice.addEventListener("change", () => {
    const address = new URL(location.href);
    address.searchParams.set("table", choice.value);
    location.assign(address);
  });
  fetchTables().then(
    ({ tables }) =>
      offer(
        choice,
        tables.map(({ name }) => name),
      ),
    () => {
      // The status bar says when the predictor is unreachable; a reload tries again.
    },
  );
}

/**
 * @param {HTMLSelectElement} choice
 * @param {string[]} names the default table first
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
