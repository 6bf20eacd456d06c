/** @type {Set<() => void>} */
const followers = new Set();

/**
 * Calls `follower` after every change of theme, including the system's.
 * @param {() => void} follower
 */
export function onThemeChange(follower) {
  followers.add(follower);
}

/**
 * Returns the current colour of a CSS variable. `getPropertyValue` would return the text `light-dark(…)`.
 * @param {string} name such as `--ink`
 * @returns {string}
 */
export function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);

/** Connects the switch between system, light and dark. */
export function startTheme() {
  const inputs = [...document.querySelectorAll("#theme input")].map((node) => /** @type {HTMLInputElement} */ (node));
  const now = document.documentElement.dataset.theme ?? "system";
  for (const input of inputs) {
    input.checked = input.value === now;
    input.addEventListener("change", () => choose(input.value));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", notifyFollowers);
}

/** @param {string} theme */
function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme);
  notifyFollowers();
}

function notifyFollowers() {
  for (const follower of followers) follower();
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}

/**
 * @param {string} name
 * @returns {string | null}
 */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Removes a value of this tab. @param {string} name */
export function forget(name) {
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Storage may be forbidden; then there is nothing to forget.
  }
}
