// Runs before the first paint, so that a chosen theme does not flash. `?theme=dark` is for wall screens.
(() => {
  /**
   * Storage may be forbidden; then even reading `localStorage` throws.
   * @param {() => Storage} storage
   * @param {(storage: Storage) => any} use
   */
  const withStorage = (storage, use) => {
    try {
      return use(storage());
    } catch {
      return null;
    }
  };

  const asked = new URLSearchParams(location.search).get("theme");
  const theme =
    asked ??
    withStorage(
      () => localStorage,
      (storage) => storage.getItem("theme"),
    );
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

  // If a script fails to load (the predictor is restarting, the connection broke), the page does not
  // work. Reload it a few times; app.js resets the count once every module has run.
  const LOADS_MAX = 4;
  /** @param {Event} event */
  const reload = (event) => {
    if (!(event.target instanceof HTMLScriptElement)) return;
    withStorage(
      () => sessionStorage,
      (storage) => {
        const loads = Number(storage.getItem("loads") ?? 0) + 1;
        if (loads >= LOADS_MAX) return;
        storage.setItem("loads", String(loads));
        setTimeout(() => location.reload(), 1000 * loads);
      },
    );
  };
  addEventListener("error", reload, true);
})();
