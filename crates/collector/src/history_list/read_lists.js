(() => {
  // The texts of every history list of the page. Nothing is changed, and the page has no way to notice.
  const selectors = SELECTORS, found = [], known = new Set();

  // Open shadow roots are searched only where the page itself has no list: that looks at every element.
  const shadows = (root, all) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) {
        all.push(element.shadowRoot);
        shadows(element.shadowRoot, all);
      }
    }
    return all;
  };

  const contents = node => {
    const text = node.textContent.trim();
    if (text || !node.shadowRoot) return text;
    const shown = [...node.shadowRoot.children].filter(child => !/^(STYLE|SCRIPT|LINK)$/.test(child.tagName));
    return shown.map(contents).join('').trim();
  };

  // Where a page orders its entries by style, the order on screen counts. Places are those of the layout, so that an entry
  // that slides in has its place from the start; entries that are all laid out at one place are moved there.
  const places = entries => {
    const layout = entries.map(entry => ({ entry, top: entry.offsetTop, left: entry.offsetLeft, height: entry.offsetHeight }));
    const first = layout[0];
    if (layout.some(place => place.top !== first.top || place.left !== first.left)) return layout;
    return entries.map(entry => {
      const { top, left, height } = entry.getBoundingClientRect();
      return { entry, top, left, height };
    });
  };

  const lines = (places, along, across, extent) => {
    const sorted = [...places].sort((a, b) => a[across] - b[across]);
    const lines = [];
    for (const place of sorted) {
      const line = lines.at(-1);
      if (line && place[across] < line[0][across] + extent(line[0]) / 2) line.push(place);
      else lines.push([place]);
    }
    return lines.flatMap(line => line.sort((a, b) => a[along] - b[along])).map(place => place.entry);
  };

  const inOrder = entries => {
    if (entries.length < 2) return entries;
    const all = places(entries);
    if (all.some(place => !(place.height > 0) || place.left === undefined)) return entries;
    const same = order => order.every((entry, index) => entry === entries[index]);
    const read = lines(all, 'left', 'top', place => place.height);
    // Right to left, or column by column, in the order of the document.
    const isRightToLeft = getComputedStyle(entries[0].parentElement || entries[0]).direction === 'rtl';
    const rows = isRightToLeft
      ? lines(all.map(place => ({ ...place, left: -place.left })), 'left', 'top', place => place.height)
      : read;
    if (same(rows) || same(lines(all, 'top', 'left', () => 2))) return entries;
    return rows;
  };

  const search = root => selectors.forEach((selector, index) => {
    const lists = new Map();
    // The game shows its history twice: on the page, and in a pop-up (`app-stats-dropdown`).
    for (const entry of root.querySelectorAll(selector)) {
      const popup = entry.closest('app-stats-dropdown');
      const home = popup || entry.closest('.payouts-block') || root;
      if (!lists.has(home)) lists.set(home, { selector: index, popup: popup !== null, entries: [] });
      lists.get(home).entries.push(entry);
    }
    for (const list of lists.values()) {
      if (known.has(list.entries[0])) continue;
      known.add(list.entries[0]);
      const texts = inOrder(list.entries).slice(NEWEST).map(entry => contents(entry).slice(0, TEXT_LEN_MAX));
      found.push({ selector: list.selector, popup: list.popup, texts });
    }
  });

  search(document);
  if (found.length === 0) {
    shadows(document, []).forEach(search);
  }
  if (found.length === 0) {
    // An element of the page's own kind that is empty, and yet has a size, draws in a closed shadow root.
    const isClosed = element => element.localName.includes('-') && !element.shadowRoot &&
      element.childNodes.length === 0 && element.offsetWidth > 0 && element.offsetHeight > 0;
    const closed = [...document.querySelectorAll('*')].filter(isClosed).map(element => element.localName);
    if (closed.length > 0) found.push({ selector: 0, popup: false, texts: [], closed: [...new Set(closed)].slice(0, 5) });
  }
  return JSON.stringify(found);
})()
