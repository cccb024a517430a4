import { age, KIND, legState, wallClock } from './format.js';
import { KindIcon } from './icons.js';
import { html, useEffect, useRef } from './vendor.js';

/** Trips with their legs as a timeline. */
export function Trips({ trips, now, changed, open, reservation, onOpen, renderDetail }) {
  if (trips.length === 0) {
    return html`<section class="empty">
      <h2>No trips yet</h2>
      <p>Forward a booking mail to your Tripwatch address, or import mails with <code>tripwatch import</code>. Each mail gets a receipt that says what became of it.</p>
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

function spanOf(trip) {
  const first = wallClock(trip.legs[0]?.start.time)?.dayText;
  const last = wallClock(trip.legs.at(-1)?.end.time ?? trip.legs.at(-1)?.start.time)?.dayText;
  return first === undefined ? '' : first === last || last === undefined ? first : `${first} – ${last}`;
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
  return html`<button ref=${element} type="button" class="leg tone-${state.tone}" aria-expanded=${isOpen} onClick=${onOpen}>
    <span class="icon"><${KindIcon} kind=${leg.kind} /><span class="sr">${kind.name}</span></span>
    <span class="body">
      <span class="line">
        <span class="title">${leg.title}</span>
        <span class="pill tone-${state.tone}">${state.text}</span>
      </span>
      <span class="points">
        <${Point} name=${kind.start} point=${leg.start} />
        <span class="arrow" aria-hidden="true">→</span>
        <${Point} name=${kind.end} point=${leg.end} after=${leg.start} />
      </span>
      <${Where} leg=${leg} />
      <${Checked} leg=${leg} now=${now} />
    </span>
  </button>`;
}

/** One end of a leg: the best known time, the scheduled one struck out beside it where they differ. */
function Point({ name, point, after }) {
  const time = wallClock(point.time);
  const scheduled = wallClock(point.scheduled);
  // The day is said where it is not the one that stands above: on an end another day, or a time that slipped past midnight.
  const shownDay = wallClock(after?.time)?.day ?? scheduled?.day;
  const moved = time !== undefined && scheduled !== undefined && (point.lateMinutes ?? 0) !== 0;
  return html`<span class="point">
    <span class="muted small">${name}${point.basis === 'actual' ? ' (actual)' : ''}</span>
    <span class="time">
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
      leg.passengers
        .map((person) => person.seat)
        .filter(Boolean)
        .join(', '),
    ],
  ].filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (parts.length === 0) return undefined;
  return html`<span class="where">${parts.map(([name, value]) => html`<span key=${name} class="tag"><span class="muted">${name}</span> <b>${value}</b></span>`)}</span>`;
}

/** "checked 40 s ago by AeroDataBox", or since when it could not be verified. Honest about what nobody checks. */
function Checked({ leg, now }) {
  if (leg.freshness.length === 0)
    return html`<span class="checked muted small">${leg.state === 'arrived' ? 'Done' : 'From your mail; no provider is asked about this one'}</span>`;
  return leg.freshness.map((fresh) => {
    if (fresh.state === 'unverified-since') {
      const since = fresh.unverifiedSince === undefined ? '' : ` for ${age(now - Date.parse(fresh.unverifiedSince))}`;
      return html`<span key=${fresh.subject} class="checked small warn">⚠ ${fresh.label} could not be asked${since}; shown as last known</span>`;
    }
    if (fresh.checkedAt === undefined)
      return html`<span key=${fresh.subject} class="checked muted small">${fresh.label} is about to be asked</span>`;
    const text = `checked ${age(now - Date.parse(fresh.checkedAt))} ago by ${fresh.label}`;
    return html`<span key=${fresh.subject} class="checked muted small">${fresh.state === 'ended' ? `last ${text}; no longer followed` : text}</span>`;
  });
}
