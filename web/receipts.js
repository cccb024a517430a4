import { byteSize, moment } from './format.js';
import { html } from './vendor.js';

const TONE = {
  imported: 'good',
  'nothing-found': 'quiet',
  skipped: 'quiet',
  duplicate: 'quiet',
  failed: 'bad',
  seen: 'now',
  collected: 'now',
};
const WORD = {
  imported: 'Imported',
  'nothing-found': 'No travel in it',
  skipped: 'Not opened',
  duplicate: 'Duplicate',
  failed: 'Could not be read',
  seen: 'Waiting',
  collected: 'Being read',
};

/** Every mail and what became of it. */
export function Receipts({ receipts, more, onMore, filter, onFilter, onReservation }) {
  return html`<section aria-label="Receipts">
    <div class="bar">
      <h2 class="group">Every mail, and what became of it</h2>
      <label class="small">Show <select value=${filter} onChange=${(event) => onFilter(event.target.value)}>
        <option value="">all</option>
        ${Object.entries(WORD).map(([value, word]) => html`<option key=${value} value=${value}>${word}</option>`)}
      </select></label>
    </div>
    ${receipts.length === 0 && html`<p class="muted">No mail here.</p>`}
    <ul class="receipts">
      ${receipts.map(
        (mail) => html`<li key=${mail.id}>
          <p class="line"><span class="title">${mail.subject || '(no subject)'}</span><span class="pill tone-${TONE[mail.disposition] ?? 'quiet'}">${WORD[mail.disposition] ?? mail.disposition}</span></p>
          <p>${mail.reason}</p>
          ${mail.warnings.map((warning) => html`<p key=${warning.code + warning.message} class="small warn">⚠ ${warning.message}</p>`)}
          <p class="muted small">${mail.from} · <time datetime=${mail.receivedAt}>${moment(mail.receivedAt)}</time> · ${byteSize(mail.size)}${mail.timesSeen > 1 ? ` · came ${mail.timesSeen} times` : ''}
            ${mail.reservations.map((id) => html` · <button key=${id} type="button" class="link" onClick=${() => onReservation(id)}>show reservation</button>`)}</p>
        </li>`,
      )}
    </ul>
    ${more && html`<button type="button" class="plain" onClick=${onMore}>Older mails</button>`}
  </section>`;
}
