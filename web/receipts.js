import { call } from './api.js';
import { byteSize, moment } from './format.js';
import { Wrong } from './parts.js';
import { html, useEffect, useRef, useState } from './vendor.js';

const TONE = {
  imported: 'good',
  merged: 'good',
  'needs-you': 'warn',
  quarantined: 'warn',
  'too-large': 'warn',
  failed: 'bad',
  seen: 'now',
  collected: 'now',
};
const WORD = {
  imported: 'Imported',
  merged: 'Known already',
  'needs-you': 'Needs you',
  'nothing-found': 'No travel in it',
  skipped: 'Not opened',
  duplicate: 'Duplicate',
  'too-large': 'Too large',
  vanished: 'Was gone',
  quarantined: 'Set aside',
  failed: 'Could not be read',
  seen: 'Waiting',
  collected: 'Being read',
};
/** Why mails were left unopened: to be picked one by one. */
const REASONS = {
  'rule-denied': 'a rule of yours',
  'not-on-allow-list': 'no rule opens it',
  'not-travel': 'no sign of a booking',
  advertising: 'advertising',
  'account-notice': 'a notice about an account',
};
const PAGE = 30;
/** How often a mail that is being read is asked after, ms. */
const WAIT_MS = 1000;

/** Every mail and what became of it; one that was left unopened can be read after all, a reservation taken out again. */
export function Receipts({ traveller, changes, mailbox, onMailbox, onReservation }) {
  const [list, setList] = useState();
  const [next, setNext] = useState();
  const [outcome, setOutcome] = useState('');
  const [mailboxes, setMailboxes] = useState([]);
  const [problem, setProblem] = useState();
  const [said, setSaid] = useState('');
  const wanted = useRef('');
  const [disposition, reason] = outcome.split('/');

  const load = async (before) => {
    const query = new URLSearchParams({
      traveller,
      limit: String(PAGE),
      ...(disposition ? { disposition } : {}),
      ...(reason ? { reason } : {}),
      ...(mailbox ? { mailbox } : {}),
      ...(before ? { before } : {}),
    }).toString();
    wanted.current = query;
    const answer = await call(`/v1/receipts?${query}`);
    if (wanted.current !== query) return;
    setList((old) => (before ? [...old, ...answer.items] : answer.items));
    setNext(answer.next);
  };
  const run = (work) => work().then(() => setProblem(undefined), setProblem);
  useEffect(() => {
    run(() => load());
  }, [traveller, mailbox, outcome, changes]);
  useEffect(() => {
    call(`/v1/travellers/${traveller}/mailboxes?removed=true`).then(({ items }) => setMailboxes(items), setProblem);
  }, [traveller]);

  const replace = (mail) => setList((old) => old.map((one) => (one.id === mail.id ? mail : one)));
  const read = (mail) =>
    run(async () => {
      replace(await call(`/v1/receipts/${mail.id}/read`, { method: 'POST' }));
      setSaid('It is being read.');
      await follow(mail.id);
    });
  const done = (mail) =>
    run(async () => {
      replace(await call(`/v1/receipts/${mail.id}/done`, { method: 'POST' }));
      setSaid('It needs you no more.');
    });
  const follow = async (id) => {
    for (let n = 0; n < 60; n++) {
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      const mail = await call(`/v1/receipts/${id}`);
      replace(mail);
      if (mail.disposition === 'seen' || mail.disposition === 'collected') continue;
      setSaid(`${WORD[mail.disposition] ?? mail.disposition}: ${mail.reason}`);
      return;
    }
  };
  const narrowed = outcome !== '' || mailbox !== '';
  return html`<section aria-label="Receipts">
    <div class="bar">
      <h2 class="group">Every mail, and what became of it</h2>
      <span class="filters">
        ${
          mailboxes.length > 1 &&
          html`<label class="small">Mailbox <select value=${mailbox} onChange=${(event) => onMailbox(event.target.value)}>
          <option value="">all</option>
          ${mailboxes.map((one) => html`<option key=${one.id} value=${one.id}>${one.label}${one.state === 'removed' ? ' (removed)' : ''}</option>`)}
        </select></label>`
        }
        <label class="small">Show <select value=${outcome} onChange=${(event) => setOutcome(event.target.value)}>
          <option value="">all</option>
          ${Object.entries(WORD).map(([value, word]) => html`<option key=${value} value=${value}>${word}</option>`)}
          <optgroup label="Not opened, because of">${Object.entries(REASONS).map(([value, words]) => html`<option key=${value} value="skipped/${value}">${words}</option>`)}</optgroup>
        </select></label>
      </span>
    </div>
    <${Wrong} problem=${problem} />
    <p class="sr" role="status">${said}</p>
    ${list === undefined && problem === undefined && html`<p class="loading">Loading…</p>`}
    ${list?.length === 0 && html`<p class="muted">${narrowed ? 'No such mail.' : 'No mail yet. What comes is listed here, whatever becomes of it.'}</p>`}
    <ul class="receipts">${list?.map((mail) => html`<${Receipt} key=${mail.id} ...${{ mail, onRead: read, onDone: done, onReservation }} />`)}</ul>
    ${next !== undefined && html`<button type="button" class="plain" onClick=${() => run(() => load(next))}>Older mails</button>`}
  </section>`;
}

