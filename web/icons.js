import { html } from './vendor.js';

/** Drawn by us, so that they look the same where no emoji font is installed. */
const PATHS = {
  flight:
    'M10.2 13.3 3 11.6v-1.9l7.5-2.2V3.8C10.5 2.8 11.2 2 12 2s1.5.8 1.5 1.8v3.7l7.5 2.2v1.9l-7.2 1.7-.5 5.2 2 1.6v1.4L12 20.6l-3.3.9v-1.4l2-1.6Z',
  train:
    'M7 3h10a3 3 0 0 1 3 3v9a3 3 0 0 1-3 3l2 3h-2.4l-1.3-2H8.7l-1.3 2H5l2-3a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3Zm-1 4v4h12V7Zm2.5 8.5a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Zm7 0a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Z',
  bus: 'M6 3h12a2 2 0 0 1 2 2v12a2 2 0 0 1-1 1.7V21h-3v-2H8v2H5v-2.3A2 2 0 0 1 4 17V5a2 2 0 0 1 2-2Zm0 4v5h12V7Zm1.5 9.5a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6Zm9 0a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6Z',
  boat: 'M11 2h2v3h4v5l3 1.2-2 6.8c-1.2 0-2-.8-3-.8s-1.8.8-3 .8-2-.8-3-.8-1.8.8-3 .8L4 11.2 7 10V5h4Zm-2 5v2.3l3-1.1 3 1.1V7ZM3 20c1.5 0 2-1 3-1s1.8 1 3 1 2-1 3-1 1.8 1 3 1 2-1 3-1 1.5 1 3 1v2c-1.5 0-2-.8-3-.8S17 22 15 22s-2-.8-3-.8S11 22 9 22s-2-.8-3-.8-1.5.8-3 .8Z',
  stay: 'M3 5h2v8h6V7h7a3 3 0 0 1 3 3v9h-2v-3H5v3H3Zm5 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  rental:
    'M6.5 5h11l2.2 5.5c.8.2 1.3.9 1.3 1.8V18h-2v1.5a1 1 0 0 1-1 1h-1a1 1 0 0 1-1-1V18H8v1.5a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V18H3v-5.7c0-.9.5-1.6 1.3-1.8Zm1.3 2-1.3 3.5h11L16.2 7ZM6.5 15.5a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6Zm11 0a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6Z',
  event: 'M4 6h16v4a2 2 0 0 0 0 4v4H4v-4a2 2 0 0 0 0-4Zm9 2v2h2V8Zm0 3.5v1.5h2v-1.5Zm0 2.5v2h2v-2Z',
  restaurant:
    'M7 2h1.5v7H10V2h1.5v7.5A2.5 2.5 0 0 1 9.7 12v10H7.3V12a2.5 2.5 0 0 1-1.8-2.5V2H7Zm9.5 0c1.5 0 2.5 2.5 2.5 6 0 2.5-.8 4-2 4.5V22h-2.5V2Z',
  taxi: 'M9.5 3h5v2h3l2.2 5.5c.8.2 1.3.9 1.3 1.8V18h-2v1.5a1 1 0 0 1-1 1h-1a1 1 0 0 1-1-1V18H8v1.5a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V18H3v-5.7c0-.9.5-1.6 1.3-1.8L6.5 5h3Zm-1.7 4-1.3 3.5h11L16.2 7Z',
};

export function KindIcon({ kind }) {
  return html`<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d=${PATHS[kind] ?? PATHS.event} /></svg>`;
}
