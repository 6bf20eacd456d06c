// The only functions that write to the document. Everything from the server goes through `textContent`,
// and a node is written only when it changes, so that selection, focus and scroll position stay.

/**
 * Returns the element with this id. A missing element is an error in the page, not in the data.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function el(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * @param {string | Element} target an element or its id
 * @param {string | number | null | undefined} value `null` is shown as a dash
 * @param {string} [title] shown on hover
 */
export function text(target, value, title) {
  const node = typeof target === "string" ? el(target) : target;
  const next = value === null || value === undefined || value === "" ? "–" : String(value);
  if (node.textContent !== next) node.textContent = next;
  if (title === undefined) return;
  if (node.getAttribute("title") !== title) node.setAttribute("title", title);
}

/**
 * @param {string | Element} target
 * @param {string} name
 * @param {string | null} value `null` removes it
 */
export function attribute(target, name, value) {
  const node = typeof target === "string" ? el(target) : target;
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * @param {string | HTMLElement} target
 * @param {boolean} shown
 */
export function show(target, shown) {
  const node = typeof target === "string" ? el(target) : target;
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [content]
 * @returns {HTMLElement}
 */
export function make(tag, className, content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (content !== undefined) node.textContent = content;
  return node;
}

/**
 * @typedef {object} Cell
 * @property {string} text
 * @property {string} [title] shown on hover
 * @property {string} [className]
 * @property {number} [share] 0 to 1, drawn as a bar behind the text
 */

/**
 * @typedef {object} Row
 * @property {string} key identifies the row across updates
 * @property {(string | Cell)[]} cells the first is the row's header
 * @property {string} [className]
 */

/**
 * Makes the body of a table equal to `rows`. Rows with the same key are kept; others are added, moved or removed.
 * @param {string} id of the table
 * @param {Row[]} rows
 */
export function syncRows(id, rows) {
  const body = /** @type {Element} */ (el(id).querySelector("tbody"));
  const old = new Map([...body.children].map((node) => [node.getAttribute("data-key"), node]));
  const first = old.size === 0;
  let place = body.firstElementChild;
  for (const row of rows) {
    let node = old.get(row.key);
    old.delete(row.key);
    if (!node) {
      node = newRow(row, first);
      body.insertBefore(node, place);
    } else if (node === place) {
      place = place.nextElementSibling;
    } else {
      body.insertBefore(node, place);
    }
    fillRow(node, row);
  }
  for (const gone of old.values()) gone.remove();
}

/**
 * @param {Row} row
 * @param {boolean} first whether the table was empty: then no row slides in
 * @returns {Element}
 */
function newRow(row, first) {
  const node = make("tr");
  node.setAttribute("data-key", row.key);
  if (!first) node.setAttribute("data-new", "");
  row.cells.forEach((_, index) => {
    const cell = make(index === 0 ? "th" : "td");
    if (index === 0) cell.setAttribute("scope", "row");
    node.append(cell);
  });
  return node;
}

/**
 * @param {Element} node
 * @param {Row} row
 */
function fillRow(node, row) {
  const className = row.className ?? "";
  if (node.className !== className) node.className = className;
  row.cells.forEach((content, index) => {
    const cell = typeof content === "string" ? { text: content } : content;
    const place = node.children[index];
    text(place, cell.text, cell.title);
    const wanted = cell.className ?? "num";
    if (place.className !== wanted) place.className = wanted;
    if (cell.share !== undefined) /** @type {HTMLElement} */ (place).style.setProperty("--share", String(cell.share));
  });
}
