import { derivedIdAt, type EventId, timeChars, timeCharsOf } from '../domain/ids.ts';
import type { Envelope } from './envelope.ts';
import { eventType, type Topic, type TopicData } from './topics.ts';

/** An event of ours: the envelope, with the topic it travels on. */
export interface Event<T extends Topic = Topic> extends Envelope<TopicData<T>> {
  readonly topic: T;
  readonly id: EventId;
}

/** What a stage says; id, time and ancestry are added when it is appended. */
export interface NewEvent<T extends Topic = Topic> {
  readonly topic: T;
  readonly tenant: string;
  readonly traveller?: string;
  /** Partition key: see the stage table. */
  readonly key: string;
  /** What it is about: mail id, reservation id, subject id. */
  readonly subject: string;
  /** Only for this stage; absent: for every reader of the topic. */
  readonly recipient?: string;
  readonly data: TopicData<T>;
}
export type AnyNewEvent = { [T in Topic]: NewEvent<T> }[Topic];
export type AnyEvent = { [T in Topic]: Event<T> }[Topic];

/** Where a new event comes from: a stage working on an event, or an edge (intake, command, scheduler). */
export interface Origin {
  /** Stage or edge name; becomes `source: /tripwatch/<name>`. */
  readonly source: string;
  readonly cause?: { readonly id: EventId; readonly correlationid: string };
  /** Root of the story where there is no cause: mail id, subject id, command id. */
  readonly correlation?: string;
  /** Makes the ids of repeated work equal. With a cause, its id; else something as stable (mail id, answer digest). */
  readonly seed: string;
  /**
   * Where there is no cause: when it happened, epoch ms, the same for repeats of the work as the seed is. Puts the ids of
   * one story, which inherit it, in one place of the indexes.
   */
  readonly at?: number;
}

/** Completes events. The id derives from origin and position: doing the same work again gives the same ids. */
export function completeEvents(events: readonly AnyNewEvent[], origin: Origin, nowIso: string): readonly AnyEvent[] {
  const time = origin.cause === undefined ? timeOf(origin.at) : timeCharsOf(origin.cause.id);
  return events.map((event, index) => {
    const id = derivedIdAt('evt', time, origin.source, origin.cause?.id ?? '', origin.seed, event.topic, index);
    return {
      topic: event.topic,
      specversion: '1.0',
      id,
      source: `/tripwatch/${origin.source}`,
      type: eventType(event.topic),
      subject: event.subject,
      time: nowIso,
      datacontenttype: 'application/json',
      tenantid: event.tenant,
      ...(event.traveller === undefined ? {} : { travellerid: event.traveller }),
      partitionkey: event.key,
      correlationid: origin.cause?.correlationid ?? origin.correlation ?? id,
      ...(origin.cause === undefined ? {} : { causationid: origin.cause.id }),
      ...(event.recipient === undefined ? {} : { recipient: event.recipient }),
      data: event.data,
    } as AnyEvent;
  });
}

const timeOf = (at: number | undefined): string => (at === undefined ? '' : timeChars(at));
