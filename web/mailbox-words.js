import { age } from './format.js';

/** How a mailbox stands, in plain words. */

export const KIND_NAME = {
  forward: 'Forwarding address',
  import: 'Imported mails',
  imap: 'IMAP',
  gmail: 'Gmail',
  graph: 'Microsoft',
  jmap: 'JMAP',
};

/** Where one signs in, for the kinds that take no password. */
export const SIGN_IN_AT = { gmail: 'Google', graph: 'Microsoft' };

const STATE = {
  connecting: { text: 'Connecting', tone: 'now' },
  backfilling: { text: 'Catching up', tone: 'now' },
  watching: { text: 'Watching', tone: 'good' },
  'needs-you': { text: 'Needs you', tone: 'bad' },
  unreachable: { text: 'Not reachable', tone: 'warn' },
  paused: { text: 'Paused', tone: 'quiet' },
};

/** Words and a tone for the pill. Colour is never the only sign. */
export function standing({ kind, state, watch }, checking) {
  if (state === 'paused' || watch?.state === 'paused') return STATE.paused;
  if (watch === undefined) {
    return kind === 'forward' ? { text: 'Taking mails', tone: 'good' } : { text: 'Brought in', tone: 'quiet' };
  }
  if (watch.state === 'needs-you' && watch.reasonCode === 'consent-needed' && SIGN_IN_AT[kind] !== undefined)
    return { text: 'Sign in again', tone: 'bad' };
  if (checking && watch.state === 'watching') return { text: 'Checking', tone: 'now' };
  return STATE[watch.state] ?? { text: watch.state, tone: 'quiet' };
}

/** What its owner can do about it: `sign-in`, `password`, or nothing that a button could do. */
export function remedy({ kind, watch }) {
  if (watch?.state !== 'needs-you') return undefined;
  if (SIGN_IN_AT[kind] !== undefined) return 'sign-in';
  return /password|consent/.test(watch.reasonCode) ? 'password' : undefined;
}

/** Something goes on by itself: worth looking again soon. */
export const isBusy = ({ state, watch, mails }) =>
  state === 'active' &&
  (watch?.state === 'connecting' || watch?.state === 'backfilling' || (watch !== undefined && mails?.waiting > 0));

/** `12 with bookings`, …: what came of its mails, in the order in which it matters. */
export function outcomes({ imported, needsYou = 0, opened, skipped, waiting, failed }) {
  return [
    [needsYou, needsYou === 1 ? 'needs you' : 'need you'],
    [imported, 'with a booking'],
    [opened, 'read, nothing new in them'],
    [skipped, 'left unopened'],
    [waiting, 'waiting'],
    [failed, 'could not be read'],
  ]
    .filter(([number]) => number > 0)
    .map(([number, words]) => `${count(number)} ${words}`);
}

export const count = (number) => new Intl.NumberFormat(navigator.language || 'en').format(number);
export const mailsText = (number) => (number === 1 ? '1 mail' : `${count(number)} mails`);

export function checkedText({ watch }, now) {
  const works = watch.state === 'watching' || watch.state === 'backfilling';
  const soon = { looking: ', every few minutes', connection: ', new mails at once', notices: ', new mails at once' };
  const how = (works && soon[watch.news?.by]) || '';
  if (watch.checkedAt === undefined) return `not checked yet${how}`;
  return `checked ${age(now - Date.parse(watch.checkedAt))} ago${how}`;
}

export const HOW_FAR = [
  [0, 'only what comes from now on'],
  [30, 'the last 30 days'],
  [90, 'the last 3 months'],
  [365, 'the last year'],
  [1095, 'the last 3 years'],
  [3650, 'the last 10 years'],
];
