import type { RetryPolicy, StageSpec } from '../ports/handler.ts';

/**
 * Read this first: the stages in the order a mail passes them. Each reads one topic, does one thing, and writes others.
 * AsyncAPI and the picture in docs/architecture.md are generated from this table; src/app/handlers.ts gives each its
 * handler. Further steps read the clock instead of a topic: `watch` (intake of mails), `track` (asking providers), and what
 * of `project` comes by time alone (check-in opens; what was not confirmed is).
 */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const quick: RetryPolicy = {
  attemptsMax: 8,
  firstDelayMs: 200,
  factor: 3,
  delayMsMax: 5 * MINUTE,
  ageMsMax: 24 * HOUR,
};
/**
 * A document that parsing cannot survive is poison at once: its thread dies, not the process. Attempts count what else
 * ended one, above all the process being killed, which says little about the mail that was being read: three kills in a
 * row must not set it aside.
 */
const parse: RetryPolicy = { attemptsMax: 10, firstDelayMs: 500, factor: 4, delayMsMax: MINUTE, ageMsMax: 24 * HOUR };

export const STAGES = [
  {
    name: 'collect',
    reads: 'mail.seen',
    key: 'mailbox',
    writes: ['mail.collected'],
    does: "decides on headers alone by the traveller's rules and by score; fetches what is to be read; leaves a receipt for every mail",
    // Much of it waits for mail servers.
    concurrency: 32,
    deadlineMs: 60 * SECOND,
    retry: quick,
  },
  {
    name: 'extract',
    reads: 'mail.collected',
    key: 'traveller',
    writes: ['observation.recorded'],
    does: 'turns a raw mail with its attachments into observations',
    concurrency: 8,
    countsFirst: true,
    deadlineMs: 60 * SECOND,
    retry: parse,
  },
  {
    name: 'reconcile',
    reads: 'observation.recorded',
    key: 'traveller',
    writes: ['reservation.changed'],
    does: 'joins observations into reservations and works out what changed',
    concurrency: 32,
    deadlineMs: 30 * SECOND,
    retry: quick,
  },
  {
    name: 'track',
    reads: 'reservation.changed',
    key: 'traveller',
    writes: ['subject.observed'],
    does: 'keeps the list of subjects to ask providers about; the scheduler asks them in time',
    concurrency: 32,
    deadlineMs: 30 * SECOND,
    retry: quick,
  },
  {
    name: 'fan-out',
    reads: 'subject.observed',
    key: 'provider account',
    writes: ['observation.recorded', 'subject.observed'],
    does: 'turns one answer into an observation for every reservation it concerns',
    concurrency: 16,
    deadlineMs: 30 * SECOND,
    retry: quick,
  },
  {
    name: 'project',
    reads: 'reservation.changed',
    key: 'traveller',
    writes: ['itinerary.updated'],
    does: 'keeps the read side: what REST, SSE, iCal and the page show; decides what the traveller is told of it',
    concurrency: 32,
    deadlineMs: 30 * SECOND,
    retry: quick,
  },
  {
    name: 'notify',
    reads: 'itinerary.updated',
    key: 'traveller',
    writes: ['notification.sent'],
    does: 'queues a delivery for every endpoint; the sender delivers, retries and gives up visibly',
    concurrency: 32,
    deadlineMs: 30 * SECOND,
    retry: quick,
  },
] as const satisfies readonly StageSpec[];

export type StageName = (typeof STAGES)[number]['name'];
