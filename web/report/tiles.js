// One tile: its frame, what stands in it, and how it follows filters and themes.
(function (eddy) {
  'use strict';
  const el = eddy.el;
  const isChart = (tile) => !['number', 'table', 'text'].includes(tile.type);

  function empty() { return el('p', { class: 'empty' }, 'No rows'); }

  function failure(error) {
    return el('div', { class: 'failure', role: 'alert' }, eddy.icon(eddy.icons.warning),
      el('div', {}, el('strong', {}, 'This tile could not be computed'), el('pre', {}, error.message),
        error.hint ? el('p', {}, error.hint) : null, el('code', {}, error.code)));
  }

  function delta(tile, format, now, before) {
    const a = eddy.number(now), b = eddy.number(before);
    if (a === null || b === null) return null;
    const change = a - b;
    const label = tile.compare_label || eddy.humanise(tile.compare || 'the period before').toLowerCase();
    const against = el('span', { class: 'against' }, 'vs ' + format.headline(before) + ' ' + label);
    if (Math.abs(change) < 1e-12) return el('p', { class: 'delta' }, el('span', { class: 'chip same' }, 'No change'), against);
    const good = change > 0 === (tile.good !== 'down');
    // Of a share the difference is told in points: "up 10 %" would be read two ways.
    const points = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    const size = format.kind === 'percent' ? Math.abs(change * 100).toLocaleString('en-US', points) + ' pp'
      : b === 0 ? format.headline(Math.abs(change))
      : Math.abs(change / b).toLocaleString('en-US', { style: 'percent', ...points });
    const absolute = format.kind === 'percent' || b === 0 ? null : (change > 0 ? '+' : '\u2212') + format.headline(Math.abs(change));
    return el('p', { class: 'delta' },
      el('span', { class: 'chip ' + (good ? 'good' : 'bad'), title: absolute, 'aria-label': (change > 0 ? 'up ' : 'down ') + size + (good ? ', good' : ', bad') },
        (change > 0 ? '\u25B2 ' : '\u25BC ') + size), against);
  }

  function sparkline(values) {
    const points = values.map((value, at) => [at, value]).filter((point) => point[1] !== null);
    if (points.length < 2) return null;
    const low = Math.min(...points.map((p) => p[1])), high = Math.max(...points.map((p) => p[1]));
    const x = (at) => (100 * at) / (values.length - 1);
    const y = (value) => (high === low ? 15 : 28 - (26 * (value - low)) / (high - low));
    const line = points.map((p, i) => (i ? 'L' : 'M') + x(p[0]).toFixed(2) + ' ' + y(p[1]).toFixed(2)).join('');
    const svg = eddy.icon(line);
    svg.setAttribute('viewBox', '0 0 100 30');
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('class', 'spark');
    const area = svg.firstChild.cloneNode();
    area.setAttribute('d', line + 'L' + x(points[points.length - 1][0]).toFixed(2) + ' 30L' + x(points[0][0]).toFixed(2) + ' 30Z');
    area.setAttribute('class', 'spark-area');
    svg.prepend(area);
    return svg;
  }

  function drawNumber(tile, rows, place) {
    const result = tile.result;
    const index = eddy.columnIndex(result, tile.value);
    const column = result.columns[index];
    const format = eddy.formatOf(tile, column, rows);
    let now, before = null, spark = null;
    const compareIndex = tile.compare ? eddy.columnIndex(result, tile.compare) : -1;
    if (tile.x) {
      // With an x, the number is the newest point of a line, and is compared with the one before.
      const line = eddy.chartData({ ...tile, y: [tile.value], series: '', limit: 0, sort: '' }, rows);
      const values = line.series[0].values;
      now = values[values.length - 1];
      before = values.length > 1 ? values[values.length - 2] : null;
      spark = sparkline(values);
      if (!tile.compare && !tile.compare_label && values.length > 1)
        tile = { ...tile, compare_label: 'in ' + eddy.formatter(line.xColumn, 'auto', line.xs).text(line.xs[line.xs.length - 2]) };
    } else {
      now = eddy.aggregate(eddy.cellsOf(rows, index), tile.aggregate);
    }
    if (compareIndex >= 0) before = eddy.aggregate(eddy.cellsOf(rows, compareIndex), tile.aggregate);
    const whole = tile.aggregate === 'count' ? eddy.formatter({ name: '', type: 'integer' }, tile.format) : format;
    const written = whole.headline(now);
    // Long numbers shrink rather than break.
    const shrink = written.length > 11 ? 'font-size:' + Math.max(16, Math.round((34 * 11) / written.length)) + 'px' : null;
    place.replaceChildren(el('p', { class: 'figure' + (now === null ? ' none' : ''), style: shrink }, written));
    const compared = before === null ? null : delta(tile, whole, now, before);
    if (compared) place.append(compared);
    if (spark) place.append(spark);
  }

  class Tile {
    constructor(spec, number) {
      this.spec = spec;
      this.id = 'tile-' + number;
      this.asTable = false;
      this.chart = null;
      this.active = {};
      this.body = el('div', { class: 'body' });
      this.badge = el('p', { class: 'badge', hidden: true });
      this.notes = el('p', { class: 'notes', hidden: true });
      this.node = this.frame();
    }

    frame() {
      const spec = this.spec;
      const titled = spec.title || spec.type !== 'text';
      const tools = spec.result && spec.type !== 'number' && spec.result.rows.length > 0 ? this.tools() : null;
      return el('section', { class: 'tile is-' + spec.type, style: '--width:' + spec.width, id: this.id,
          'aria-labelledby': titled ? this.id + '-title' : null },
        titled ? el('header', {}, el('div', {}, el('h2', { id: this.id + '-title' }, spec.title || eddy.humanise(spec.value || spec.y?.[0] || spec.type)),
          spec.description ? el('p', {}, spec.description) : null), tools) : null,
        this.body, this.badge, this.notes);
    }

    tools() {
      const name = this.spec.title || 'this tile';
      const save = el('button', { type: 'button', class: 'icon', title: 'Download CSV', 'aria-label': 'Download the rows of ' + name + ' as CSV',
        onclick: () => this.download() }, eddy.icon(eddy.icons.download));
      if (!isChart(this.spec)) return el('div', { class: 'tools' }, save);
      const turn = el('button', { type: 'button', class: 'icon', 'aria-pressed': 'false', title: 'Show as table', 'aria-label': 'Show ' + name + ' as table',
        onclick: () => {
          this.asTable = !this.asTable;
          turn.setAttribute('aria-pressed', String(this.asTable));
          turn.title = this.asTable ? 'Show as chart' : 'Show as table';
          turn.replaceChildren(eddy.icon(this.asTable ? eddy.icons.chart : eddy.icons.table));
          this.draw();
        } }, eddy.icon(eddy.icons.table));
      return el('div', { class: 'tools' }, turn, save);
    }

    rows() { return eddy.filterRows(this.spec.result, this.active); }

    download() {
      const blob = new Blob(['\uFEFF' + eddy.csv(this.spec.result, this.rows())], { type: 'text/csv' });
      const link = el('a', { href: URL.createObjectURL(blob), download: (this.spec.title || 'rows').replace(/[^\p{L}\p{N}]+/gu, '-') + '.csv' });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }

    // chosen: [{label, column, value}] of the filters that are switched on.
    filter(chosen) {
      this.active = Object.fromEntries(chosen.map((choice) => [choice.column, choice.value]));
      const passed = this.spec.result ? chosen.filter((choice) => !eddy.hasColumn(this.spec.result, choice.column)) : [];
      this.badge.hidden = passed.length === 0;
      this.badge.textContent = passed.length ? 'Not filtered by ' + passed.map((choice) => choice.label).join(', ') : '';
      this.draw();
    }

    draw() {
      const spec = this.spec;
      if (spec.type === 'text') {
        this.body.replaceChildren(eddy.markdown(spec.text));
        return;
      }
      if (spec.error) {
        this.body.replaceChildren(failure(spec.error));
        return;
      }
      const rows = this.rows();
      this.notes.hidden = !spec.result.truncated;
      if (spec.result.truncated)
        this.notes.textContent = 'The query gave more than ' + eddy.count(spec.result.rows.length, 'row') + '; the report holds the first of them.';
      if (this.chart && (this.asTable || rows.length === 0)) this.drop();
      this.node.classList.toggle('as-table', this.asTable);
      if (rows.length === 0) this.body.replaceChildren(empty());
      else if (spec.type === 'number') drawNumber(spec, rows, this.body);
      else if (spec.type === 'table' || this.asTable) eddy.drawTable(this.asTable ? { ...spec, columns: [], sort: '' } : spec, rows, this.body);
      else this.drawChart(rows);
    }

    drawChart(rows) {
      if (!this.chart) {
        const place = el('div', { class: 'chart' });
        if (this.spec.height) place.style.flex = '0 0 ' + this.spec.height + 'px';
        this.body.replaceChildren(place);
        this.chart = echarts.init(place, null, { renderer: 'svg' });
      }
      this.chart.setOption(eddy.chartOption(this.spec, rows, this.chart.getWidth(), this.chart.getHeight()), { notMerge: true });
      this.chart.getDom().setAttribute('role', 'img');
    }

    resize() {
      if (!this.chart) return;
      const { clientWidth: width, clientHeight: height } = this.chart.getDom();
      if (width === 0 || (width === this.chart.getWidth() && height === this.chart.getHeight())) return;
      this.chart.resize({ animation: { duration: 0 } });
      this.chart.setOption(eddy.chartOption(this.spec, this.rows(), width, height), { notMerge: true });
    }

    drop() {
      if (this.chart) this.chart.dispose();
      this.chart = null;
    }
  }
  eddy.Tile = Tile;
})(window.eddy);
