// Elements are made, never parsed from text: whatever a value holds, it stays text.
(function (eddy) {
  'use strict';
  eddy.el = function (tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? '' : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  };
  const space = 'http://www.w3.org/2000/svg';
  eddy.icon = function (path) {
    const svg = document.createElementNS(space, 'svg');
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('aria-hidden', 'true');
    const line = document.createElementNS(space, 'path');
    line.setAttribute('d', path);
    svg.append(line);
    return svg;
  };
  eddy.icons = {
    sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
    moon: 'M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z',
    table: 'M2 3h12v10H2zM2 6.5h12M6 6.5V13',
    chart: 'M2 14h12M4 11V7M8 11V3M12 11V5.5',
    download: 'M8 2v8M4.8 7L8 10.2 11.2 7M2.5 13.5h11',
    warning: 'M8 2l6.5 11.5h-13zM8 6.5v3.5M8 11.8v.2',
  };
})(window.eddy);
