import { call } from './api.js';
import { dayOf } from './format.js';
import {
  checkedText,
  count,
  HOW_FAR,
  KIND_NAME,
  mailsText,
  outcomes,
  remedy,
  SIGN_IN_AT,
  standing,
} from './mailbox-words.js';
import { Confirm, Copied, Linked, Wrong } from './parts.js';
import { leaveToSignIn } from './sign-in.js';
import { html, useState } from './vendor.js';

/** One mailbox: how it stands, what came of its mails, and what can be done. */
export function MailboxCard({ mailbox, now, checking, onCheck, onChanged, onRemoved, onShowMails }) {
  const { id, kind, label, address, watch, mails } = mailbox;
  const [problem, setProblem] = useState();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [open, setOpen] = useState(false);
  const state = standing(mailbox, checking);
  const paused = mailbox.state === 'paused';
  const name = address ?? label;
  const act = async (work) => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    await work().catch(setProblem);
    setBusy(false);
  };
  const ask = (what, body) =>
    act(async () => onChanged(await call(`/v1/mailboxes/${id}/${what}`, { method: 'POST', body })));
  const button = (text, onClick, more = '') =>
    html`<button type="button" class="plain ${more}" aria-label="${text}: ${name}" onClick=${onClick}>${text}</button>`;
  return html`<li class="mailbox" aria-busy=${busy} aria-labelledby="name-${id}">
    <div class="line"><h3 id="name-${id}">${label}</h3><span class="pill tone-${state.tone}">${state.text}</span></div>
    <p class="muted small">${[KIND_NAME[kind] ?? kind, kind !== 'forward' && address !== label ? address : undefined].filter(Boolean).join(' · ')}</p>
    ${
      kind === 'forward' &&
      html`<${Copied} label="Forwarding address" text=${address} />
      <p class="small muted">Mails sent here are yours, whoever sends them: keep the address to yourself.${address.endsWith('.localhost') ? ' So far it can be reached from this machine only: the operator has to name a domain (smtp.domain).' : ''}</p>`
    }
    ${watch !== undefined && html`<${Standing} ...${{ mailbox, act, now, onChanged }} />`}
    ${!paused && watch !== undefined && watch.state !== 'needs-you' && html`<${Older} watch=${watch} seen=${mails?.seen ?? 0} />`}
    ${
      mails !== undefined &&
      html`<p class="small">${mails.seen > 0 ? `${mailsText(mails.seen)} seen: ${outcomes(mails).join(' · ')}` : 'No mail has been seen yet.'}
      ${mails.seen > 0 && html` · <button type="button" class="link" onClick=${() => onShowMails(id)}>show ${mails.seen === 1 ? 'it' : 'them'}<span class="sr"> of ${name}</span></button>`}</p>`
    }
    ${watch !== undefined && html`<p class="small muted">${checkedText(mailbox, now)} · mails since ${dayOf(watch.since)}${watch.folders === undefined ? '' : ` · only ${watch.folders.join(', ')}`}</p>`}
    <${Wrong} problem=${problem} />
    <div class="buttons">
      ${watch !== undefined && !paused && watch.state !== 'needs-you' && button('Check now', () => act(() => onCheck(mailbox)))}
      ${kind !== 'import' && (paused ? button('Go on', () => ask('resume')) : button('Pause', () => ask('pause', {})))}
      ${watch !== undefined && html`<button type="button" class="plain" aria-expanded=${open} aria-label="What is read: ${name}" onClick=${() => setOpen(!open)}>What is read</button>`}
      ${button('Remove', () => setAsking(true), 'quiet-danger')}
    </div>
    ${open && html`<${Reading} ...${{ mailbox, onChanged, onDone: () => setOpen(false) }} />`}
    ${
      asking &&
      html`<${Confirm} title="Remove ${name}?" yes="Remove it" no="Keep it" onNo=${() => setAsking(false)}
        onYes=${() => {
          setAsking(false);
          act(async () => onRemoved(mailbox, await call(`/v1/mailboxes/${id}`, { method: 'DELETE' })));
        }}>
        <p>${kind === 'forward' ? 'Mails to this address are refused from then on, and the address never comes back.' : kind === 'import' ? 'Its mails are no longer listed as a mailbox.' : 'Its sign-in is erased here at once. Nothing changes in the mailbox itself.'}
          ${mails?.seen > 0 ? ` What came of its ${mailsText(mails.seen)} stays: receipts, trips and reservations.` : ''}</p>
      </${Confirm}>`
    }
  </li>`;
}

