// From embedded rows to what a tile draws: filtering, sorting, grouping by x.
(function (eddy) {
  'use strict';
  eddy.columnIndex = (result, name) => result.columns.findIndex((column) => column.name === name);
  eddy.hasColumn = (result, name) => eddy.columnIndex(result, name) >= 0;
  eddy.cellsOf = (rows, index) => rows.map((row) => row[index]);

  const keyOf = (cell) => (cell === null ? '\u0000null' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell));
  eddy.keyOf = keyOf;

  // active: {column: chosen value as text}. A tile without the column keeps its rows.
  eddy.filterRows = function (result, active) {
    let rows = result.rows;
    for (const [column, chosen] of Object.entries(active)) {
      const index = eddy.columnIndex(result, column);
      if (index >= 0) rows = rows.filter((row) => keyOf(row[index]) === chosen);
    }
    return rows;
  };

  eddy.aggregate = function (cells, how) {
    const present = cells.filter((cell) => cell !== null && cell !== undefined);
    if (how === 'count') return present.length;
    if (present.length === 0) return null;
    if (present.length === 1) return present[0];
    if (how === 'first') return present[0];
    if (how === 'last') return present[present.length - 1];
    const numbers = present.map(eddy.number).filter((n) => n !== null);
    if (numbers.length === 0) return null;
    if (how === 'min') return numbers.reduce((a, b) => Math.min(a, b));
    if (how === 'max') return numbers.reduce((a, b) => Math.max(a, b));
    const total = numbers.reduce((a, b) => a + b, 0);
    return how === 'avg' ? total / numbers.length : total;
  };

  const collator = new Intl.Collator('en-US', { numeric: true, sensitivity: 'base' });
  // Missing values come last, whatever the direction.
  eddy.compareCells = function (a, b, type, descending) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order = eddy.isNumeric(type) ? eddy.number(a) - eddy.number(b)
      : eddy.isTime(type) ? eddy.time(a) - eddy.time(b)
      : collator.compare(typeof a === 'object' ? JSON.stringify(a) : String(a), typeof b === 'object' ? JSON.stringify(b) : String(b));
    return descending ? -order : order;
  };

  eddy.sortRows = function (result, rows, name, descending) {
    const index = eddy.columnIndex(result, name);
    if (index < 0) return rows;
    const type = result.columns[index].type;
    return rows.map((row, at) => [row, at])
      .sort((a, b) => eddy.compareCells(a[0][index], b[0][index], type, descending) || a[1] - b[1])
      .map((pair) => pair[0]);
  };

  // {xs: [cell], series: [{name, column, domain, values: [number|null]}], xColumn}: one value per x and series.
  eddy.chartData = function (tile, rows) {
    const result = tile.result;
    const xIndex = eddy.columnIndex(result, tile.x);
    const xColumn = result.columns[xIndex];
    const seriesIndex = tile.series ? eddy.columnIndex(result, tile.series) : -1;
    const groups = new Map();  // x key -> {cell, rows}
    const names = new Map();   // series key -> name
    for (const row of rows) {
      const key = keyOf(row[xIndex]);
      if (!groups.has(key)) groups.set(key, { cell: row[xIndex], rows: [] });
      groups.get(key).rows.push(row);
      if (seriesIndex >= 0) {
        const cell = row[seriesIndex];
        names.set(keyOf(cell), cell === null ? '(none)' : eddy.formatter(result.columns[seriesIndex], 'text').text(cell));
      }
    }
    let xs = [...groups.values()];
    const ordered = eddy.isTime(xColumn.type) || eddy.isNumeric(xColumn.type);
    if (ordered) xs.sort((a, b) => eddy.compareCells(a.cell, b.cell, xColumn.type, false));
    if (tile.sort) xs = sortGroups(tile, xs, xIndex);
    if (tile.limit && xs.length > tile.limit) {
      // Of a time axis the newest are kept.
      xs = eddy.isTime(xColumn.type) && !tile.sort ? xs.slice(-tile.limit) : xs.slice(0, tile.limit);
    }
    const values = (index, of) => xs.map((group) => eddy.number(eddy.aggregate(
      eddy.cellsOf(of === undefined ? group.rows : group.rows.filter((row) => keyOf(row[seriesIndex]) === of), index), tile.aggregate)));
    const series = [];
    if (seriesIndex >= 0) {
      const yIndex = eddy.columnIndex(result, tile.y[0]);
      for (const [key, name] of names)
        series.push({ name, key, domain: tile.series, column: result.columns[yIndex], values: values(yIndex, key) });
    } else {
      for (const y of tile.y) {
        const yIndex = eddy.columnIndex(result, y);
        series.push({ name: eddy.humanise(y), key: y, domain: '', column: result.columns[yIndex], values: values(yIndex) });
      }
    }
    return { xs: xs.map((group) => group.cell), xColumn, series };
  };

  function sortGroups(tile, groups, xIndex) {
    const result = tile.result;
    const index = eddy.columnIndex(result, tile.sort);
    if (index < 0) return groups;
    const type = result.columns[index].type;
    const how = tile.y.includes(tile.sort) ? tile.aggregate : 'first';
    const keyed = groups.map((group) => ({ group, cell: index === xIndex ? group.cell : eddy.aggregate(eddy.cellsOf(group.rows, index), how) }));
    return keyed.sort((a, b) => eddy.compareCells(a.cell, b.cell, type, tile.descending)).map((pair) => pair.group);
  }

  eddy.csv = function (result, rows) {
    const cell = (value) => {
      if (value === null) return '';
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    };
    return [result.columns.map((column) => column.name), ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
  };
})(window.eddy);
