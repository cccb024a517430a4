import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
import { z } from 'zod';
import { TripwatchError } from '../../../domain/errors.ts';
import { BOOKING_PATHS, KINDS, LEG_PATHS } from '../../../domain/facts.ts';
import { nearest } from '../../../domain/nearest.ts';

/**
 * The one file that describes an agency, a hotel, a rental company: where to ask, how to sign in, what to say, and
 * where in the answer each fact stands. Plain JSON; docs/connectors/any-agency.md explains it by an example.
 */

/** Longest file, and longest expression in it: more is a mistake. */
const FILE_BYTES_MAX = 256 * 1024;
const EXPRESSION_MAX = 4000;
const LEGS_MAX = 20;
const XML_MAX = 20_000;

/** JSONata; parsed here so that a mistake is found at the start, with its place. */
const expression = z
  .string()
  .min(1)
  .max(EXPRESSION_MAX)
  .superRefine((text, context) => {
    try {
      jsonata(text);
    } catch (error) {
      const { message, position } = error as { message?: string; position?: number };
      context.addIssue({
        code: 'custom',
        message: `is no JSONata: ${message ?? error} (at character ${position ?? '?'})`,
      });
    }
  });

/** What a template may name. */
export const PLACEHOLDERS = ['reference', 'firstName', 'lastName', 'startDay'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

const template = z.string().max(2000).superRefine(checkPlaceholders);

function checkPlaceholders(text: string, context: z.core.$RefinementCtx<string>): void {
  for (const [, name = ''] of text.matchAll(/\{([^{}]*)\}/g)) {
    if ((PLACEHOLDERS as readonly string[]).includes(name)) continue;
    const message = `{${name}} is none of ${PLACEHOLDERS.map((one) => `{${one}}`).join(', ')}.${nearest(name, PLACEHOLDERS)}`;
    context.addIssue({ code: 'custom', message });
  }
}

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,60}$/, 'must be the name of a header, letters, digits and dashes');

const address = z.url().refine(isAllowed, 'must begin with https:// (http:// only for this machine itself)');

function isAllowed(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && local);
}

const pattern = z.string().max(200).refine(isPattern, 'is no regular expression that is safe here').describe('regex');

function isPattern(text: string): boolean {
  // A quantifier on a group that holds one can take for ever on a text made for it.
  if (/\([^)]*[+*}][^)]*\)[+*{]/.test(text)) return false;
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** The key as it is, or after a word: `Bearer `. */
  z.strictObject({ type: z.literal('header'), name: headerName, prefix: z.string().max(40).default('') }),
  /** The key as a parameter of the address, `?api_key=…`. */
  z.strictObject({
    type: z.literal('query'),
    name: z.string().regex(/^[A-Za-z0-9._-]{1,60}$/, 'must be the name of a parameter: letters, digits, . _ and -'),
  }),
  z.strictObject({ type: z.literal('basic'), user: z.string().min(1).max(200) }),
  z.strictObject({
    type: z.literal('oauth'),
    tokenUrl: address,
    clientId: z.string().min(1).max(200),
    scope: z.string().max(500).optional(),
    clientIn: z.enum(['header', 'body']).default('header'),
  }),
]);

const read = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  path: template.refine((text) => text.startsWith('/'), 'must begin with /'),
  query: z.record(z.string().max(60), template).default({}),
  headers: z.record(headerName, template).default({}),
  body: z.record(z.string(), z.unknown()).optional(),
  /** A document to post instead of JSON. */
  xml: z.string().max(XML_MAX).superRefine(checkPlaceholders).optional(),
  /** How the answer is written. */
  as: z.enum(['json', 'xml']).default('json'),
  notFound: z.array(z.int().min(200).max(599)).default([404]),
});

/** An expression on an answer with status 200 that gives `true` where it says so. */
const errors = z.strictObject({
  notFound: expression.optional(),
  limited: expression.optional(),
  unauthorised: expression.optional(),
  failed: expression.optional(),
});

const person = z.strictObject({
  each: expression,
  name: expression,
  seat: expression.optional(),
  ticket: expression.optional(),
});

const leg = z.strictObject({
  kind: z.enum(KINDS),
  each: expression.optional(),
  facts: factsOf(LEG_PATHS),
  passengers: person.optional(),
});

