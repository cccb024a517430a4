import { call } from './api.js';
import { HOW_FAR, SIGN_IN_AT } from './mailbox-words.js';
import { Copied, Linked, Wrong } from './parts.js';
import { leaveToSignIn } from './sign-in.js';
import { html, useLayoutEffect, useRef, useState } from './vendor.js';

const WAYS = [
  ['gmail', 'Sign in at Google', 'Gmail and Google Workspace; no password is entered here'],
  ['graph', 'Sign in at Microsoft', 'Outlook.com, Hotmail, Microsoft 365; no password is entered here'],
  ['imap', 'Password (IMAP)', 'nearly every other provider; often with an app password'],
  ['jmap', 'Password (JMAP)', 'servers that offer JMAP'],
  ['forward', 'Forward mails', 'Tripwatch sees only what you send to an address of your own'],
  ['import', 'Import saved mails', 'once, from files on the machine where Tripwatch runs'],
];
const GOOGLE = 'imap.gmail.com';

/** Connecting a mailbox: address first, then the way that fits, and what is read, before anything is stored. */
export function Connect({ traveller, offers, onConnected, onCancel }) {
  const [address, setAddress] = useState('');
  const [found, setFound] = useState();
  const [way, setWay] = useState();
  const [problem, setProblem] = useState();
  const [busy, setBusy] = useState(false);
  const first = useRef(null);
  const how = useRef(null);
  // At once, not after the next paint: who types ahead must not type into nothing.
  useLayoutEffect(() => first.current?.focus(), []);
  useLayoutEffect(() => how.current?.focus(), [found]);
  const run = async (work) => {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    await work().catch(setProblem);
    setBusy(false);
  };
  const missing = (kind) => offers.find((offer) => offer.kind === kind)?.missing;
  const discover = (event) => {
    event.preventDefault();
    run(async () => {
      const answer = await call('/v1/mailboxes/discover', { method: 'POST', body: { address } });
      setFound(answer);
      setWay(fitting(answer, missing));
    });
  };
  const path = `/v1/travellers/${traveller}/mailboxes`;
  const connect = (body) => run(async () => onConnected(await call(path, { method: 'POST', body })));
  const signIn = (sinceDays) =>
    run(async () => {
      await leaveToSignIn(traveller, { kind: way, sinceDays, ...(address === '' ? {} : { address }) });
    });
  const ways = WAYS.filter(([kind]) => kind === 'import' || offers.some((offer) => offer.kind === kind));
  const best = found === undefined ? undefined : fitting(found, missing);
  return html`<section class="card" aria-labelledby="connect-title">
    <div class="line"><h2 id="connect-title">Connect a mailbox</h2><button type="button" class="link" onClick=${onCancel}>Cancel</button></div>
    <form class="inline" onSubmit=${discover}>
      <label>Your mail address <input ref=${first} class="field" type="email" required maxlength="320" autocomplete="email" placeholder="ada@example.com" value=${address}
        onInput=${(event) => {
          setAddress(event.target.value);
          setFound(undefined);
        }} /></label>
      ${found === undefined && html`<button class="plain ${way === undefined ? 'primary' : ''}">${busy ? 'Looking…' : 'Find the settings'}</button>`}
    </form>
    ${found === undefined && way === undefined && html`<p class="small">Rather not connect it? <button type="button" class="link" onClick=${() => setWay('forward')}>Forward single mails</button> or <button type="button" class="link" onClick=${() => setWay('import')}>import saved ones</button>.</p>`}
    ${found?.kind === 'none' && html`<p class="told tone-warn" role="status">${found.note}</p>`}
    ${
      way !== undefined &&
      html`<fieldset class="ways"><legend tabindex="-1" ref=${how}>How</legend>${ways.map(
        ([kind, name, about]) => html`<label key=${kind} class=${kind === way ? 'way is-on' : 'way'}>
        <input type="radio" name="way" value=${kind} checked=${kind === way} onChange=${() => {
          setWay(kind);
          setProblem(undefined);
        }} />
        <span><b>${name}</b>${kind === best && html` <span class="pill tone-good">fits this address</span>`}${missing(kind) !== undefined && html` <span class="pill tone-quiet">not set up here</span>`}<span class="small muted about">${about}</span></span></label>`,
      )}</fieldset>
      <${Way} key=${way} ...${{ way, address, found, busy, missing: missing(way), problem, connect, signIn }} />`
    }
    ${way === undefined && html`<${Wrong} problem=${problem} />`}
  </section>`;
}

/** The way that suits an address: sign-in at its provider where that is set up here, else what was found. */
function fitting(found, missing) {
  if (found.kind === 'sign-in') return found.with;
  if (found.kind === 'none') return 'forward';
  return found.host === GOOGLE && missing('gmail') === undefined ? 'gmail' : 'imap';
}

