// How values are written for people. Everything is UTC and en-US, so that a report reads the same for everyone.
(function (eddy) {
  'use strict';
  const locale = 'en-US';
  const currencies = { usd: 'USD', eur: 'EUR', gbp: 'GBP' };
  const cache = new Map();
  function intl(options) {
    const key = JSON.stringify(options);
    if (!cache.has(key)) cache.set(key, new Intl.NumberFormat(locale, options));
    return cache.get(key);
  }
  function dates(options) {
    const key = 'date' + JSON.stringify(options);
    if (!cache.has(key)) cache.set(key, new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }));
    return cache.get(key);
  }

  // Numbers beyond what JavaScript holds exactly come as text; drawing may round them, printing does not.
  eddy.number = function (cell) {
    if (cell === null || cell === undefined || cell === '') return null;
    const value = typeof cell === 'number' ? cell : Number(cell);
    return Number.isFinite(value) ? value : null;
  };
  eddy.time = function (cell) {
    if (typeof cell !== 'string') return null;
    const value = Date.parse(cell.length === 10 ? cell + 'T00:00:00Z' : cell);
    return Number.isFinite(value) ? value : null;
  };
  eddy.isNumeric = (type) => type === 'integer' || type === 'real' || type === 'decimal';
  eddy.isTime = (type) => type === 'date' || type === 'timestamp';

  const clock = { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const grains = {
    year: { year: 'numeric' },
    month: { year: 'numeric', month: 'short' },
    day: { year: 'numeric', month: 'short', day: 'numeric' },
    minute: clock,
  };
  // The coarsest grain that loses nothing.
  eddy.grain = function (times) {
    let grain = 'year';
    for (const time of times) {
      if (time === null) continue;
      if (time % 86400000 !== 0) return 'minute';
      const date = new Date(time);
      if (date.getUTCDate() !== 1) grain = 'day';
      else if (grain === 'year' && date.getUTCMonth() !== 0) grain = 'month';
    }
    return times.length > 1 || grain === 'minute' ? grain : 'day';
  };
  eddy.timeText = (time, grain) => dates(grains[grain]).format(time);

  function kindOf(column, format) {
    if (format && format !== 'auto') return format;
    if (eddy.isTime(column.type)) return 'date';
    if (column.type === 'integer') return /(^|_)(id|key|year|code|zip|number)$/i.test(column.name) ? 'plain' : 'integer';
    if (column.type === 'real' || column.type === 'decimal') return 'decimal';
    return 'text';
  }

  function moneyDigits(numbers) {
    return numbers.some((n) => n !== null && !Number.isInteger(n)) ? 2 : 0;
  }

  // {text: one cell in full, axis: short form for ticks, headline: for a big number}
  eddy.formatter = function (column, format, cells) {
    const kind = kindOf(column, format);
    const none = '\u2013';
    if (kind === 'date') {
      const grain = eddy.grain((cells || []).map(eddy.time));
      const text = (cell) => {
        const time = typeof cell === 'number' ? cell : eddy.time(cell);
        return time === null ? (cell === null ? none : String(cell)) : eddy.timeText(time, grain);
      };
      return { kind, text, axis: text, headline: text };
    }
    if (kind === 'text' || (!eddy.isNumeric(column.type) && column.type !== 'boolean')) {
      const text = (cell) => cell === null || cell === undefined ? none
        : cell === true ? 'Yes' : cell === false ? 'No'
        : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
      return { kind: 'text', text, axis: text, headline: text };
    }
    const numbers = (cells || []).map(eddy.number);
    const with_ = (options) => (cell) => {
      if (cell === null || cell === undefined) return none;
      // Text holds more digits than a double; Intl formats it digit by digit.
      const written = typeof cell === 'string' ? cell : Number(cell);
      return intl(options).format(written);
    };
    const short = { notation: 'compact', maximumFractionDigits: 1 };
    const money = currencies[kind] && { style: 'currency', currency: currencies[kind] };
    const share = { style: 'percent', maximumFractionDigits: 1 };
    if (money) {
      const digits = moneyDigits(numbers);
      const full = with_({ ...money, minimumFractionDigits: digits, maximumFractionDigits: digits });
      const round = with_({ ...money, maximumFractionDigits: 0 });
      const exact = with_(money);
      return { kind, text: full, axis: with_({ ...money, ...short, minimumFractionDigits: 0 }),
               headline: (cell) => Math.abs(eddy.number(cell) || 0) >= 1000 || Number.isInteger(eddy.number(cell)) ? round(cell) : exact(cell) };
    }
    if (kind === 'percent') {
      const text = with_({ ...share, minimumFractionDigits: numbers.some((n) => n !== null && Math.round(n * 1000) % 10 !== 0) ? 1 : 0 });
      return { kind, text, axis: with_(share), headline: with_(share) };
    }
    if (kind === 'compact') return { kind, text: with_(short), axis: with_(short), headline: with_(short) };
    if (kind === 'plain') {
      const text = with_({ useGrouping: false, maximumFractionDigits: 20 });
      return { kind, text, axis: text, headline: text };
    }
    if (kind === 'integer') {
      const text = with_({ maximumFractionDigits: 0 });
      return { kind, text, axis: with_(short), headline: text };
    }
    const small = numbers.some((n) => n !== null && n !== 0 && Math.abs(n) < 0.01);
    const text = with_(small ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 });
    return { kind, text, axis: with_(short), headline: text };
  };

  eddy.humanise = (name) => {
    const words = String(name).replace(/_/g, ' ').trim();
    return words.charAt(0).toUpperCase() + words.slice(1);
  };
  eddy.count = (n, one, many) => intl({}).format(n) + ' ' + (n === 1 ? one : many || one + 's');
})(window.eddy);