const simplePath = z
  .string()
  .regex(
    /^(\*\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,9}$/,
    'must be a simple path, such as event.booking.number, or **.number for wherever it stands',
  );

const signature = z.strictObject({
  header: headerName,
  prefix: z.string().max(40).default(''),
  algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
  encoding: z.enum(['hex', 'base64']).default('hex'),
  /** `{timestamp}.{body}` where a header tells the time too. */
  signs: z.enum(['{body}', '{timestamp}.{body}']).default('{body}'),
  timestampHeader: headerName.optional(),
});

const push = z
  .strictObject({
    signature: signature.optional(),
    /** Where messages are not signed: the name that they sign in with here; the webhook secret is its password. */
    basic: z.strictObject({ user: z.string().min(1).max(200) }).optional(),
    /** How messages are written. */
    as: z.enum(['json', 'xml']).default('json'),
    /**
     * Simple paths (`event.id`): what a stranger posts is never given to expressions. Without an id, equal ones within
     * a minute are one.
     */
    id: simplePath.optional(),
    /** All that stand there are asked about. */
    reference: z.union([simplePath, z.array(simplePath).min(1).max(10)]),
  })
  .refine((one) => (one.signature === undefined) !== (one.basic === undefined), {
    message: 'needs either signature or basic: a message from just anybody is not taken',
  });

export const descriptionSchema = z
  .strictObject({
    version: z.literal(1),
    name: z.string().min(1).max(60),
    /** Files that name the same one are of one vendor, and never confirm each other's word; default: each its own. */
    vendor: z.string().min(1).max(60).optional(),
    url: address,
    auth,
    calls: z
      .array(z.strictObject({ max: z.int().min(1), perSeconds: z.int().min(1) }))
      .min(1)
      .optional(),
    follows: z.strictObject({
      kinds: z.array(z.enum(KINDS)).min(1),
      reference: pattern,
      companies: z.array(z.string().min(1).max(100)).default([]),
    }),
    read,
    answer: z.strictObject({
      reference: expression,
      errors: errors.default({}),
      sameWhile: expression.optional(),
      assertedAt: expression.optional(),
      facts: factsOf(BOOKING_PATHS),
      legs: z.array(leg).min(1).max(LEGS_MAX),
    }),
    push: push.optional(),
  })
  .refine(
    ({ push: one }) => one?.signature?.signs !== '{timestamp}.{body}' || one.signature.timestampHeader !== undefined,
    {
      path: ['push', 'signature', 'timestampHeader'],
      message: 'is needed where the signature covers the timestamp',
    },
  )
  .refine(({ auth: one, read: { query } }) => one.type !== 'query' || !Object.hasOwn(query, one.name), {
    path: ['auth', 'name'],
    message: 'stands in read.query, too; only one of them can be sent',
  })
  .refine((one) => one.read.xml === undefined || (one.read.method === 'POST' && one.read.body === undefined), {
    path: ['read', 'xml'],
    message: 'is posted: it needs "method": "POST", and no body beside it',
  });
export type Description = z.infer<typeof descriptionSchema>;

/** Facts by path, each by its expression. */
function factsOf(known: Readonly<Record<string, string>>) {
  const paths = Object.keys(known).filter((path) => !path.startsWith('passenger.') && path !== 'removed');
  return z
    .record(z.string(), expression)
    .default({})
    .superRefine((facts, context) => {
      for (const path of Object.keys(facts)) {
        if (paths.includes(path)) continue;
        const message = `is no fact that can stand here.${nearest(path, paths)}`;
        context.addIssue({ code: 'custom', path: [path], message });
      }
    });
}

/** Errors: permanent `connector-invalid`, naming every fault and its place. */
export function readDescription(file: string): Description {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw invalid(file, ['there is no such file, or it may not be read']);
  }
  if (text.length > FILE_BYTES_MAX) throw invalid(file, [`it is longer than ${FILE_BYTES_MAX} characters`]);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(file, [`it is no JSON: ${(error as Error).message}`]);
  }
  const parsed = descriptionSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const place = issue.path.map(String).join(' › ');
    return `${place === '' ? 'the file itself' : place}: ${issue.message}`;
  });
  throw invalid(file, faults);
}

export function invalid(file: string, faults: readonly string[]): TripwatchError {
  return new TripwatchError(
    'permanent',
    'connector-invalid',
    `The description ${file} cannot be used:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
}
