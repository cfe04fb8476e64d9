// Markdown-lite: headings, paragraphs, lists, quotes, rules, fenced code; **bold**, *italic*, `code`, [links](…).
(function (eddy) {
  'use strict';
  const el = eddy.el;
  const inline = /`([^`]+)`|\*\*([^*]+(?:\*(?!\*)[^*]+)*)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|(?<![A-Za-z0-9])_([^_\s][^_]*)_(?![A-Za-z0-9])|\[([^\]]*)\]\(([^()\s]+)\)/;

  // Only addresses that cannot run anything.
  function safe(address) {
    return /^(https?:|mailto:|#)/i.test(address) ? address : null;
  }

  function spans(text) {
    const out = [];
    let rest = text;
    for (let found = inline.exec(rest); found; found = inline.exec(rest)) {
      if (found.index > 0) out.push(rest.slice(0, found.index));
      const [all, code, bold, bold2, italic, italic2, label, address] = found;
      if (code !== undefined) out.push(el('code', {}, code));
      else if (bold !== undefined || bold2 !== undefined) out.push(el('strong', {}, spans(bold ?? bold2)));
      else if (italic !== undefined || italic2 !== undefined) out.push(el('em', {}, spans(italic ?? italic2)));
      else if (safe(address)) out.push(el('a', { href: address, rel: 'noopener noreferrer', target: address.startsWith('#') ? null : '_blank' }, spans(label)));
      else out.push(all);
      rest = rest.slice(found.index + all.length);
    }
    if (rest) out.push(rest);
    return out;
  }

  const lists = { ul: /^\s*[-*+]\s+(.*)$/, ol: /^\s*\d+[.)]\s+(.*)$/ };
  const blocks = [/^#{1,4}\s/, /^\s*[-*+]\s+/, /^\s*\d+[.)]\s+/, /^>\s?/, /^```/, /^(-{3,}|\*{3,})\s*$/];
  const starts = (line) => blocks.some((block) => block.test(line));

  eddy.markdown = function (text) {
    const out = el('div', { class: 'prose' });
    const lines = String(text).replace(/\r\n?/g, '\n').split('\n');
    let at = 0;
    const take = (test) => {
      const taken = [];
      while (at < lines.length && test(lines[at])) taken.push(lines[at++]);
      return taken;
    };
    while (at < lines.length) {
      const line = lines[at];
      const heading = /^(#{1,4})\s+(.*)$/.exec(line);
      const list = Object.keys(lists).find((kind) => lists[kind].test(line));
      if (!line.trim()) {
        at++;
      } else if (heading) {
        // The page's own title is h1.
        out.append(el('h' + Math.min(6, heading[1].length + 1), {}, spans(heading[2])));
        at++;
      } else if (/^```/.test(line)) {
        at++;
        const code = take((l) => !/^```/.test(l));
        at++;
        out.append(el('pre', {}, el('code', {}, code.join('\n'))));
      } else if (blocks[5].test(line)) {
        out.append(el('hr'));
        at++;
      } else if (list) {
        out.append(el(list, {}, take((l) => lists[list].test(l)).map((l) => el('li', {}, spans(lists[list].exec(l)[1])))));
      } else if (/^>/.test(line)) {
        out.append(el('blockquote', {}, spans(take((l) => /^>/.test(l)).map((l) => l.replace(/^>\s?/, '')).join(' '))));
      } else {
        const first = lines[at++];
        out.append(el('p', {}, spans([first, ...take((l) => l.trim() && !starts(l))].join(' '))));
      }
    }
    return out;
  };
})(window.eddy);
