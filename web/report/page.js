// The page: navigation between dashboards, filters, theme, printing. What is chosen stands in the address, so a link is a view.
(function (eddy) {
  'use strict';
  const el = eddy.el;
  const data = JSON.parse(document.getElementById('eddy-data').textContent);
  const main = document.getElementById('main');
  const pages = new Map();  // name -> Page

  // "#customers?country=DE"
  function address() {
    const [name, query] = location.hash.slice(1).split('?');
    let plain = name;
    try { plain = decodeURIComponent(name); } catch { /* an address typed by hand */ }
    return { name: plain, chosen: new URLSearchParams(query || '') };
  }

  function choicesOf(filter, dashboard) {
    let cells = filter.options;
    if (cells === null) {
      cells = [];
      for (const tile of dashboard.tiles) {
        const index = tile.result ? eddy.columnIndex(tile.result, filter.column) : -1;
        if (index >= 0) cells.push(...eddy.cellsOf(tile.result.rows, index));
      }
      cells.sort((a, b) => eddy.compareCells(a, b, 'text', false));
    }
    return [...new Set(cells.map(eddy.keyOf))];
  }
  const none = eddy.keyOf(null);
  // Options are "all" or "is:<value>": a value may be the word all.
  const initial = (filter) => (filter.initial === null ? 'all' : 'is:' + filter.initial);

  class Page {
    constructor(dashboard) {
      this.dashboard = dashboard;
      this.tiles = dashboard.tiles.map((tile, at) => new eddy.Tile(tile, dashboard.name + '-' + at));
      this.selects = new Map();
      this.node = el('article', { 'aria-labelledby': 'title-' + dashboard.name },
        el('div', { class: 'intro' }, el('h1', { id: 'title-' + dashboard.name }, dashboard.title), dashboard.text ? eddy.markdown(dashboard.text) : null),
        dashboard.filters.length ? this.filterBar() : null,
        el('div', { class: 'grid' }, this.tiles.map((tile) => tile.node)));
    }

    filterBar() {
      this.reset = el('button', { type: 'button', class: 'reset', hidden: true, onclick: () => {
        for (const [filter, select] of this.selects) select.value = initial(filter);
        this.changed();
      } }, 'Reset');
      return el('form', { class: 'filters', 'aria-label': 'Filters', onsubmit: (event) => event.preventDefault() },
        this.dashboard.filters.map((filter) => this.filterField(filter)), this.reset);
    }

    filterField(filter) {
      const id = 'filter-' + this.dashboard.name + '-' + filter.name;
      const keys = choicesOf(filter, this.dashboard);
      if (filter.initial !== null && !keys.includes(filter.initial)) keys.push(filter.initial);
      const select = el('select', { id, onchange: () => this.changed() }, el('option', { value: 'all' }, 'All'),
        keys.map((key) => el('option', { value: 'is:' + key }, key === none ? '(none)' : key)));
      select.value = initial(filter);
      this.selects.set(filter, select);
      return el('label', { for: id }, el('span', {}, filter.label === filter.name ? eddy.humanise(filter.name) : filter.label), select);
    }

    chosen() {
      return [...this.selects].filter(([, select]) => select.value !== 'all')
        .map(([filter, select]) => ({ label: filter.label, column: filter.column, value: select.value.slice(3) }));
    }

    // A choice was made: the address follows, then the tiles.
    changed() {
      const chosen = new URLSearchParams();
      for (const [filter, select] of this.selects)
        if (select.value !== initial(filter)) chosen.set(filter.name, select.value);
      const query = chosen.toString();
      history.replaceState(null, '', location.pathname + location.search + '#' + encodeURIComponent(this.dashboard.name) + (query ? '?' + query : ''));
      this.draw();
    }

    read(chosen) {
      for (const [filter, select] of this.selects) {
        const asked = chosen.get(filter.name);
        select.value = asked ?? initial(filter);
        if (select.selectedIndex < 0) select.value = 'all';
      }
    }

    draw() {
      const chosen = this.chosen();
      if (this.reset) this.reset.hidden = ![...this.selects].some(([filter, select]) => select.value !== initial(filter));
      for (const [, select] of this.selects) select.classList.toggle('on', select.value !== 'all');
      for (const tile of this.tiles) tile.filter(chosen);
      // The height of a row is known when all of its tiles are drawn.
      this.resize();
    }

    resize() { for (const tile of this.tiles) tile.resize(); }
  }

  let current = null;
  function show() {
    const { name, chosen } = address();
    const dashboard = data.dashboards.find((one) => one.name === name) || data.dashboards[0];
    if (!dashboard) {
      main.replaceChildren(el('p', { class: 'empty' }, 'This project has no dashboards yet.'));
      return;
    }
    if (!pages.has(dashboard.name)) pages.set(dashboard.name, new Page(dashboard));
    const page = pages.get(dashboard.name);
    if (current !== page) main.replaceChildren(page.node);
    current = page;
    document.title = dashboard.title + (data.project ? ' \u00b7 ' + data.project : '');
    for (const link of document.querySelectorAll('#nav a')) {
      if (link.dataset.name === dashboard.name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    page.read(chosen);
    page.draw();
  }

  const clock = (iso) => eddy.timeText(Date.parse(iso), 'minute') + ' UTC';
  function furniture() {
    document.getElementById('project').textContent = data.project || 'Eddy';
    const nav = document.getElementById('nav');
    if (data.dashboards.length > 1) {
      for (const one of data.dashboards) nav.append(el('a', { href: '#' + encodeURIComponent(one.name), 'data-name': one.name }, one.title));
    } else {
      nav.remove();
    }
    document.getElementById('footer').append(
      data.data_as_of ? el('span', {}, 'Data as of ', el('time', { datetime: data.data_as_of }, clock(data.data_as_of))) : '',
      el('span', {}, 'Generated ', el('time', { datetime: data.generated_at }, clock(data.generated_at))),
      el('span', {}, 'Eddy ' + data.version));
    const theme = document.getElementById('theme');
    const label = () => {
      const dark = eddy.theme.name() === 'dark';
      theme.replaceChildren(eddy.icon(dark ? eddy.icons.sun : eddy.icons.moon));
      theme.title = dark ? 'Light colours' : 'Dark colours';
      theme.setAttribute('aria-label', 'Switch to ' + theme.title.toLowerCase());
    };
    theme.addEventListener('click', () => eddy.theme.toggle());
    eddy.theme.listeners.push(label, () => { if (current) current.draw(); });
    label();
  }

  let waiting = 0;
  window.addEventListener('resize', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { if (current) current.resize(); });
  });
  // Paper has one width; charts are drawn for it before the page is laid out, and light.
  const printing = (on) => () => {
    document.body.classList.toggle('printing', on);
    document.documentElement.dataset.theme = on ? 'light' : eddy.theme.name();
    if (current) current.draw();
  };
  window.addEventListener('beforeprint', printing(true));
  window.addEventListener('afterprint', printing(false));
  window.addEventListener('hashchange', show);

  eddy.assignColours(data);
  furniture();
  show();
  eddy.page = { data, pages, show, current: () => current };
})(window.eddy);
