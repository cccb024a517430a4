import { Alerts } from './alerts.js';
import { ApiProblem, call, watchChanges } from './api.js';
import { Detail } from './detail.js';
import { moment } from './format.js';
import { Mailboxes } from './mailboxes.js';
import { Receipts } from './receipts.js';
import { finishSignIn, takeReturn } from './sign-in.js';
import { FirstTraveller } from './traveller.js';
import { Trips } from './trips.js';
import { html, render, useEffect, useRef, useState } from './vendor.js';

/** How long a changed leg stays marked, ms. */
const CHANGED_MS = 60_000;
/** Changes that come together are read together, ms. */
const GATHER_MS = 150;
const FEED_SHOWN = 50;
/** Set where a mail provider sent the browser back. */
const returned = takeReturn();

function App() {
  const [problem, setProblem] = useState();
  const [travellers, setTravellers] = useState();
  const [traveller, setTraveller] = useState(
    () => new URLSearchParams(location.hash.slice(1)).get('traveller') ?? undefined,
  );
  // Whether the person chose whom to look at; until then the page follows whoever has something to show.
  const [chosen, setChosen] = useState(traveller !== undefined);
  const [view, setView] = useState(() => new URLSearchParams(location.hash.slice(1)).get('view') ?? 'trips');
  const [trips, setTrips] = useState();
  const [feed, setFeed] = useState([]);
  const [changed, setChanged] = useState(new Set());
  const [live, setLive] = useState(false);
  const [clock, setClock] = useState({ offset: 0, at: Date.now(), speed: 1 });
  const [open, setOpen] = useState();
  const [detail, setDetail] = useState({});
  // Grows with each change: the list of mails is read again.
  const [seen, setSeen] = useState(0);
  // Of which mailbox mails are shown; empty: of all.
  const [mailbox, setMailbox] = useState('');
  // Those that cannot go on without their owner.
  const [needing, setNeeding] = useState([]);
  // What came of a sign-in at a mail provider, for the mailboxes to tell.
  const [arrival, setArrival] = useState();
  const now = useNow(clock);
  const current = useRef({});
  current.current = { traveller, open, view, idle: !chosen && view === 'trips' && trips?.length === 0 };

  const guard = (work) =>
    work().then(
      () => setProblem(undefined),
      (error) => setProblem(error),
    );

  const loadTrips = async () => {
    const { traveller: who } = current.current;
    if (who === undefined) return;
    const answer = await call(`/v1/trips?traveller=${who}`);
    if (current.current.traveller === who) setTrips(answer.trips ?? answer.items ?? answer);
  };
  const loadNeeding = async () => {
    const { traveller: who } = current.current;
    if (who === undefined) return;
    const { items } = await call(`/v1/travellers/${who}/mailboxes`);
    if (current.current.traveller === who) setNeeding(items.filter(({ watch }) => watch?.state === 'needs-you'));
  };
  const loadDetail = async (id) => {
    const [reservation, history] = await Promise.all([
      call(`/v1/reservations/${id}`),
      call(`/v1/reservations/${id}/history`),
    ]);
    setDetail({ id, reservation, history });
  };
  useEffect(() => {
    guard(async () => {
      const [people, status] = await Promise.all([call('/v1/travellers'), call('/v1/status').catch(() => undefined)]);
      const list = people.travellers ?? people.items ?? people;
      setTravellers(list);
      if (status !== undefined) setClock({ server: Date.parse(status.now), at: Date.now(), speed: status.clockSpeed });
      const arrived = returned === undefined ? {} : await finishSignIn(returned);
      setArrival(arrived);
      const owner = arrived.mailbox?.traveller ?? returned?.traveller;
      if (list.some((one) => one.id === owner)) {
        setTraveller(owner);
        setChosen(true);
      } else if (!list.some((one) => one.id === current.current.traveller)) {
        setTraveller(await firstWithTrips(list));
        setChosen(false);
      }
    });
  }, []);

  useEffect(() => {
    if (traveller === undefined) return undefined;
    history.replaceState(undefined, '', `#${new URLSearchParams({ traveller, view })}`);
    setTrips(undefined);
    setFeed([]);
    setOpen(undefined);
    setNeeding([]);
    guard(loadTrips);
    guard(loadNeeding);
    setMailbox('');
    return undefined;
  }, [traveller]);

  useEffect(() => {
    if (traveller !== undefined) history.replaceState(undefined, '', `#${new URLSearchParams({ traveller, view })}`);
    // Told once.
    if (arrival !== undefined && view !== 'mailboxes') setArrival({});
    guard(loadNeeding);
  }, [view]);

  // Ages on the page come from the last read; read again now and then so that "checked … ago" stays true.
  useEffect(() => {
    const timer = setInterval(() => guard(loadTrips), Math.max(2000, 15_000 / Math.sqrt(clock.speed)));
    return () => clearInterval(timer);
  }, [clock.speed]);

  useEffect(() => {
    let gathered = new Map();
    let pending;
    const flush = () => {
      pending = undefined;
      const events = [...gathered.values()];
      gathered = new Map();
      if (current.current.idle && events.length > 0) {
        setTraveller(events[0].travellerid);
        return;
      }
      const mine = events.filter((event) => event.travellerid === current.current.traveller);
      if (mine.length === 0) return;
      // What is told of a mailbox is about no reservation.
      const ids = new Set(mine.flatMap((event) => event.data.reservationId ?? []));
      setChanged((old) => new Set([...old, ...ids]));
      setTimeout(() => setChanged((old) => new Set([...old].filter((id) => !ids.has(id)))), CHANGED_MS);
      setFeed((old) => [...mine.reverse(), ...old].slice(0, FEED_SHOWN));
      guard(async () => {
        await loadTrips();
        if (mine.some(({ data }) => data.mailboxId !== undefined)) await loadNeeding();
        if (ids.has(current.current.open?.reservation)) await loadDetail(current.current.open.reservation);
        setSeen((n) => n + 1);
      });
    };
    return watchChanges({
      after: undefined,
      onState: setLive,
      onReset: () => guard(loadTrips),
      onChange: (event) => {
        gathered.set(event.id, event);
        if (pending === undefined) pending = setTimeout(flush, GATHER_MS);
      },
    });
  }, []);

  const openLeg = (leg) => {
    setOpen(leg);
    setDetail({});
    if (leg !== undefined) guard(() => loadDetail(leg.reservation));
  };
  const added = (one) => {
    setTravellers([...travellers, one]);
    setTraveller(one.id);
    setChosen(true);
    setView('mailboxes');
  };
  const showMails = (id) => {
    setMailbox(id);
    setView('receipts');
  };
  const showReservation = (id) => {
    const leg = (trips ?? []).flatMap((trip) => trip.legs).find((candidate) => candidate.reservation === id);
    setView('trips');
    if (leg !== undefined) openLeg(leg);
  };

  if (problem instanceof ApiProblem && (problem.status === 401 || problem.status === 403)) {
    return html`<main class="empty"><h1>Tripwatch</h1>
      <h2>Please sign in</h2>
      <p>Open the address that <code>tripwatch up</code> or <code>npm start</code> printed: it signs this browser in. Lost it? <code>tripwatch token add</code> makes a new one.</p></main>`;
  }
  if (travellers === undefined)
    return html`<p class="loading">${problem === undefined ? 'Loading…' : problem.message}</p>`;

  const tab = (name, text) =>
    html`<button type="button" role="tab" aria-selected=${view === name} onClick=${() => setView(name)}>${text}</button>`;
  return html`
    <header class="top">
      <h1><img src="/icon.svg" alt="" width="28" height="28" /> Tripwatch</h1>
      ${
        travellers.length > 0 &&
        html`<label class="who"><span class="sr">Traveller</span>
        <select value=${traveller} onChange=${(event) => {
          setChosen(true);
          setTraveller(event.target.value);
        }}>${travellers.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}</select></label>`
      }
      <span class="live ${live ? 'on' : 'off'}" role="status">${live ? 'live' : 'not connected, trying again'}</span>
      ${clock.speed !== 1 && html`<span class="muted small sandbox">sandbox: ${moment(now)}, ${clock.speed}× time</span>`}
    </header>
    ${problem !== undefined && html`<p class="problem" role="alert">${problem.message}</p>`}
    ${
      view !== 'mailboxes' &&
      needing.length > 0 &&
      html`<p class="problem">${needing.length === 1 ? `The mailbox ${needing[0].label} needs you` : `${needing.length} mailboxes need you`}: mails are not read until then. <button type="button" class="link" onClick=${() => setView('mailboxes')}>See what to do</button></p>`
    }
    <nav role="tablist" aria-label="Views">${tab('trips', 'Trips')}${tab('changes', `Changes${feed.length > 0 ? ` (${feed.length})` : ''}`)}${tab('receipts', 'Mails')}${tab('mailboxes', 'Mailboxes')}</nav>
    <p class="sr" aria-live="polite">${feed[0] === undefined ? '' : spoken(feed[0].data)}</p>
    <main>
      ${travellers.length === 0 && html`<${FirstTraveller} onAdded=${added} />`}
      ${
        view === 'trips' &&
        travellers.length > 0 &&
        (trips === undefined
          ? html`<p class="loading">Loading…</p>`
          : html`<${Trips} ...${{ trips, now, changed, open: open?.id, reservation: detail, onOpen: openLeg, onConnect: () => setView('mailboxes') }}
        renderDetail=${(leg) => html`<${Detail} leg=${leg} reservation=${detail.reservation} history=${detail.history} />`} />`)
      }
      ${view === 'changes' && html`<${Changes} feed=${feed} onOpen=${({ reservationId }) => (reservationId === undefined ? setView('mailboxes') : showReservation(reservationId))} />`}
      ${
        view === 'receipts' &&
        traveller !== undefined &&
        html`<${Receipts} ...${{ traveller, changes: seen, mailbox, onMailbox: setMailbox, onReservation: showReservation }} />`
      }
      ${
        view === 'mailboxes' &&
        (arrival === undefined
          ? html`<p class="loading" role="status">${returned === undefined ? 'Loading…' : 'Connecting the mailbox…'}</p>`
          : traveller !== undefined &&
            html`<${Mailboxes} ...${{ traveller, now, arrival, changes: seen, onProblem: setProblem, onShowMails: showMails }} />`)
      }
    </main>
    <footer class="muted small">Every value names its source. <a href="/openapi.json">API</a></footer>`;
}

