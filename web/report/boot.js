// Runs before anything is drawn: remembers what goes wrong, and sets the colours so that nothing flashes.
window.eddy = { errors: [] };
(function (eddy) {
  'use strict';
  const seen = (kind, what) => eddy.errors.push(kind + ': ' + what);
  window.addEventListener('error', (event) => seen('error', event.message));
  window.addEventListener('unhandledrejection', (event) => seen('rejection', String(event.reason)));
  document.addEventListener('securitypolicyviolation', (event) => seen('policy', event.violatedDirective + ' ' + event.blockedURI));
  for (const level of ['error', 'warn']) {
    const original = console[level];
    console[level] = function (...words) {
      seen('console.' + level, words.map(String).join(' '));
      original.apply(console, words);
    };
  }

  const asked = new URLSearchParams(location.search);
  eddy.selftest = asked.has('selftest');
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  // A page opened from disk may be denied storage; the choice then lasts as long as the page.
  const stored = { get() { try { return localStorage.getItem('eddy-theme'); } catch { return null; } },
                   set(value) { try { localStorage.setItem('eddy-theme', value); } catch { /* not remembered */ } } };
  eddy.theme = {
    listeners: [],
    chosen: asked.get('theme') || stored.get(),
    name() { return this.chosen === 'dark' || this.chosen === 'light' ? this.chosen : system.matches ? 'dark' : 'light'; },
    apply() {
      document.documentElement.dataset.theme = this.name();
      for (const listener of this.listeners) listener();
    },
    toggle() {
      this.chosen = this.name() === 'dark' ? 'light' : 'dark';
      stored.set(this.chosen);
      this.apply();
    },
  };
  system.addEventListener('change', () => eddy.theme.apply());
  eddy.theme.apply();
})(window.eddy);