/** Why it does not go on, and the button that mends it. */
function Standing({ mailbox, act, onChanged }) {
  const { id, kind, traveller, watch } = mailbox;
  const [password, setPassword] = useState('');
  if (watch.state === 'watching' || watch.state === 'backfilling') return undefined;
  const mend = remedy(mailbox);
  const tone = watch.state === 'needs-you' ? 'bad' : watch.state === 'unreachable' ? 'warn' : 'quiet';
  const again = { kind, mailbox: id, ...(mailbox.address === undefined ? {} : { address: mailbox.address }) };
  const signIn = () => act(() => leaveToSignIn(traveller, again));
  const enter = (event) => {
    event.preventDefault();
    act(async () => {
      onChanged(await call(`/v1/mailboxes/${id}`, { method: 'PATCH', body: { password } }));
      setPassword('');
    });
  };
  return html`<div class="told tone-${tone}">
    <p><${Linked} text=${watch.reason} /></p>
    ${mend === 'sign-in' && html`<button type="button" class="plain primary" onClick=${signIn}>Sign in at ${SIGN_IN_AT[kind]} again</button>`}
    ${
      mend === 'password' &&
      html`<form class="inline" onSubmit=${enter}>
        <label>Password or app password <input class="field" type="password" required autocomplete="current-password" value=${password} onInput=${(event) => setPassword(event.target.value)} /></label>
        <button class="plain primary">Try it</button>
      </form>`
    }
  </div>`;
}

/** How far the older mails have come. */
function Older({ watch, seen }) {
  const { done, left } = watch.backfill;
  if (done) return undefined;
  const text =
    left === undefined
      ? `Reading the older mails: ${mailsText(seen)} looked at so far`
      : `Reading the older mails: ${count(seen)} of ${count(seen + left)} looked at`;
  return html`<label class="small older">${text}; new mails do not wait for them.
    ${left === undefined ? html`<progress></progress>` : html`<progress max=${Math.max(1, seen + left)} value=${seen}></progress>`}</label>`;
}

/** Which folders and how far back; and with the newest mails what that means. */
function Reading({ mailbox, onChanged, onDone }) {
  const { id, watch } = mailbox;
  const [look, setLook] = useState();
  const [problem, setProblem] = useState();
  const [busy, setBusy] = useState(false);
  const [folders, setFolders] = useState(watch.folders);
  const [since, setSince] = useState('');
  const run = async (work) => {
    setBusy(true);
    setProblem(undefined);
    await work().catch(setProblem);
    setBusy(false);
  };
  const test = () => run(async () => setLook(await call(`/v1/mailboxes/${id}/test`, { method: 'POST' })));
  const changed = since !== '' || (folders ?? []).join('\n') !== (watch.folders ?? []).join('\n');
  const save = (event) => {
    event.preventDefault();
    run(async () => {
      const body = {
        ...(since === '' ? {} : { sinceDays: Number(since) }),
        ...(folders === undefined ? {} : { folders }),
      };
      onChanged(await call(`/v1/mailboxes/${id}`, { method: 'PATCH', body }));
      onDone();
    });
  };
  const tick = (name, on) =>
    setFolders((old) => {
      const next = (old ?? []).filter((one) => one !== name);
      return on ? [...next, name] : next.length === 0 ? undefined : next;
    });
  return html`<div class="told">
    <p class="small">Of each mail the headers are read: sender, subject, date. It is opened only where it looks like a booking, or a rule of yours allows it. Nothing in the mailbox is changed.${watch.news === undefined ? '' : ` ${watch.news.note}`}</p>
    <div class="buttons"><button type="button" class="plain" onClick=${test} disabled=${busy}>${busy && look === undefined ? 'Looking…' : 'Look into it now'}</button></div>
    <${Wrong} problem=${problem} />
    ${look !== undefined && html`<${Sample} look=${look} />`}
    <form onSubmit=${save}>
      ${
        look !== undefined &&
        html`<fieldset><legend>Folders</legend>
        <p class="small muted">None marked: all but junk, trash and drafts.</p>
        <div class="ticks">${look.folders.map(
          ({ name, role }) =>
            html`<label key=${name}><input type="checkbox" checked=${folders?.includes(name) ?? false} onChange=${(event) => tick(name, event.target.checked)} /> ${name}${role !== undefined && role !== name.toLowerCase() ? ` (${role})` : ''}</label>`,
        )}</div></fieldset>`
      }
      <label class="row">How far back <select value=${since} onChange=${(event) => setSince(event.target.value)}>
        <option value="">as it is: since ${dayOf(watch.since)}</option>
        ${HOW_FAR.slice(1).map(([days, text]) => html`<option key=${days} value=${days}>${text}</option>`)}
      </select></label>
      <div class="buttons"><button class="plain primary" disabled=${busy || !changed}>Save</button><button type="button" class="plain" onClick=${onDone}>Close</button></div>
    </form>
  </div>`;
}

/** The newest mails, with what becomes of each. */
function Sample({ look }) {
  const read = look.sample.filter((mail) => mail.read).length;
  return html`<div>
    <p class="small" role="status">${look.sample.length === 0 ? 'There is no mail since then.' : `Of the newest ${mailsText(look.sample.length)}, ${count(read)} would be opened.`}</p>
    <ul class="sample">${look.sample.map(
      (mail, index) => html`<li key=${index} class="small">
        <span class="pill tone-${mail.read ? 'good' : 'quiet'}">${mail.read ? 'opened' : 'left'}</span>
        <span><b>${mail.subject || '(no subject)'}</b> <span class="muted">${mail.from}</span><br /><span class="muted">${mail.why}</span></span>
      </li>`,
    )}</ul>
  </div>`;
}
