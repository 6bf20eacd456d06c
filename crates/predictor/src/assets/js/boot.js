// Runs before the first paint, so that a chosen theme does not flash. `?theme=dark` is for wall screens.
(() => {
  /**
   * Storage may be forbidden, and then even naming it fails.
   * @param {() => Storage} kept
   * @param {(kept: Storage) => any} use
   */
  const keep = (kept, use) => {
    try {
      return use(kept());
    } catch {
      return null;
    }
  };

  const asked = new URLSearchParams(location.search).get("theme");
  const theme = asked ?? keep(() => localStorage, (kept) => kept.getItem("theme"));
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

  // A script that did not arrive (the predictor was just restarted, the line broke) leaves a page without life.
  // It is loaded again, a few times; app.js forgets the count when it runs.
  const LOADS_MAX = 4;
  /** @param {Event} event */
  const again = (event) => {
    if (!(event.target instanceof HTMLScriptElement)) return;
    keep(() => sessionStorage, (kept) => {
      const loads = Number(kept.getItem("loads") ?? 0) + 1;
      if (loads >= LOADS_MAX) return;
      kept.setItem("loads", String(loads));
      setTimeout(() => location.reload(), 1000 * loads);
    });
  };
  addEventListener("error", again, true);
})();
