// From a tile and its rows to an ECharts option. Colours come from the style sheet, so that light and dark are one place.
(function (eddy) {
  'use strict';
  const el = eddy.el;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  eddy.ink = () => ({
    text: css('--text'), muted: css('--muted'), line: css('--line'), axis: css('--axis'), surface: css('--surface'),
    palette: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => css('--series-' + n)), font: getComputedStyle(document.body).fontFamily,
  });

  // A series has the same colour in every tile of the report: each column that splits series hands out its own colours.
  const domains = new Map();
  function colourIndex(domain, key) {
    if (!domains.has(domain)) domains.set(domain, new Map());
    const known = domains.get(domain);
    if (!known.has(key)) known.set(key, known.size);
    return known.get(key);
  }
  // Before drawing, so that the colours depend neither on filters nor on which page is opened first.
  eddy.assignColours = function (data) {
    for (const dashboard of data.dashboards)
      for (const tile of dashboard.tiles) {
        if (!tile.result || !tile.x || tile.type === 'number') continue;
        const by = tile.series || (tile.type === 'pie' ? tile.x : '');
        const index = by ? eddy.columnIndex(tile.result, by) : -1;
        if (index >= 0) for (const row of tile.result.rows) colourIndex(by, eddy.keyOf(row[index]));
        else if (tile.y.length > 1) for (const y of tile.y) colourIndex('', y);
      }
  };
  // One measure alone is always the first colour: a page of single lines stays calm. A column with more values than there are
  // colours cannot keep its promise across tiles; then neighbours in one tile at least differ.
  function colour(ink, domain, key, at) {
    const known = colourIndex(domain, key);
    const shades = ink.palette.length - 1;
    return ink.palette[(domains.get(domain).size > shades ? at : known) % shades];
  }

  const reduced = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  // words: what a screen reader says instead of the picture; the table behind the tile's button says it all.
  function base(ink, words) {
    return {
      animation: !eddy.selftest && !reduced(), animationDuration: 350, animationDurationUpdate: 250,
      backgroundColor: 'transparent', useUTC: true, textStyle: { fontFamily: ink.font, color: ink.text },
      aria: { enabled: true, label: { description: words }, decal: { show: window.matchMedia('(prefers-contrast: more)').matches } },
    };
  }

  function card(title, lines) {
    return el('div', { class: 'tip' }, el('div', { class: 'tip-title' }, title), lines.map(([shade, name, value]) =>
      el('div', { class: 'tip-line' }, el('i', { style: 'background:' + shade }), el('span', {}, name), el('b', {}, value))));
  }
  function tooltip(ink, more) {
    return { confine: true, backgroundColor: ink.surface, borderColor: ink.line, borderWidth: 1, padding: [10, 12],
             textStyle: { color: ink.text, fontSize: 12, fontFamily: ink.font },
             extraCssText: 'border-radius:8px;box-shadow:0 6px 24px rgba(0,0,0,.14)', ...more };
  }
  function legend(ink, names) {
    return { type: 'scroll', show: names.length > 1, data: names, top: 0, left: 0, right: 0, icon: 'roundRect', itemWidth: 10, itemHeight: 10,
             itemGap: 16, textStyle: { color: ink.muted, fontSize: 12, fontFamily: ink.font }, inactiveColor: ink.line,
             pageIconColor: ink.muted, pageIconInactiveColor: ink.line, pageIconSize: 10, pageTextStyle: { color: ink.muted } };
  }
  const ownFormat = (tile, column) => (Object.hasOwn(tile.formats || {}, column.name) ? tile.formats[column.name] : null);
  function formatOf(tile, column, rows) {
    return eddy.formatter(column, ownFormat(tile, column) || tile.format, rows ? eddy.cellsOf(rows, eddy.columnIndex(tile.result, column.name)) : []);
  }
  eddy.formatOf = formatOf;

  function pie(tile, rows, ink, width, height) {
    const grouped = eddy.chartData({ ...tile, limit: 0, series: '' }, rows);
    const xFormat = eddy.formatter(grouped.xColumn, 'auto', grouped.xs);
    const values = grouped.series[0].values;
    const format = formatOf(tile, grouped.series[0].column, rows);
    let slices = grouped.xs.map((cell, at) => ({ name: cell === null ? '(none)' : xFormat.text(cell), value: values[at] || 0, key: eddy.keyOf(cell) }));
    if (!tile.sort) slices.sort((a, b) => b.value - a.value);
    const most = tile.limit || 7;
    if (slices.length > most + (tile.limit ? 0 : 1)) {
      const rest = slices.slice(most);
      slices = [...slices.slice(0, most), { name: 'Other (' + rest.length + ')', value: rest.reduce((sum, s) => sum + s.value, 0), key: null }];
    }
    const total = slices.reduce((sum, slice) => sum + Math.max(0, slice.value), 0);
    const share = eddy.formatter({ name: '', type: 'real' }, 'percent', [0.001]);
    const part = (value) => (total > 0 ? share.text(value / total) : '');
    const shown = slices.filter((slice) => slice.value > 0);
    // Names stand beside the ring where there is room, else below; never on it, where long ones are cut.
    const beside = width >= 400;
    const lines = Math.ceil(shown.reduce((sum, slice) => sum + slice.name.length * 6.6 + 78, 0) / width);
    const below = beside ? 0 : lines * 25 + 8;
    const ring = Math.min(beside ? width * 0.24 : width * 0.36, (height - below) / 2 - 12);
    const byName = new Map(shown.map((slice) => [slice.name, slice.value]));
    const words = 'Pie chart. ' + shown.map((slice) => slice.name + ' ' + part(slice.value)).join(', ') + '. Total ' + format.text(total) + '.';
    return { ...base(ink, words),
      legend: { ...legend(ink, shown.map((slice) => slice.name)), show: true,
        ...(beside ? { orient: 'vertical', left: '56%', right: 0, top: 'middle', itemGap: 11 } : { type: 'plain', top: height - below + 6, left: 'center', itemGap: 12 }),
        formatter: (name) => '{name|' + name.replace(/[{}|]/g, ' ') + '}  {part|' + part(byName.get(name)) + '}',
        textStyle: { color: ink.muted, fontSize: 12, fontFamily: ink.font, overflow: 'truncate',
          rich: { name: { color: ink.muted, fontSize: 12 }, part: { color: ink.text, fontSize: 12, fontWeight: 600 } } } },
      tooltip: tooltip(ink, { trigger: 'item', formatter: (at) => card(at.name, [[at.color, format.text(at.value), part(at.value)]]) }),
      series: [{ type: 'pie', name: grouped.series[0].name, center: [beside ? '27%' : '50%', (height - below) / 2],
        radius: [Math.round(ring * 0.67), Math.round(ring)], minAngle: 2, padAngle: shown.length > 1 ? 1 : 0, itemStyle: { borderRadius: 3 },
        label: { show: true, position: 'center', color: ink.text, fontSize: 19, fontWeight: 650, fontFamily: ink.font, lineHeight: 22,
          formatter: () => format.axis(total) + '\n{small|total}', rich: { small: { fontSize: 11.5, color: ink.muted, fontWeight: 400 } } },
        labelLine: { show: false }, emphasis: { scaleSize: 4 },
        data: shown.map((s, at) => ({ name: s.name, value: s.value,
          itemStyle: { color: s.key === null ? ink.palette[7] : colour(ink, tile.x, s.key, at) } })) }] };
  }

  function yAxis(ink, format, categories) {
    return { type: 'value', axisLine: { show: false }, axisTick: { show: false }, splitNumber: categories ? 3 : 4,
             splitLine: { lineStyle: { color: ink.line } },
             axisLabel: { color: ink.muted, fontSize: 11, fontFamily: ink.font, hideOverlap: true, formatter: (value) => format.axis(value) } };
  }

  function xAxis(tile, grouped, ink, kind, xFormat, width) {
    const common = { axisLine: { lineStyle: { color: ink.axis } }, axisTick: { show: false }, splitLine: { show: false } };
    const label = { color: ink.muted, fontSize: 11, fontFamily: ink.font, hideOverlap: true };
    if (kind === 'time') {
      const times = grouped.xs.map(eddy.time).filter((time) => time !== null);
      const ticks = eddy.timeTicks(times, Math.max(2, Math.floor(width / 70)));
      return { ...common, type: 'time', boundaryGap: false, axisLabel: { ...label, customValues: [...ticks.keys()], formatter: (time) => ticks.get(time) || '' } };
    }
    if (kind === 'value')
      return { ...common, type: 'value', min: 'dataMin', max: 'dataMax', axisLabel: { ...label, alignMinLabel: 'left', alignMaxLabel: 'right', formatter: (v) => xFormat.axis(v) } };
    const names = grouped.xs.map((cell) => (cell === null ? '(none)' : xFormat.axis(cell)));
    const few = names.length <= 12 && !eddy.isTime(grouped.xColumn.type);
    const room = Math.max(40, Math.floor((width - 60) / Math.max(1, names.length)) - 6);
    return { ...common, type: 'category', data: names, boundaryGap: !(tile.type === 'line' || tile.type === 'area'),
             axisLabel: tile.horizontal ? { ...label, width: Math.min(170, Math.round(width * 0.34)), overflow: 'truncate' }
               : few && Math.max(...names.map((name) => name.length)) * 6.2 > room ? { ...label, interval: 0, rotate: 35, width: 110, overflow: 'truncate' }
               : { ...label, interval: few ? 0 : 'auto' } };
  }

  function cartesian(tile, rows, ink, width) {
    const grouped = eddy.chartData(tile, rows);
    const isBar = tile.type === 'bar' || tile.type === 'stacked_bar';
    const kind = isBar ? 'category' : eddy.isTime(grouped.xColumn.type) ? 'time' : eddy.isNumeric(grouped.xColumn.type) ? 'value' : 'category';
    const xFormat = eddy.formatter(grouped.xColumn, ownFormat(tile, grouped.xColumn) || 'auto', grouped.xs, true);
    const alone = grouped.series.length === 1;
    const stacked = tile.type === 'stacked_bar' || (tile.type === 'area' && !alone);
    const formats = grouped.series.map((series) => formatOf(tile, series.column, rows));
    const place = (cell) => (kind === 'time' ? eddy.time(cell) : eddy.number(cell));
    const taken = new Set();
    const series = grouped.series.map((one, at) => {
      const shade = alone && !one.domain ? ink.palette[0] : colour(ink, one.domain, one.key, at);
      let name = one.name;
      while (taken.has(name)) name += ' ';
      taken.add(name);
      const fill = (value) => (value === null && stacked ? 0 : value);
      const data = one.values.map((value, x) => (kind === 'category' ? fill(value) : [place(grouped.xs[x]), fill(value)]));
      const points = one.values.filter((value) => value !== null).length;
      return isBar
        ? { name, type: 'bar', data, color: shade, stack: stacked ? 'all' : undefined, barMaxWidth: 44, barCategoryGap: '28%', barGap: '8%',
            itemStyle: { borderRadius: stacked ? 0 : tile.horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0], borderColor: ink.surface, borderWidth: stacked ? 0.5 : 0 },
            emphasis: { focus: alone ? 'none' : 'series' } }
        : { name, type: 'line', data, color: shade, stack: stacked ? 'all' : undefined, symbol: 'circle', symbolSize: points > 1 ? 7 : 8,
            showSymbol: points <= 1, lineStyle: { width: stacked ? 1.5 : 2.25 }, connectNulls: false, emphasis: { focus: alone ? 'none' : 'series' },
            areaStyle: tile.type === 'area' ? { opacity: stacked ? 0.55 : 0.16 } : undefined };
    });
    const names = series.map((one) => one.name);
    const across = xAxis(tile, grouped, ink, kind, xFormat, width);
    const up = yAxis(ink, formats[0], tile.horizontal);
    if (tile.horizontal) {
      across.inverse = true;
      up.axisLabel.alignMaxLabel = 'right';
    }
    const tip = (points) => {
      const list = Array.isArray(points) ? points : [points];
      const at = list[0];
      const title = kind === 'category' ? (grouped.xs[at.dataIndex] === null ? '(none)' : xFormat.text(grouped.xs[at.dataIndex])) : xFormat.text(at.value[0]);
      const lines = list.map((point) => {
        const value = Array.isArray(point.value) ? point.value[1] : point.value;
        return [point.color, point.seriesName, formats[point.seriesIndex].text(value === undefined ? null : value), value];
      }).filter((line) => line[3] !== null && line[3] !== undefined);
      if (stacked && lines.length > 1) {
        lines.reverse();
        lines.push(['transparent', 'Total', formats[0].text(lines.reduce((sum, line) => sum + line[3], 0))]);
      }
      return card(title, lines);
    };
    const end = (at) => (grouped.xs[at] === null ? '(none)' : xFormat.text(grouped.xs[at]));
    const points = grouped.xs.length;
    const words = eddy.humanise(tile.type) + ' chart of ' + names.join(', ') + ' by ' + eddy.humanise(grouped.xColumn.name).toLowerCase() + '. '
      + (points === 1 ? 'One point, ' + end(0) : points + ' points, from ' + end(0) + ' to ' + end(points - 1)) + '.';
    return { ...base(ink, words), legend: legend(ink, names),
      grid: { left: 2, right: 6, top: names.length > 1 ? 38 : 12, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: tooltip(ink, { trigger: 'axis', formatter: tip,
        axisPointer: isBar ? { type: 'shadow', shadowStyle: { color: ink.line, opacity: 0.35 } } : { type: 'line', lineStyle: { color: ink.axis } } }),
      xAxis: tile.horizontal ? up : across, yAxis: tile.horizontal ? across : up, series };
  }

  eddy.chartOption = function (tile, rows, width, height) {
    const ink = eddy.ink();
    return tile.type === 'pie' ? pie(tile, rows, ink, width, height) : cartesian(tile, rows, ink, width);
  };
})(window.eddy);
