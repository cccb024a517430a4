import type { SqliteStore, SqlTx } from '../../src/adapters/store/sqlite/store.ts';
import type { Event } from '../../src/contracts/event.ts';
import type { Topic } from '../../src/contracts/topics.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import type { Observation } from '../../src/domain/observation.ts';
import { indexKeys } from '../../src/domain/reconcile/claims.ts';
import { ack, type Handler, type StageHandlers } from '../../src/ports/handler.ts';
import type { Life } from '../../src/simulation/life.ts';
import type { Plan } from '../../src/simulation/plan.ts';
import type { Planted } from '../../src/simulation/process.ts';
import { recordObservation } from '../../src/stages/reconcile/handler.ts';

/** A bug as one might write it, put around a real part, with the invariants of which at least one must break. */
export interface PlantedBug {
  readonly name: string;
  readonly breaks: readonly string[];
  readonly planted: () => Planted;
  /** What has to happen for the bug to matter. */
  readonly plan?: (drawn: Plan) => Plan;
}

const HOUR = 3_600_000;
const crashing = (plan: Plan): Plan => ({
  ...plan,
  crashes: [1, 1.3, 1.6, 1.9, 2.2, 2.5].map((hours) => hours * HOUR),
});
const failingStore = (plan: Plan): Plan => ({ ...plan, store: { ...plan.store, refused: 0.1, unknown: 0.1 } });
const failingExtractor = (plan: Plan): Plan => ({ ...plan, extractor: { busy: 0.5, hang: 0, poison: 0.2 } });
const walled = (plan: Plan): Plan => ({
  ...plan,
  crashes: [],
  restarts: [],
  provider: { ...plan.provider, callsPerMinuteMax: 1 },
});
const deafReceiver = (plan: Plan): Plan => ({ ...plan, receiver: { ...plan.receiver, lost: 0.5, fail: 0.2 } });