/** Of many travellers, the first of the first few who has a trip. */
async function firstWithTrips(travellers) {
  for (const one of travellers.slice(0, 12)) {
    const answer = await call(`/v1/trips?traveller=${one.id}`);
    if ((answer.trips ?? answer.items ?? answer).length > 0) return one.id;
  }
  return travellers[0]?.id;
}

function Changes({ feed, onOpen }) {
  return html`<section aria-label="Changes">
    <h2 class="group">What changed while this page was open</h2>
    ${feed.length === 0 && html`<p class="muted">Nothing yet. Each trip keeps its whole history: open a leg to see it.</p>`}
    <ul class="receipts">${feed.map(
      (event) => html`<li key=${event.id}>
        <p class="line"><button type="button" class="link title" onClick=${() => onOpen(event.data)}>${event.data.title}</button><time class="muted small" datetime=${event.data.changedAt}>${moment(event.data.changedAt)}</time></p>
        ${event.data.alerts !== undefined && html`<${Alerts} alerts=${event.data.alerts} />`}
        ${event.data.sentences.map((sentence) => html`<p key=${sentence}>${sentence}</p>`)}
      </li>`,
    )}</ul>
  </section>`;
}

/** What is read out of a change: its alerts, which say all that matters; else what changed. */
function spoken({ alerts, sentences }) {
  return alerts === undefined ? sentences.join('. ') : alerts.map(({ sentence }) => sentence).join(' ');
}

/** The server's clock, which the sandbox speeds up; ticks once a second. */
function useNow(clock) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return clock.server === undefined ? Date.now() : clock.server + (Date.now() - clock.at) * clock.speed;
}

const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
