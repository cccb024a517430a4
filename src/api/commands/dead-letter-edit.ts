import { envelopeSchema } from '../../contracts/envelope.ts';
import type { AnyEvent, AnyNewEvent } from '../../contracts/event.ts';
import { TOPICS } from '../../contracts/topics.ts';
import type { EventId } from '../../domain/ids.ts';
import { canonicalJson } from '../../domain/reconcile/canonical.ts';
import type { DeadLetter } from '../../ports/store/dead-letters.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { auditEntry } from './audit.ts';
import { deadLetter, decided, factsOf, type Payload, payloadOf } from './dead-letters.ts';

/**
 * Replays a dead letter with other data. Nothing is rewritten: the edited event is a new one in the log, caused by the
 * old one, at the end of its key's line, and for the letter's stage alone. It is appended in the transaction that closes the
 * letter, so that of two operators one edits and the other hears `conflict`.
 */

interface Fault {
  readonly path: string;
  readonly message: string;
}

/** Faults named in one answer. */
const FAULTS_MAX = 20;
/** Depth to which the audit trail names what was changed: deeper names may be of people. */
const AUDITED_DEPTH = 2;
const AUDITED_MAX = 20;
/** No event of ours is nested so deeply; what is, could exhaust the stack. */
const DEPTH_MAX = 30;

/** Errors: `not-found`; `conflict` when decided before; `body-invalid` with every fault of the edited event. */
export async function editDeadLetter(
  deps: CommandDeps,
  caller: Caller,
  id: string,
  edited: Readonly<Record<string, unknown>>,
  reason?: string,
): Promise<{ readonly letter: DeadLetter; readonly event: EventId }> {
  const letter = await deadLetter(deps, caller, id);
  if (letter.state !== 'open') throw decided(letter);
  const payload = await deps.store.read((tx) => payloadOf(tx, letter));
  const faults = faultsOf(edited, letter, payload);
  if (faults.length > 0) throw refused(faults);
  const event = edited as unknown as AnyEvent;
  const changed =
    payload.state === 'kept' ? changedPaths(payload.event.data, event.data, AUDITED_DEPTH) : ['everything'];
  const entry = auditEntry(deps, caller, {
    action: 'dead-letter.edit',
    target: letter.id,
    details: {
      ...factsOf(letter),
      changed: changed.slice(0, AUDITED_MAX),
      ...(reason === undefined ? {} : { reason }),
    },
  });
  const made = await deps.store.transact(async (tx) => {
    const [appended] = await tx.append([newEventOf(event, letter)], {
      source: 'operator',
      cause: { id: letter.eventId, correlationid: letter.correlation },
      seed: letter.id,
    });
    const decision = { by: caller.ref, now: entry.at, reason };
    // Thrown, so that the event is not appended either.
    if (!(await tx.deadLetters.replace(caller.tenant, letter.id, appended!.id, decision))) throw overtaken(letter);
    await tx.audit.add({ ...entry, details: { ...entry.details, editedEvent: appended!.id } });
    return appended!.id;
  });
  return { letter: await deadLetter(deps, caller, id), event: made };
}

function overtaken({ id }: DeadLetter): Problem {
  return new Problem('conflict', `Someone else decided on dead letter ${id} at the same moment. Look at it again.`);
}

function newEventOf(event: AnyEvent, letter: DeadLetter): AnyNewEvent {
  return {
    topic: letter.topic,
    tenant: letter.tenant,
    ...(event.travellerid === undefined ? {} : { traveller: event.travellerid }),
    key: letter.key,
    subject: event.subject ?? '',
    recipient: letter.consumer,
    data: event.data,
  } as AnyNewEvent;
}