/** The store with something changed inside of each transaction. */
function withTx(change: (tx: SqlTx) => SqlTx): Planted {
  return {
    store: (store) => ({ ...store, transact: (work) => store.transact((tx) => work(change(tx))) }),
  };
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'ack before commit',
    breaks: ['I10', 'I16'],
    plan: failingStore,
    planted: () => ({
      broker: (broker) => ({
        register: (consumer) => broker.register(consumer),
        lag: (consumer) => broker.lag(consumer),
        close: () => broker.close(),
        fetch: async (consumer, max, signal) => {
          const deliveries = await broker.fetch(consumer, max, signal);
          for (const one of deliveries) await one.ack();
          return deliveries;
        },
      }),
    }),
  },
  {
    name: 'no dedupe: every claim is granted',
    breaks: ['I3'],
    plan: (plan) => ({ ...plan, broker: 'memory', delivery: { duplicate: 0.3, loseAck: 0.3, reorderKeys: true } }),
    planted: () =>
      withTx((tx) => ({
        ...tx,
        log: {
          ...tx.log,
          claim: async (...given) => {
            await tx.log.claim(...given);
            return true;
          },
        },
      })),
  },
  {
    name: 'the dedupe mark is committed before the effect, not with it',
    breaks: ['I10', 'I16'],
    plan: (plan) => crashing(failingStore(plan)),
    planted: () => ({
      store: (store) => {
        const claimed = new Set<string>();
        return {
          ...store,
          transact: async (work) => {
            let wanted: Parameters<SqlTx['log']['claim']> | undefined;
            // A dry run finds out what is to be claimed, …
            await store
              .transact((tx) =>
                work({
                  ...tx,
                  log: {
                    ...tx.log,
                    claim: async (...given) => {
                      wanted = given;
                      throw new DryRun();
                    },
                  },
                }),
              )
              .catch((error) => {
                if (!(error instanceof DryRun)) throw error;
              });
            if (wanted === undefined) return undefined as never;
            const claim = wanted;
            // … the claim is committed by itself, …
            const granted = await store.transact((tx) => tx.log.claim(...claim));
            claimed.add(claim[1]);
            // … and then the effect.
            return store.transact((tx) => work({ ...tx, log: { ...tx.log, claim: async () => granted } }));
          },
        };
      },
    }),
  },
  {
    name: 'a failed attempt is dropped instead of parked',
    breaks: ['I10', 'I16'],
    plan: failingExtractor,
    planted: () => ({
      broker: (broker) => ({
        register: (consumer) => broker.register(consumer),
        lag: (consumer) => broker.lag(consumer),
        close: () => broker.close(),
        fetch: async (consumer, max, signal) =>
          (await broker.fetch(consumer, max, signal)).map((one) => ({ ...one, retry: () => one.ack() })),
      }),
    }),
  },
  {
    name: 'lost wake-up: some appends are told to nobody',
    breaks: ['I16'],
    plan: (plan) => ({ ...plan, broker: 'sqlite', crashes: [], restarts: [] }),
    planted: () => ({
      store: (store) => {
        let count = 0;
        return {
          ...store,
          onAppended: (listener) =>
            store.onAppended((topics) => {
              if (++count % 3 !== 0) listener(topics);
            }),
        };
      },
    }),
  },
  {
    name: 'events are appended after the transaction, not in it',
    breaks: ['I8', 'I10'],
    plan: (plan) => crashing(failingStore(plan)),
    planted: () => ({
      store: (store) => ({
        ...store,
        transact: async (work) => {
          const later: Parameters<SqlTx['append']>[] = [];
          const value = await store.transact((tx) =>
            work({
              ...tx,
              append: async (...given) => {
                // Those who use what they append (project, intake) keep theirs.
                if (given[1].source !== 'reconcile' && given[1].source !== 'extract') return tx.append(...given);
                later.push(given);
                return [];
              },
            }),
          );
          for (const given of later) await store.transact((tx) => tx.append(...given)).catch(() => []);
          return value;
        },
      }),
    }),
  },
  {
    name: 'check, then act: reconcile reads before its transaction and writes over what it finds',
    breaks: ['I6', 'I7', 'I8'],
    planted: () => ({
      // Observations of one traveller are worked on side by side, …
      store: (store) => ({
        ...store,
        transact: (work) =>
          store.transact((tx) =>
            work({
              ...tx,
              append: (events, origin) =>
                tx.append(
                  events.map((one) => (one.topic === 'observation.recorded' ? { ...one, key: one.subject } : one)),
                  origin,
                ),
            }),
          ),
      }),
      handlers: (handlers, { store, life }) => ({
        ...handlers,
        reconcile: checkThenAct(store, life) as Handler<never>,
      }),
    }),
  },
  {
    name: 'last word wins: reconcile forgets what was said before',
    breaks: ['I6'],
    planted: () =>
      withTx((tx) => ({
        ...tx,
        reservations: {
          ...tx.reservations,
          closure: async (...given) => (await tx.reservations.closure(...given)).slice(-1),
        },
      })),
  },
  {
    name: 'a mail is accepted before it is stored',
    breaks: ['I1'],
    plan: failingStore,
    planted: () => ({
      intake: (intake) => ({
        accept: async (mail) => {
          const taken = intake.accept(mail);
          taken.catch(() => undefined);
          return Promise.race([
            taken,
            Promise.resolve().then(
              () => ({ mailId: `mail_${mail.bytes.byteLength}`, new: true, outcome: 'accepted' }) as const,
            ),
          ]);
        },
      }),
    }),
  },
  {
    name: 'each attempt of a webhook has an id of its own',
    breaks: ['I22'],
    plan: deafReceiver,
    planted: () => {
      let attempt = 0;
      return {
        post: (post) => ({
          post: (request, signal) => {
            const headers = { ...request.headers, 'webhook-id': `${request.headers['webhook-id']}-${attempt++}` };
            return post.post({ ...request, headers }, signal);
          },
        }),
      };
    },
  },
  {
    name: 'any answer of a receiver is a success',
    breaks: ['I22'],
    plan: (plan) => ({ ...plan, receiver: { ...plan.receiver, lost: 0, hang: 0.5 } }),
    planted: () => ({
      post: (post) => ({
        post: (request, signal) => post.post(request, signal).catch(() => ({ status: 200, retryAfter: undefined })),
      }),
    }),
  },
  {
    name: 'Retry-After is not listened to',
    breaks: ['I13'],
    plan: walled,
    planted: () => ({
      connector: (connector) => ({
        ...connector,
        readOne: (subject, signal) =>
          connector.readOne(subject, signal).catch((error: unknown) => {
            if (error instanceof TripwatchError && error.kind === 'rate-limited')
              throw new TripwatchError('transient', 'provider-failed', error.message);
            throw error;
          }),
      }),
    }),
  },
  {
    name: 'what is set aside says nothing on its receipt',
    breaks: ['I10'],
    plan: failingExtractor,
    planted: () => ({ deadLetterHooks: {} }),
  },
  {
    name: 'a work waits for something else inside of its transaction',
    breaks: ['I16'],
    planted: () => ({
      handlers: (handlers) => hangsOnce(handlers),
    }),
  },
];

class DryRun extends Error {}

function checkThenAct(store: SqliteStore, life: Life): Handler<'observation.recorded'> {
  return async (event: Event<'observation.recorded'>, context) => {
    const observation = event.data.observation as Observation;
    const { tenant, traveller } = observation;
    const seen = await store.read(async (tx) => {
      const closure = await tx.reservations.closure(tenant, traveller, indexKeys(observation));
      const resting = await tx.reservations.restingOn(
        tenant,
        traveller,
        closure.map((one) => one.id),
      );
      return { closure, resting };
    });
    // Slow enough that others come in between, as on a loaded machine.
    await life.pause(20 * 60_000);
    return ack((tx) =>
      recordObservation(
        {
          ...tx,
          reservations: {
            ...tx.reservations,
            closure: async () => [...seen.closure.filter((one) => one.id !== observation.id), observation],
            restingOn: async () => seen.resting,
            putVersion: (...given) => tx.reservations.putVersion(...given).catch(() => undefined),
          },
        },
        observation,
        context.clock.now(),
      ),
    );
  };
}

/** A handler that hangs is ended by its deadline; a transaction that hangs holds up everything. */
function hangsOnce(handlers: StageHandlers): StageHandlers {
  const real = handlers.project as unknown as Handler<Topic>;
  let hung = false;
  const hanging: Handler<Topic> = async (event, context) => {
    if (hung) return real(event, context);
    hung = true;
    return ack(() => new Promise(() => {}));
  };
  return { ...handlers, project: hanging as unknown as Handler<never> };
}
