import { TripwatchError } from '../../../src/domain/errors.ts';
import type { ReadResult } from '../../../src/ports/provider.ts';
import { deafReceiver, failingStore, steady, walled } from './plans.ts';
import type { PlantedBug } from './planted.ts';

const HOUR = 3_600_000;

/** Bugs where the world outside begins: mails, providers, receivers. */
export const EDGE_BUGS: readonly PlantedBug[] = [
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
    name: 'the limits of an account are not kept',
    breaks: ['I13'],
    plan: (plan) => ({ ...steady(plan), travellers: 4, flights: 12, freshSeconds: 120 }),
    planted: () => ({ callLimits: [{ max: 1000, perSeconds: 1 }] }),
  },
  {
    name: 'a question that failed counts as fresh',
    breaks: ['I9'],
    plan: (plan) => ({
      ...steady(plan),
      freshSeconds: 900,
      provider: {
        ...plan.provider,
        walls: [],
        outages: [{ from: plan.hours * 0.3 * HOUR, to: plan.hours * 0.9 * HOUR }],
      },
    }),
    planted: () => {
      const last = new Map<string, ReadResult>();
      return {
        connector: (connector) => ({
          ...connector,
          readOne: async (subject, signal) => {
            try {
              const result = await connector.readOne(subject, signal);
              last.set(subject.id, result);
              return result;
            } catch (error) {
              const before = last.get(subject.id);
              if (before === undefined) throw error;
              return before;
            }
          },
        }),
      };
    },
  },
];
