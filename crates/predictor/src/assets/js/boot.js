// Runs before the first paint, so that a chosen theme does not flash. `?theme=dark` is for wall screens.
(() => {
  const asked = new URLSearchParams(location.search).get("theme");
  let kept = null;
  try {
    kept = localStorage.getItem("theme");
  } catch {
    // Storage may be forbidden; the system's theme then holds.
  }
  const theme = asked ?? kept;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
