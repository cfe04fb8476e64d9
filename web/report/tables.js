// A table of rows: sortable columns, numbers to the right, a header that stays. Also the text form of every chart.
(function (eddy) {
  'use strict';
  const el = eddy.el;
  const atOnce = 200;

  function shownColumns(tile) {
    const names = tile.columns && tile.columns.length ? tile.columns : tile.result.columns.map((column) => column.name);
    return names.map((name) => eddy.columnIndex(tile.result, name)).filter((index) => index >= 0);
  }

  eddy.drawTable = function (tile, rows, place) {
    const order = { column: tile.sort || '', descending: Boolean(tile.descending), all: false };
    const limited = (list) => (tile.type === 'table' && tile.limit ? list.slice(0, tile.limit) : list);
    const draw = (focus) => {
      const chosen = limited(order.column === tile.sort || !tile.limit
        ? eddy.sortRows(tile.result, rows, order.column, order.descending)
        : eddy.sortRows(tile.result, limited(eddy.sortRows(tile.result, rows, tile.sort, tile.descending)), order.column, order.descending));
      const shown = order.all ? chosen : chosen.slice(0, atOnce);
      const columns = shownColumns(tile).map((index) => ({ index, column: tile.result.columns[index],
        format: eddy.formatOf(tile, tile.result.columns[index], rows) }));
      const right = ({ column, format }) => eddy.isNumeric(column.type) && format.kind !== 'text';
      const head = columns.map((c) => {
        const sorted = order.column === c.column.name;
        const turn = () => {
          const next = sorted ? !order.descending : eddy.isNumeric(c.column.type);
          order.column = c.column.name;
          order.descending = next;
          draw(c.index);
        };
        return el('th', { scope: 'col', class: right(c) ? 'right' : null, 'aria-sort': sorted ? (order.descending ? 'descending' : 'ascending') : 'none' },
          el('button', { type: 'button', onclick: turn, 'data-column': c.index }, el('span', {}, eddy.humanise(c.column.name)),
            el('span', { class: 'arrow', 'aria-hidden': 'true' }, sorted ? (order.descending ? '\u2193' : '\u2191') : '')));
      });
      const body = shown.map((row) => el('tr', {}, columns.map((c) => el('td',
        { class: [right(c) ? 'right' : '', row[c.index] === null ? 'none' : ''].join(' ').trim() || null }, c.format.text(row[c.index])))));
      const scroll = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': (tile.title || 'Table') + ', rows' },
        el('table', {}, el('thead', {}, el('tr', {}, head)), el('tbody', {}, body)));
      if (tile.height) scroll.style.maxHeight = tile.height + 'px';
      place.replaceChildren(scroll);
      const rest = shown.length < chosen.length;
      if (rest || chosen.length > 10)
        place.append(el('div', { class: 'foot' }, el('span', {}, (rest ? 'First ' + shown.length + ' of ' : '') + eddy.count(chosen.length, 'row')),
          rest ? el('button', { type: 'button', class: 'more', onclick: () => { order.all = true; draw(); } }, 'Show all') : null));
      if (focus !== undefined) place.querySelector('[data-column="' + focus + '"]').focus();
    };
    draw();
  };
})(window.eddy);
