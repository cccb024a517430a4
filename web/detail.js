import { Alerts, alertsOf } from './alerts.js';
import { FIELD, KIND, moment, valueText } from './format.js';
import { html } from './vendor.js';

/** What is known of a leg and who says so; and what changed, newest first. */
export function Detail({ leg, reservation, history }) {
  if (reservation === undefined || history === undefined)
    return html`<div class="detail"><p class="muted">Loading…</p></div>`;
  const own = reservation.legs.find((candidate) => candidate.id === leg.id) ?? { fields: {} };
  const rows = [...Object.entries(reservation.fields), ...Object.entries(own.fields)].filter(
    ([path]) => !path.startsWith('url.') && path !== 'removed',
  );
  const alerts = alertsOf(reservation.alerts, leg.id);
  return html`<div class="detail">
    ${alerts.length > 0 && html`<h4>Alerts</h4><${Alerts} alerts=${alerts} />`}
    <h4>What changed</h4>
    <ol class="history">
      ${[...history.versions].reverse().map(
        (version) => html`<li key=${version.version}>
          <p class="muted small"><time datetime=${version.at}>${moment(version.at)}</time> · version ${version.version}</p>
          ${(version.sentences.length > 0 ? version.sentences : ['First seen']).map((sentence) => html`<p key=${sentence}>${sentence}</p>`)}
          ${sourcesOf(version.changes).map((source) => html`<p key=${source} class="muted small source">${source}</p>`)}
        </li>`,
      )}
    </ol>
    <details>
      <summary>Every value and who says so (${rows.length})</summary>
      <div class="scroll"><table>
        <thead><tr><th scope="col">What</th><th scope="col">Value</th><th scope="col">Says</th></tr></thead>
        <tbody>${rows.map(
          ([path, field]) => html`<tr key=${path}>
          <th scope="row">${FIELD[path] ?? path}</th>
          <td title=${String(field.value ?? '')}>${valueText(field.value)}${field.beside !== undefined && html`<span class="beside small">${field.beside.by.label} says: <b>${valueText(field.beside.value)}</b></span>`}</td>
          <td class="small"><span>${field.by.label}</span><span class="muted" title=${field.by.evidence?.raw ?? ''}>${field.by.evidence?.where ?? ''}</span></td>
        </tr>`,
        )}</tbody>
      </table></div>
    </details>
    <p class="muted small">${(KIND[leg.kind] ?? KIND.event).name}${reservation.reference === undefined ? '' : ` · reference ${reservation.reference}`} · the whole path: <code>tripwatch explain ${reservation.id}</code></p>
  </div>`;
}

/** Who says so, and where exactly it was found. */
function sourcesOf(changes) {
  const lines = changes
    .filter((change) => change.by !== undefined)
    .map(({ by }) =>
      [by.source.label, by.evidence?.where, by.evidence?.raw === undefined ? undefined : `“${by.evidence.raw}”`]
        .filter(Boolean)
        .join(' · '),
    );
  return [...new Set(lines)].slice(0, 3);
}