/** Everything that is wrong with an edited event: it must be the same event with other, valid data of the same owner. */
export function faultsOf(edited: Readonly<Record<string, unknown>>, letter: DeadLetter, payload: Payload): Fault[] {
  if (isDeeper(edited, DEPTH_MAX))
    return [{ path: '', message: `nested more than ${DEPTH_MAX} levels deep, which no event is` }];
  const faults: Fault[] = [];
  const same = (path: string, must: unknown) => {
    if (canonicalJson(edited[path]) !== canonicalJson(must))
      faults.push({ path, message: `must stay ${shown(must)}; got ${shown(edited[path])}. Only data can be edited` });
  };
  const identity = {
    id: letter.eventId,
    topic: letter.topic,
    tenantid: letter.tenant,
    partitionkey: letter.key,
    correlationid: letter.correlation,
  };
  if (payload.state === 'kept') {
    const { data: _, ...envelope } = { ...payload.event, ...identity } as Record<string, unknown>;
    for (const path of new Set([...Object.keys(envelope), ...Object.keys(edited)]))
      if (path !== 'data') same(path, envelope[path]);
  } else for (const [path, must] of Object.entries(identity)) same(path, must);
  if (faults.length > 0) return faults;

  const envelope = envelopeSchema.safeParse(edited);
  const checked = TOPICS[letter.topic].safeParse(edited.data, { reportInput: false });
  for (const issue of envelope.error?.issues ?? []) faults.push({ path: issue.path.join('.'), message: issue.message });
  for (const issue of checked.error?.issues ?? [])
    faults.push({ path: ['data', ...issue.path].join('.'), message: issue.message });
  if (faults.length > 0) return faults;

  const before = payload.state === 'kept' ? payload.event.data : undefined;
  if (before !== undefined && canonicalJson(before) === canonicalJson(edited.data))
    return [{ path: 'data', message: 'nothing is changed: replay it as it is, or edit the data' }];
  const known = new Set(pathsOf(before));
  const read = new Set(pathsOf(checked.data));
  for (const path of pathsOf(edited.data))
    if (!read.has(path) && !known.has(path)) faults.push({ path: `data.${path}`, message: 'there is no such field' });
  return [...faults, ...strangers(edited.data, before, letter)];
}

/**
 * Owners are named in the data too, and stages believe them: an edit must not hand anything to another tenant or
 * traveller than those that the event was about.
 */
function strangers(data: unknown, before: unknown, letter: DeadLetter): Fault[] {
  // A key is a traveller, or begins with one.
  const [traveller] = letter.key.split('/');
  const allowed = new Set([letter.tenant as string, traveller, ...owners(before).map((one) => one.value)]);
  return owners(data)
    .filter(({ value }) => !allowed.has(value))
    .map(({ path, value }) => ({
      path: `data.${path}`,
      message: `an edit cannot hand the event to another owner; got ${shown(value)}`,
    }));
}

function owners(value: unknown, path = ''): { readonly path: string; readonly value: string }[] {
  return entriesOf(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if ((name === 'tenant' || name === 'traveller') && typeof inner === 'string') return [{ path: at, value: inner }];
    return owners(inner, at);
  });
}

/** Without recursion, because it guards those who recurse. */
function isDeeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let i = 0; i <= levels && level.length > 0; i++)
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  return level.length > 0;
}

/** Paths of all values. */
function pathsOf(value: unknown, path = ''): string[] {
  return entriesOf(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return [at, ...pathsOf(inner, at)];
  });
}

/** What differs, by paths of at most `depth` names. */
export function changedPaths(before: unknown, after: unknown, depth: number, path = ''): string[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const names = new Set([...entriesOf(before), ...entriesOf(after)].map(([name]) => name));
  if (depth === 0 || names.size === 0) return [path];
  return [...names].flatMap((name) =>
    changedPaths(member(before, name), member(after, name), depth - 1, path === '' ? name : `${path}.${name}`),
  );
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function refused(faults: readonly Fault[]): Problem {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more, see errors)` : '';
  return new Problem(
    'body-invalid',
    `The edited event cannot be used: ${first!.path}: ${first!.message}${more}.`,
    faults.slice(0, FAULTS_MAX),
  );
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
