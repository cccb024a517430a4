import { age, besideText, KIND, legState, moment, wallClock } from './format.js';
import { KindIcon } from './icons.js';
import { html, useEffect, useRef } from './vendor.js';

/** Trips with their legs as a timeline. */
export function Trips({ trips, now, changed, open, reservation, onOpen, onConnect, renderDetail }) {
  if (trips.length === 0) {
    return html`<section class="empty">
      <h2>No trips yet</h2>
      <p>Connect a mailbox, forward a booking mail to an address of your own, or import saved mails. Each mail gets a receipt that says what became of it.</p>
      <p class="buttons"><button type="button" class="plain primary" onClick=${onConnect}>Connect a mailbox</button></p>
    </section>`;
  }
  const groups = [
    ['Under way', trips.filter((trip) => trip.state === 'under-way')],
    ['Upcoming', trips.filter((trip) => trip.state === 'upcoming')],
    ['Without a date', trips.filter((trip) => trip.state === 'undated')],
    ['Past', trips.filter((trip) => trip.state === 'past')],
  ];
  return groups
    .filter(([, list]) => list.length > 0)
    .map(
      ([name, list]) => html`<section key=${name} aria-label=${name}>
        <h2 class="group">${name}</h2>
        ${list.map((trip) => html`<${Trip} key=${trip.id} ...${{ trip, now, changed, open, reservation, onOpen, renderDetail }} />`)}
      </section>`,
    );
}

function Trip({ trip, now, changed, open, reservation, onOpen, renderDetail }) {
  let lastDay;
  return html`<article class="trip ${trip.cancelled ? 'is-cancelled' : ''}">
    <header>
      <h3>${trip.title}</h3>
      <p class="muted">${spanOf(trip)}</p>
      ${trip.state !== 'past' && html`<${Attention} legs=${trip.legs} />`}
    </header>
    <ol class="timeline">
      ${trip.legs.map((leg) => {
        const start = wallClock(leg.start.time);
        const day = start !== undefined && start.day !== lastDay ? start.dayText : undefined;
        if (start !== undefined) lastDay = start.day;
        const isOpen = open === leg.id;
        return html`<li key=${leg.id} class="stop">
          ${day !== undefined && html`<p class="day">${day}</p>`}
          <${Leg} leg=${leg} now=${now} fresh=${changed.has(leg.reservation)} isOpen=${isOpen} onOpen=${() => onOpen(isOpen ? undefined : leg)} />
          ${isOpen && renderDetail(leg, reservation)}
        </li>`;
      })}
    </ol>
  </article>`;
}

/** What needs a look in this trip, before any of its legs is read. */
function Attention({ legs }) {
  const found = legs
    .map((leg) => ({ leg, state: legState(leg) }))
    .filter(({ leg, state }) => state.tone === 'bad' || state.tone === 'warn' || leg.beside !== undefined);
  if (found.length === 0) return undefined;
  return html`<ul class="attention" aria-label="Needs a look">${found.map(
    ({ leg, state }) =>
      html`<li key=${leg.id} class="tone-${state.tone === 'good' ? 'warn' : state.tone}"><b>${state.tone === 'good' ? 'Sources differ' : state.text}</b> ${leg.title}</li>`,
  )}</ul>`;
}

/** From the first start to the last end, which need not be that of the last leg: a stay goes on while others come and go. */
function spanOf(trip) {
  const days = trip.legs
    .flatMap((leg) => [wallClock(leg.start.time), wallClock(leg.end.time)])
    .filter((time) => time !== undefined)
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  if (days.length === 0) return '';
  const [first, last] = [days[0].dayText, days.at(-1).dayText];
  return first === last ? first : `${first} – ${last}`;
}

function Leg({ leg, now, fresh, isOpen, onOpen }) {
  const kind = KIND[leg.kind] ?? KIND.event;
  const state = legState(leg);
  const element = useRef(null);
  useEffect(() => {
    if (fresh) element.current?.classList.add('flash');
    const timer = setTimeout(() => element.current?.classList.remove('flash'), 2500);
    return () => clearTimeout(timer);
  }, [fresh, leg.version]);
  return html`<button ref=${element} type="button" class="leg tone-${state.tone} ${leg.cancelled ? 'is-off' : ''}" aria-expanded=${isOpen} onClick=${onOpen}>
    <span class="icon"><${KindIcon} kind=${leg.kind} /><span class="sr">${kind.name}</span></span>
    <span class="body">
      <span class="line">
        <span class="title">${leg.title}</span>
        <span class="pills">${fresh && html`<span class="pill tone-now">just changed</span>`}<span class="pill tone-${state.tone}">${state.text}</span></span>
      </span>
      ${leg.cancelled && html`<span class="off">This ${kind.name.toLowerCase()} is cancelled${leg.state === 'cancelled' && leg.start.time !== undefined ? '; it was planned as' : ''}</span>`}
      <span class="points">
        <${Point} flight=${leg.kind === 'flight'} name=${kind.start} point=${leg.start} />
        ${
          !isEmpty(leg.end) &&
          html`<span class="arrow" aria-hidden="true">→</span>
        <${Point} flight=${leg.kind === 'flight'} name=${kind.end} point=${leg.end} after=${leg.start} />`
        }
      </span>
      <${Where} leg=${leg} />
      ${leg.beside?.map((beside) => html`<span key=${beside.path} class="beside small">⚠ ${besideText(beside)}</span>`)}
      <${Checked} leg=${leg} now=${now} />
    </span>
  </button>`;
}

