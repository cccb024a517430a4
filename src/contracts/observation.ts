import { z } from 'zod';
import { KINDS } from '../domain/facts.ts';
import type { Observation } from '../domain/observation.ts';
import type { Attribution, Change, Field, Leg, Reservation } from '../domain/reservation.ts';
import { CHANGE_TYPES } from '../domain/reservation.ts';
import { TRUST_LEVELS } from '../domain/trust/verdict.ts';

const factValue = z.union([z.string().max(4000), z.number(), z.boolean(), z.null()]);
const evidence = z.object({ where: z.string().max(500), raw: z.string().max(200).optional() });
const facts = z.record(z.string().max(200), z.object({ value: factValue, evidence: evidence.optional() }));
const source = z.object({
  kind: z.enum(['mail', 'provider', 'person']),
  ref: z.string(),
  label: z.string(),
  account: z.string().optional(),
  extractor: z.string().optional(),
});
const trust = z.object({
  level: z.enum(TRUST_LEVELS),
  sender: z.string().max(400),
  registered: z.boolean(),
  again: z.literal(true).optional(),
});
const authority = z.enum(['person', 'status', 'booking', 'mail-proven', 'mail']);
const id = <P extends string>(prefix: P) => z.templateLiteral([prefix, '_', z.string()]);

export const observationSchema = z.object({
  id: id('obs'),
  tenant: id('tnt'),
  traveller: id('trv'),
  source,
  authority,
  trust: trust.optional(),
  assertedAt: z.iso.datetime(),
  observedAt: z.iso.datetime(),
  bookingKeys: z.array(z.string()).max(50),
  facts,
  legs: z.array(z.object({ kind: z.enum(KINDS), keys: z.array(z.string()).max(20), facts })).max(200),
}) satisfies z.ZodType<unknown>;

const attribution = z.object({
  observation: id('obs'),
  source,
  authority,
  assertedAt: z.string(),
  observedAt: z.string(),
  evidence: evidence.optional(),
});
const field = z.object({
  value: factValue,
  by: attribution,
  beside: z.object({ value: factValue, by: attribution }).optional(),
});
const fields = z.record(z.string(), field);
const leg = z.object({ id: id('leg'), kind: z.enum(KINDS), keys: z.array(z.string()), fields });

const unproven = z.object({
  by: attribution,
  said: z.array(z.object({ leg: z.string().optional(), path: z.string(), value: factValue })),
});

export const reservationSchema = z.object({
  id: id('rsv'),
  tenant: id('tnt'),
  traveller: id('trv'),
  version: z.int().min(1),
  bookingKeys: z.array(z.string()),
  fields,
  legs: z.array(leg),
  observations: z.array(id('obs')),
  unproven: z.array(unproven).optional(),
  digest: z.string(),
});

export const changeSchema = z.object({
  type: z.enum(CHANGE_TYPES),
  leg: id('leg').optional(),
  path: z.string().optional(),
  from: factValue.optional(),
  to: factValue.optional(),
  minutes: z.number().optional(),
  besidePerson: z.literal(true).optional(),
  by: attribution.optional(),
});

// The domain states the types, the contract checks what crosses a boundary; these lines keep the two equal.
type Loose<T> = T extends readonly (infer U)[]
  ? Loose<U>[]
  : T extends object
    ? { [K in keyof T]?: Loose<T[K]> | undefined }
    : T;
type Same<A, B> = Loose<A> extends Loose<B> ? (Loose<B> extends Loose<A> ? true : never) : never;
export type ContractsAgree = [
  Same<z.infer<typeof observationSchema>, Observation>,
  Same<z.infer<typeof reservationSchema>, Reservation>,
  Same<z.infer<typeof changeSchema>, Change>,
  Same<z.infer<typeof attribution>, Attribution>,
  Same<z.infer<typeof field>, Field>,
  Same<z.infer<typeof leg>, Leg>,
];
export const contractsAgree: ContractsAgree = [true, true, true, true, true, true];
