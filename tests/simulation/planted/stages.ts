import type { SqlStore } from '../../../src/adapters/store/sql/sql-store.ts';
import type { Event } from '../../../src/contracts/event.ts';
import type { Topic } from '../../../src/contracts/topics.ts';
import type { Observation } from '../../../src/domain/observation.ts';
import { indexKeys } from '../../../src/domain/reconcile/claims.ts';
import { ack, type Handler, type StageHandlers } from '../../../src/ports/handler.ts';
import type { Life } from '../../../src/simulation/life.ts';
import { recordObservation } from '../../../src/stages/reconcile/handler.ts';
import { around } from '../../contract/broker/rig.ts';
import { failingExtractor, steady } from './plans.ts';
import type { PlantedBug } from './planted.ts';

/** Bugs of handlers. */
export const STAGE_BUGS: readonly PlantedBug[] = [
  {
    name: 'a mail that brought a reservation is said to have been known already',
    breaks: ['I8'],
    planted: () => ({
      store: (store) =>
        around(store, (work, options) =>
          store.transact(
            (tx) =>
              work({
                ...tx,
                mails: {
                  ...tx.mails,
                  noteEffect: (tenant, mail, one) => tx.mails.noteEffect(tenant, mail, one, 'known'),
                },
              }),
            options,
          ),
        ),
    }),
  },
  {
    name: 'check, then act: reconcile reads before its transaction and writes over what it finds',
    breaks: ['I6', 'I7', 'I8'],
    planted: () => ({
      // Observations of one traveller are worked on side by side, …
      store: (store) =>
        around(store, (work, options) =>
          store.transact(
            (tx) =>
              work({
                ...tx,
                append: (events, origin) =>
                  tx.append(
                    events.map((one) => (one.topic === 'observation.recorded' ? { ...one, key: one.subject } : one)),
                    origin,
                  ),
              }),
            options,
          ),
        ),
      handlers: (handlers, { store, life }) => ({
        ...handlers,
        reconcile: checkThenAct(store, life) as Handler<never>,
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
    plan: steady,
    planted: () => ({ handlers: (handlers) => hangsOnce(handlers) }),
  },
  {
    name: 'effects without an event: a stage forgets to tell what it changed',
    breaks: ['I8', 'I10'],
    planted: () => ({
      handlers: (handlers) => {
        const real = handlers.reconcile as unknown as Handler<Topic>;
        let count = 0;
        const mute: Handler<Topic> = async (event, context) => {
          const outcome = await real(event, context);
          if (outcome.kind !== 'ack' || ++count % 5 !== 0) return outcome;
          return ack(async (tx) => {
            await outcome.commit?.(tx);
            return [];
          });
        };
        return { ...handlers, reconcile: mute as unknown as Handler<never> };
      },
    }),
  },
];

function checkThenAct(store: SqlStore, life: Life): Handler<'observation.recorded'> {
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
    await life.wait(20 * 60_000);
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
