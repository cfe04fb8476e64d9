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

  // Where to write what under a time axis: Map of time -> label, at round times, at most `most` of them.
  const day = 86400000, hour = 3600000, minute = 60000;
  const steps = [['minute', 1], ['minute', 5], ['minute', 15], ['minute', 30], ['hour', 1], ['hour', 3], ['hour', 6], ['hour', 12], ['day', 1], ['day', 2], ['day', 7], ['day', 14],
                 ['month', 1], ['month', 2], ['month', 3], ['month', 6], ['year', 1], ['year', 2], ['year', 5], ['year', 10], ['year', 50]];
  const length = { minute, hour, day, month: 30.4 * day, year: 365.2 * day };
  eddy.timeTicks = function (times, most) {
    if (times.length === 0) return new Map();
    const low = Math.min(...times), high = Math.max(...times);
    const grain = eddy.grain(times);
    const least = { year: 16, month: 12, day: 8, minute: 0 }[grain];
    const [unit, every] = steps.slice(least).find(([u, n]) => (high - low) / (length[u] * n) <= most) || steps[steps.length - 1];
    const first = new Date(low);
    let year = first.getUTCFullYear(), month = first.getUTCMonth();
    if (unit === 'year') year -= year % every;
    if (unit === 'month') month -= month % every;
    const ticks = new Map();
    const write = (options, time) => dates(options).format(time);
    for (let at = 0; at < 10000; at++) {
      const time = unit === 'year' ? Date.UTC(year + at * every, 0) : unit === 'month' ? Date.UTC(year, month + at * every)
        : Math.floor(low / (length[unit] * every)) * length[unit] * every + at * length[unit] * every
          // Weeks begin on Monday; day 0 of the count was a Thursday.
          + (unit === 'day' && every % 7 === 0 ? 4 * day - (low - Math.floor(low / (7 * day)) * 7 * day < 4 * day ? 7 * day : 0) : 0);
      if (time > high) break;
      if (time < low) continue;
      const date = new Date(time);
      const january = date.getUTCMonth() === 0 || ticks.size === 0;
      ticks.set(time, unit === 'year' ? write({ year: 'numeric' }, time)
        : unit === 'month' ? write(january ? { month: 'short', year: 'numeric' } : { month: 'short' }, time)
        : unit === 'day' || time % day === 0 ? write({ month: 'short', day: 'numeric' }, time)
        : write({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, time));
    }
    if (ticks.size === 0) ticks.set(low, eddy.timeText(low, grain));
    return ticks;
  };

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
  eddy.formatter = function (column, format, cells, alongAxis) {
    let kind = kindOf(column, format);
    const none = '\u2013';
    if (kind === 'date') {
      const grain = eddy.grain((cells || []).map(eddy.time));
      const text = (cell) => {
        const time = typeof cell === 'number' ? cell : eddy.time(cell);
        return time === null ? (cell === null ? none : String(cell)) : eddy.timeText(time, grain);
      };
      // Under an axis the year is left out where all have the same.
      const times = (cells || []).map(eddy.time).filter((time) => time !== null);
      const oneYear = new Set(times.map((time) => new Date(time).getUTCFullYear())).size === 1;
      const { year, ...within } = grains[grain];
      const axis = oneYear && grain !== 'year' ? (cell) => { const time = eddy.time(cell); return time === null ? text(cell) : dates(within).format(time); } : text;
      return { kind, text, axis, headline: text };
    }
    if (kind === 'text' || (!eddy.isNumeric(column.type) && column.type !== 'boolean')) {
      const text = (cell) => cell === null || cell === undefined ? none
        : cell === true ? 'Yes' : cell === false ? 'No'
        : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
      return { kind: 'text', text, axis: text, headline: text };
    }
    const numbers = (cells || []).map(eddy.number);
    // Years along an axis are names, not amounts.
    if (alongAxis && kind === 'integer' && numbers.every((n) => n === null || (n >= 1900 && n <= 2100))) kind = 'plain';
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