const isEmpty = (point) => [point.time, point.code, point.city, point.name].every((value) => value === undefined);

/** One end of a leg: the best known time, the scheduled one struck out beside it where they differ. */
function Point({ name, point, after, flight }) {
  const time = wallClock(point.time);
  const scheduled = wallClock(point.scheduled);
  // The day is said where it is not the one that stands above: on an end another day, or a time that slipped past midnight.
  const shownDay = wallClock(after?.time)?.day ?? scheduled?.day;
  const moved = time !== undefined && scheduled !== undefined && (point.lateMinutes ?? 0) !== 0;
  return html`<span class="point">
    <span class="muted small">${point.basis === 'actual' && flight ? (after === undefined ? 'Took off' : 'Landed') : name}</span>
    <span class="time ${(point.lateMinutes ?? 0) > 14 ? 'is-late' : ''}">
      ${time === undefined ? '–' : html`<time datetime=${time.iso} title=${time.zone ?? 'zone not known'}>${time.time ?? time.dayText}</time>`}
      ${moved && html` <s class="muted"><span class="sr">scheduled </span>${scheduled.time ?? scheduled.dayText}</s>`}
      ${time?.time !== undefined && shownDay !== undefined && time.day !== shownDay && html` <span class="small day-of">${time.dayText}</span>`}
    </span>
    <span class="place small">${[point.code, point.city ?? point.name].filter(Boolean).join(' ')}</span>
  </span>`;
}

function Where({ leg }) {
  const parts = [
    ['Terminal', leg.start.terminal],
    ['Gate', leg.start.gate],
    ['Platform', leg.start.platform],
    ['Check-in desk', leg.start.desk],
    ['Arrival terminal', leg.end.terminal],
    ['Arrival gate', leg.end.gate],
    ['Belt', leg.end.belt],
    [
      'Seat',
      // Two sources may know one seat under two names.
      [...new Set(leg.passengers.map((person) => person.seat).filter(Boolean))].join(', '),
    ],
  ].filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (parts.length === 0) return undefined;
  return html`<span class="where">${parts.map(([name, value]) => html`<span key=${name} class="tag ${name === 'Gate' || name === 'Platform' ? 'is-main' : ''}"><span class="muted">${name}</span> <b>${value}</b></span>`)}</span>`;
}

/** "checked 40 s ago by AeroDataBox", or since when it could not be verified. Honest about what nobody checks. */
function Checked({ leg, now }) {
  if (leg.freshness.length === 0)
    return html`<span class="checked muted small">${leg.state === 'arrived' ? 'Done' : 'No provider checks this one'}</span>`;
  return leg.freshness.map((fresh) => {
    if (fresh.state === 'unverified-since') {
      const since = fresh.unverifiedSince === undefined ? '' : ` for ${age(now - Date.parse(fresh.unverifiedSince))}`;
      return html`<span key=${fresh.subject} class="checked small warn">⚠ ${fresh.label} could not be asked${since}; shown as last known</span>`;
    }
    if (fresh.state === 'stands-by') return undefined;
    if (fresh.checkedAt === undefined)
      return html`<span key=${fresh.subject} class="checked muted small">${fresh.label} ${fresh.due === undefined ? 'is about to be asked' : `is asked from ${moment(fresh.due)} on`}</span>`;
    const text = `checked ${age(now - Date.parse(fresh.checkedAt))} ago by ${fresh.label}`;
    if (fresh.state === 'ended')
      return html`<span key=${fresh.subject} class="checked muted small">last ${text}; no longer followed</span>`;
    const left = Date.parse(fresh.due) - now;
    if (fresh.lateSeconds !== undefined && left < 0)
      return html`<span key=${fresh.subject} class="checked small warn">${text}; ${age(-left)} later than promised</span>`;
    return html`<span key=${fresh.subject} class="checked muted small">${text}${left > 0 ? `; again within ${age(left)}` : ''}</span>`;
  });
}