function Way({ way, address, found, busy, missing, problem, connect, signIn }) {
  const [sinceDays, setSinceDays] = useState(90);
  if (missing !== undefined)
    return html`<p class="told tone-warn">${missing} Until then, ${way === 'gmail' ? 'use IMAP with an app password, or ' : ''}forward mails.</p>`;
  const since = html`<label class="row">How far back <select value=${sinceDays} onChange=${(event) => setSinceDays(Number(event.target.value))}>
    ${HOW_FAR.map(([days, text]) => html`<option key=${days} value=${days}>${text}</option>`)}</select></label>`;
  if (way === 'import') {
    return html`<p class="small">On the machine where Tripwatch runs, with a file or folder of mails (.eml, mbox, Maildir):</p>
      <${Copied} label="Command" text="tripwatch import ~/Mail" /><p class="small muted">It can be repeated: mails that were brought before are only counted.</p>`;
  }
  if (way === 'forward') {
    return html`<div class="told small"><p><b>Seen</b> is only what is sent to the address, by you or by a filter in your mail program. Every mail gets a receipt.</p></div>
      <${Wrong} problem=${problem} /><div class="buttons"><button type="button" class="plain primary" disabled=${busy} onClick=${() => connect({ kind: 'forward' })}>Make an address</button></div>`;
  }
  if (way === 'gmail' || way === 'graph') {
    return html`${since}<${WhatIsRead} provider=${SIGN_IN_AT[way]} days=${sinceDays} /><${Wrong} problem=${problem} />
      <div class="buttons"><button type="button" class="plain primary" disabled=${busy} onClick=${() => signIn(sinceDays)}>${busy ? 'One moment…' : `Go on to ${SIGN_IN_AT[way]}`}</button></div>`;
  }
  return html`<${ByPassword} ...${{ way, address, found, busy, since, sinceDays, problem, connect }} />`;
}

function ByPassword({ way, address, found, busy, since, sinceDays, problem, connect }) {
  const proposed = found?.kind === 'imap' ? found : { host: '', port: 993, security: 'tls', user: address };
  const [password, setPassword] = useState('');
  const [server, setServer] = useState();
  const [confirmed, setConfirmed] = useState(false);
  const [url, setUrl] = useState('');
  const used = server ?? proposed;
  const set = (name) => (event) => setServer({ ...used, [name]: event.target.value });
  const app = found?.login === 'app-password' && server === undefined;
  const mailConfirm = problem?.code === 'mailbox-confirm' ? problem.errors?.[0]?.message : undefined;
  const strange = server === undefined ? (found?.confirm ? found.host : mailConfirm) : undefined;
  const field = problem?.errors?.[0]?.path;
  const submit = (event) => {
    event.preventDefault();
    const user = used.user === '' || used.user === address ? {} : { user: used.user };
    if (way === 'jmap') {
      connect({ kind: 'jmap', address, password, sinceDays, ...user, ...(url === '' ? {} : { url }) });
      return;
    }
    // What was found is found again by the server, which asks for a yes where one is needed.
    const more =
      server === undefined
        ? { confirm: confirmed }
        : { host: server.host, port: Number(server.port), security: server.security };
    connect({ kind: 'imap', address, password, sinceDays, ...user, ...more });
  };
  return html`<form onSubmit=${submit}>
    ${found?.kind === 'imap' && found.note !== undefined && way === 'imap' && html`<p class="told tone-now"><${Linked} text=${found.note} /></p>`}
    ${found?.kind === 'sign-in' && way === 'imap' && html`<p class="told tone-warn">${found.note}</p>`}
    <label class="row">${app ? 'App password' : 'Password'} <input class="field" type="password" required maxlength="1000" autocomplete="off" value=${password}
      aria-invalid=${field === 'password'} onInput=${(event) => setPassword(event.target.value)} /></label>
    ${
      way === 'jmap'
        ? html`<label class="row">Server <input class="field" type="url" placeholder="https://${address.split('@')[1] || 'mail.example.com'}" value=${url} onInput=${(event) => setUrl(event.target.value)} /></label>
          <label class="row">User <input class="field" value=${used.user} onInput=${set('user')} autocomplete="username" /></label>`
        : html`<details open=${proposed.host === '' || field === 'host'}>
          <summary>Server: ${used.host === '' ? 'not known' : `${used.host}, port ${used.port}, ${SECURITY[used.security]}`}</summary>
          <label class="row">Server <input class="field" required placeholder="imap.example.com" value=${used.host} onInput=${set('host')} /></label>
          <label class="row">Port <input class="field" required inputmode="numeric" pattern="[0-9]{1,5}" value=${used.port} onInput=${set('port')} /></label>
          <label class="row">Encryption <select value=${used.security} onChange=${set('security')}>${Object.entries(SECURITY).map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
          <label class="row">User <input class="field" value=${used.user} autocomplete="username" onInput=${set('user')} /></label>
        </details>`
    }
    ${strange !== undefined && html`<label class="told tone-warn tick"><input type="checkbox" required checked=${confirmed} onChange=${(event) => setConfirmed(event.target.checked)} /> <span><b>${strange}</b> is named by DNS only and is not of the domain of your address. Yes, it is my mail provider's: my password may go there.</span></label>`}
    ${since}<${WhatIsRead} days=${sinceDays} /><${Wrong} problem=${problem} />
    <div class="buttons"><button class="plain primary" disabled=${busy}>${busy ? 'Signing in…' : 'Connect'}</button></div>
  </form>`;
}

const SECURITY = { tls: 'TLS', starttls: 'STARTTLS', plain: 'none (only where this installation allows it)' };

/** Said plainly before anything is connected. */
function WhatIsRead({ provider, days }) {
  const mails = days === 0 ? 'of each mail that comes from now on' : 'of each mail of that time, and of those to come';
  return html`<div class="told small"><ul>
    <li><b>Looked at:</b> the headers ${mails}: sender, subject, date, names of attachments. Junk, trash and drafts are left out.</li>
    <li><b>Opened:</b> only mails that look like a booking, or that a rule of yours names. All others stay closed.</li>
    <li><b>Never:</b> nothing is sent, moved, deleted or marked as read.</li>
    <li><b>Kept:</b> ${provider === undefined ? 'the password, encrypted' : `a permission to read, given by ${provider}, encrypted`}, until you remove the mailbox. Every mail seen gets a receipt that says what became of it and why.</li>
  </ul></div>`;
}