function Receipt({ mail, onRead, onDone, onReservation }) {
  const subject = mail.subject || '(no subject)';
  return html`<li>
    <p class="line"><span class="title">${subject}</span><span class="pill tone-${TONE[mail.disposition] ?? 'quiet'}">${WORD[mail.disposition] ?? mail.disposition}</span></p>
    <p>${mail.reason}</p>
    <p class="muted small">${mail.undo}</p>
    ${mail.warnings.map((warning) => html`<p key=${warning.code + warning.message} class="small warn">⚠ ${warning.message}</p>`)}
    <p class="muted small">${mail.from} · <time datetime=${mail.receivedAt}>${moment(mail.receivedAt)}</time> · ${byteSize(mail.size)}${mail.folder === undefined ? '' : ` · ${mail.folder}`}${mail.timesSeen > 1 ? ` · came ${mail.timesSeen} times` : ''}
      ${mail.reservations.map((id) => html`<span key=${id}> · <button type="button" class="link" onClick=${() => onReservation(id)}>show reservation</button>${mail.disposition === 'imported' && html` · <${Undo} id=${id} subject=${subject} />`}</span>`)}</p>
    ${mail.askable && html`<div class="buttons"><button type="button" class="plain" aria-label="Read it after all: ${subject}" onClick=${() => onRead(mail)}>Read it after all</button></div>`}
    ${mail.disposition === 'needs-you' && html`<div class="buttons"><button type="button" class="plain" aria-label="It is done: ${subject}" onClick=${() => onDone(mail)}>It is done</button></div>`}
  </li>`;
}

/** Takes what a mail brought out of the trips, and back. A mail that brought nothing has nothing to be undone. */
function Undo({ id, subject }) {
  const [out, setOut] = useState(false);
  const [problem, setProblem] = useState();
  const act = async () => {
    setProblem(undefined);
    const asked = out
      ? call(`/v1/reservations/${id}/restore`, { method: 'POST' })
      : call(`/v1/reservations/${id}`, { method: 'DELETE' });
    await asked.then(() => setOut(!out), setProblem);
  };
  return html`<button type="button" class="link" aria-label="${out ? 'Bring back' : 'Take out of my trips'}: ${subject}" onClick=${act}>${out ? 'bring it back' : 'take it out of my trips'}</button>
    <span role="status">${out ? ' (it is out of your trips)' : ''}${problem === undefined ? '' : ` ${problem.message}`}</span>`;
}
