import { moment } from './format.js';
import { html } from './vendor.js';

/** What a traveller was told, with a sign for how much it matters: words, shape and colour say the same. */

/** Drawn by us, as the icons of legs. */
const SIGNS = {
  info: { name: 'For information', path: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20Zm-1 8v7h2v-7Zm0-3.5v2h2v-2Z' },
  warning: { name: 'Look at this', path: 'M12 2 23 21H1Zm-1 7v6h2V9Zm0 7.5v2h2v-2Z' },
  critical: { name: 'Act now', path: 'M8 2h8l6 6v8l-6 6H8l-6-6V8Zm3 4v8h2V6Zm0 10v2h2v-2Z' },
};

function Sign({ severity }) {
  const sign = SIGNS[severity] ?? SIGNS.info;
  return html`<svg viewBox="0 0 24 24" width="20" height="20" role="img" aria-label=${sign.name} focusable="false"><path fill="currentColor" fill-rule="evenodd" d=${sign.path} /></svg>`;
}

/** Newest first. What comes while the page is open is read out by the page itself, once (app.js). */
export function Alerts({ alerts, label }) {
  return html`<ul class="alerts" aria-label=${label ?? 'Alerts'}>
    ${(alerts ?? []).map(
      (alert) => html`<li key=${`${alert.at ?? ''}${alert.sentence}`} class=${`alert ${alert.severity}`}>
        <${Sign} severity=${alert.severity} />
        <p>${alert.sentence}${!alert.certain && html` <span class="unsure small">not certain</span>`}
        ${alert.at !== undefined && html`<time class="muted small" datetime=${alert.at}>${moment(alert.at)}</time>`}</p>
      </li>`,
    )}
  </ul>`;
}

/** Alerts of one leg and of its booking as a whole. */
export function alertsOf(alerts, leg) {
  return (alerts ?? []).filter((alert) => alert.leg === undefined || alert.leg === leg);
}
