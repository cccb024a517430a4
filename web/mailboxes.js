import { call } from './api.js';
import { Connect } from './connect.js';
import { MailboxCard } from './mailbox-card.js';
import { isBusy, mailsText } from './mailbox-words.js';
import { Wrong } from './parts.js';
import { Rules } from './rules.js';
import { html, useEffect, useRef, useState } from './vendor.js';

/** How often the list is read again, ms: while something goes on, and else. */
const SOON_MS = 1500;
const LATER_MS = 15_000;
/** How long a look that was asked for is shown as under way, ms. */
const CHECK_MS = 30_000;

/** A traveller's mailboxes: how each stands, connecting another, and what may be opened. */
export function Mailboxes({ traveller, now, arrival, changes, onProblem, onShowMails }) {
  const [list, setList] = useState();
  const [offers, setOffers] = useState([]);
  const [problem, setProblem] = useState(arrival?.problem);
  const [said, setSaid] = useState(arrival?.text ?? '');
  const [connecting, setConnecting] = useState(false);
  // What was asked to be looked at: when it was last looked at before, and when it was asked.
  const [checks, setChecks] = useState(new Map());
  const title = useRef(null);
  const latest = useRef({});
  const isChecking = ({ id, watch }) => {
    const asked = checks.get(id);
    return asked !== undefined && asked.before === watch?.checkedAt && Date.now() - asked.at < CHECK_MS;
  };
  latest.current = { busy: (list ?? []).some((one) => isBusy(one) || isChecking(one)), traveller };

  const load = async () => {
    const { items } = await call(`/v1/travellers/${traveller}/mailboxes`);
    if (latest.current.traveller === traveller) setList(items);
  };
  useEffect(() => {
    let ended = false;
    let timer;
    const again = async () => {
      await load().then(
        () => setProblem((old) => (old instanceof TypeError ? undefined : old)),
        (error) => (error.status === 401 ? onProblem(error) : setProblem(error)),
      );
      if (!ended) timer = setTimeout(again, latest.current.busy ? SOON_MS : LATER_MS);
    };
    setList(undefined);
    setConnecting(false);
    again();
    call('/v1/mailbox-kinds').then(
      ({ items }) => setOffers(items),
      () => setOffers([]),
    );
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [traveller]);

  useEffect(() => {
    if (list !== undefined) load().catch(() => {});
  }, [changes]);

  const changed = (mailbox) => setList((old) => old.map((one) => (one.id === mailbox.id ? mailbox : one)));
  const check = async (mailbox) => {
    changed(await call(`/v1/mailboxes/${mailbox.id}/check`, { method: 'POST' }));
    setChecks((old) => new Map(old).set(mailbox.id, { before: mailbox.watch?.checkedAt, at: Date.now() }));
    setSaid(`${mailbox.label} is being checked.`);
    setTimeout(() => load().catch(() => {}), SOON_MS / 3);
  };
  const removed = (mailbox, { receipts }) => {
    setList((old) => old.filter((one) => one.id !== mailbox.id));
    setSaid(`${mailbox.label} is removed.${receipts > 0 ? ` The receipts of ${mailsText(receipts)} stay.` : ''}`);
    title.current?.focus();
  };
  const connected = (mailbox) => {
    setConnecting(false);
    setProblem(undefined);
    setList((old) => [...(old ?? []).filter((one) => one.id !== mailbox.id), mailbox]);
    setSaid(
      mailbox.kind === 'forward'
        ? 'The address is made. Forward booking mails to it.'
        : `${mailbox.address ?? mailbox.label} is connected. New mails come first, older ones follow.`,
    );
    title.current?.focus();
  };
  if (list === undefined) return html`<${Wrong} problem=${problem} /><p class="loading">Loading…</p>`;
  // What needs its owner comes first, then what is connected.
  const place = ({ watch, kind }) =>
    watch?.state === 'needs-you' ? 0 : watch !== undefined ? 1 : kind === 'forward' ? 2 : 3;
  const sorted = [...list].sort((a, b) => place(a) - place(b));
  return html`<section aria-label="Mailboxes">
    <div class="bar"><h2 class="group" tabindex="-1" ref=${title}>Mailboxes</h2>
      ${!connecting && list.length > 0 && html`<button type="button" class="plain primary" onClick=${() => setConnecting(true)}>Connect a mailbox</button>`}</div>
    <p class=${said === '' ? 'sr' : 'said'} role="status">${said}</p>
    <${Wrong} problem=${problem} />
    ${list.length === 0 && !connecting && html`<div class="card"><p>No mailbox yet. Connect one, and Tripwatch finds the bookings in it and follows them; or make an address to forward booking mails to.</p><div class="buttons"><button type="button" class="plain primary" onClick=${() => setConnecting(true)}>Connect a mailbox</button></div></div>`}
    ${connecting && html`<${Connect} ...${{ traveller, offers, onConnected: connected, onCancel: () => setConnecting(false) }} />`}
    <ul class="mailboxes">${sorted.map(
      (one) =>
        html`<${MailboxCard} key=${one.id} ...${{ mailbox: one, now, checking: isChecking(one), onCheck: check, onChanged: changed, onRemoved: removed, onShowMails }} />`,
    )}</ul>
    <${Rules} traveller=${traveller} />
  </section>`;
}
