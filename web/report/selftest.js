// With ?selftest the page opens every dashboard, looks at what each tile has drawn, tries each filter, and writes what it saw
// into the document. Tests read it; a reader of the report never meets it.
(function (eddy) {
  'use strict';
  if (!eddy.selftest) return;
  const frame = () => new Promise((done) => setTimeout(done, 30));

  // Pixels of the drawing that are not empty.
  async function pixels(chart) {
    const width = chart.getWidth(), height = chart.getHeight();
    const image = new Image();
    const drawing = new XMLSerializer().serializeToString(chart.getDom().querySelector('svg'));
    await new Promise((done, failed) => {
      image.onload = done;
      image.onerror = () => failed(new Error('the drawing is not an image: ' + drawing.slice(0, 200)));
      image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(drawing);
    });
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, width, height);
    const bytes = context.getImageData(0, 0, width, height).data;
    let drawn = 0;
    for (let at = 3; at < bytes.length; at += 4) if (bytes[at] > 0) drawn++;
    return { width, height, drawn };
  }

  async function look(tile) {
    const spec = tile.spec;
    const seen = { title: spec.title, type: spec.type, badge: tile.badge.hidden ? '' : tile.badge.textContent,
                   text: tile.body.innerText.trim(), rows: spec.result ? tile.rows().length : 0 };
    if (tile.chart) {
      const option = tile.chart.getOption();
      Object.assign(seen, await pixels(tile.chart));
      seen.series = option.series.map((one) => ({ name: one.name || '', color: one.color || null,
        values: one.data.map((point) => (Array.isArray(point) ? point[1] : point !== null && typeof point === 'object' ? point.value : point)) }));
      seen.x = (option.xAxis && option.xAxis[0].data) || (option.yAxis && option.yAxis[0].data) || null;
      seen.marks = tile.chart.getDom().querySelectorAll('svg path').length;
      seen.label = tile.chart.getDom().getAttribute('aria-label');
      // Hovering builds the tooltip from data: it must not fail either.
      tile.chart.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: 0 });
      await frame();
      seen.tip = (tile.chart.getDom().querySelector('.tip') || { innerText: '' }).innerText.trim();
      tile.chart.dispatchAction({ type: 'hideTip' });
    }
    return seen;
  }

  async function lookAll(page) {
    const tiles = [];
    for (const tile of page.tiles) tiles.push(await look(tile));
    return tiles;
  }

  async function run() {
    const out = { theme: document.documentElement.dataset.theme, background: getComputedStyle(document.body).backgroundColor, dashboards: [] };
    for (const dashboard of eddy.page.data.dashboards) {
      history.replaceState(null, '', '#' + encodeURIComponent(dashboard.name));
      eddy.page.show();
      await frame();
      const page = eddy.page.current();
      const seen = { name: dashboard.name, title: document.title, tiles: await lookAll(page), filtered: [],
                     overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth };
      for (const [filter, select] of page.selects) {
        if (select.options.length < 2) continue;
        const before = select.value;
        select.selectedIndex = 1;
        page.changed();
        await frame();
        seen.filtered.push({ filter: filter.name, value: select.value, hash: location.hash, options: [...select.options].map((o) => o.value),
                             tiles: await lookAll(page) });
        select.value = before;
        page.changed();
      }
      // Every chart also has a table.
      for (const tile of page.tiles) {
        const button = tile.node.querySelector('.tools [aria-pressed]');
        if (!button) continue;
        button.click();
        const rows = tile.body.querySelectorAll('tbody tr').length;
        seen.tiles[page.tiles.indexOf(tile)].tableRows = rows;
        button.click();
      }
      out.dashboards.push(seen);
    }
    return out;
  }

  window.addEventListener('load', async () => {
    let out = {};
    try { out = await run(); } catch (error) { eddy.errors.push('selftest: ' + error + ' ' + error.stack); }
    out.errors = eddy.errors;
    out.injected = Boolean(window.injected);
    const place = document.createElement('script');
    place.type = 'application/json';
    place.id = 'eddy-selftest';
    place.textContent = JSON.stringify(out).replace(/</g, '\\u003c');
    document.body.append(place);
    // So that a picture taken now shows the first page.
    if (eddy.page.data.dashboards.length) { history.replaceState(null, '', '#' + encodeURIComponent(eddy.page.data.dashboards[0].name)); eddy.page.show(); }
  });
})(window.eddy);
