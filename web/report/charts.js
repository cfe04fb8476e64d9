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
  // One measure alone is always the first colour: a page of single lines stays calm.
  const colour = (ink, domain, key, alone) => ink.palette[alone ? 0 : colourIndex(domain, key) % ink.palette.length];

  const reduced = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  function base(ink) {
    return {
      animation: !eddy.selftest && !reduced(), animationDuration: 350, animationDurationUpdate: 250,
      backgroundColor: 'transparent', useUTC: true, textStyle: { fontFamily: ink.font, color: ink.text },
      aria: { enabled: true, decal: { show: window.matchMedia('(prefers-contrast: more)').matches } },
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
  function formatOf(tile, column, rows) {
    return eddy.formatter(column, (tile.formats || {})[column.name] || tile.format, rows ? eddy.cellsOf(rows, eddy.columnIndex(tile.result, column.name)) : []);
  }
  eddy.formatOf = formatOf;

  function pie(tile, rows, ink) {
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
    return { ...base(ink), legend: { show: false },
      title: { text: format.axis(total), subtext: 'total', left: 'center', top: 'middle', itemGap: 2,
               textStyle: { color: ink.text, fontSize: 20, fontWeight: 650, fontFamily: ink.font },
               subtextStyle: { color: ink.muted, fontSize: 12, fontFamily: ink.font } },
      tooltip: tooltip(ink, { trigger: 'item', formatter: (at) => card(at.name, [[at.color, format.text(at.value), part(at.value)]]) }),
      series: [{ type: 'pie', radius: ['52%', '76%'], minAngle: 2, padAngle: 1, avoidLabelOverlap: true,
        itemStyle: { borderRadius: 3 },
        label: { color: ink.muted, fontSize: 12, fontFamily: ink.font, overflow: 'truncate', formatter: (at) => at.name + '  ' + part(at.value) },
        labelLine: { lineStyle: { color: ink.axis }, length: 8, length2: 8 },
        data: slices.filter((s) => s.value > 0).map((s) => ({ name: s.name, value: s.value,
          itemStyle: { color: s.key === null ? ink.palette[7] : colour(ink, tile.x, s.key, false) } })) }] };
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
      const grain = eddy.grain(grouped.xs.map(eddy.time));
      const day = 86400000;
      return { ...common, type: 'time', boundaryGap: false, minInterval: grain === 'year' ? 365 * day : grain === 'month' ? 28 * day : grain === 'day' ? day : 0,
               axisLabel: { ...label, formatter: grain === 'year' ? { year: '{yyyy}', month: '' , day: ''}
                 : { year: '{yyyy}', month: '{MMM}', day: '{d} {MMM}', hour: '{HH}:{mm}', minute: '{HH}:{mm}', second: '{HH}:{mm}:{ss}' } } };
    }
    if (kind === 'value') return { ...common, type: 'value', scale: true, axisLabel: { ...label, formatter: (v) => xFormat.axis(v) } };
    const names = grouped.xs.map((cell) => (cell === null ? '(none)' : xFormat.text(cell)));
    const few = names.length <= 12 && !eddy.isTime(grouped.xColumn.type);
    const room = Math.max(40, Math.floor((width - 60) / Math.max(1, names.length)) - 6);
    return { ...common, type: 'category', data: names, boundaryGap: !(tile.type === 'line' || tile.type === 'area'),
             axisLabel: tile.horizontal ? { ...label, width: Math.min(170, Math.round(width * 0.34)), overflow: 'truncate' }
               : { ...label, interval: few ? 0 : 'auto', width: few ? room : undefined, overflow: few ? 'truncate' : undefined } };
  }

  function cartesian(tile, rows, ink, width) {
    const grouped = eddy.chartData(tile, rows);
    const isBar = tile.type === 'bar' || tile.type === 'stacked_bar';
    const kind = isBar ? 'category' : eddy.isTime(grouped.xColumn.type) ? 'time' : eddy.isNumeric(grouped.xColumn.type) ? 'value' : 'category';
    const xFormat = eddy.formatter(grouped.xColumn, (tile.formats || {})[grouped.xColumn.name] || 'auto', grouped.xs);
    const alone = grouped.series.length === 1;
    const stacked = tile.type === 'stacked_bar' || (tile.type === 'area' && !alone);
    const formats = grouped.series.map((series) => formatOf(tile, series.column, rows));
    const place = (cell) => (kind === 'time' ? eddy.time(cell) : eddy.number(cell));
    const taken = new Set();
    const series = grouped.series.map((one) => {
      const shade = colour(ink, one.domain, one.key, alone && !one.domain);
      let name = one.name;
      while (taken.has(name)) name += ' ';
      taken.add(name);
      const fill = (value) => (value === null && stacked ? 0 : value);
      const data = one.values.map((value, at) => (kind === 'category' ? fill(value) : [place(grouped.xs[at]), fill(value)]));
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
    if (tile.horizontal) across.inverse = true;
    const tip = (points) => {
      const list = Array.isArray(points) ? points : [points];
      const at = list[0];
      const title = kind === 'category' ? at.name : kind === 'time' ? xFormat.text(at.value[0]) : xFormat.text(at.value[0]);
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
    return { ...base(ink), legend: legend(ink, names),
      grid: { left: 2, right: 14, top: names.length > 1 ? 38 : 12, bottom: 2, containLabel: true },
      tooltip: tooltip(ink, { trigger: 'axis', formatter: tip,
        axisPointer: isBar ? { type: 'shadow', shadowStyle: { color: ink.line, opacity: 0.35 } } : { type: 'line', lineStyle: { color: ink.axis } } }),
      xAxis: tile.horizontal ? up : across, yAxis: tile.horizontal ? across : up, series };
  }

  eddy.chartOption = function (tile, rows, width) {
    const ink = eddy.ink();
    return tile.type === 'pie' ? pie(tile, rows, ink) : cartesian(tile, rows, ink, width);
  };
})(window.eddy);
