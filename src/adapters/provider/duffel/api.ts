import type { z } from 'zod';
import { TripwatchError } from '../../../domain/errors.ts';
import { FAILURES, type Failure } from '../http/failures.ts';
import type { ProviderHttp } from '../http/http.ts';
import { oneSchema, pageSchema } from './schema.ts';

/** Duffel's way of asking and answering: version header, `data`, pages by cursor, errors by type. */
export interface DuffelApi {
  /** Undefined: not found. Errors: see ProviderHttp, and transient `provider-answered-unreadable`. */
  one<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined>;
  /** All pages, up to `PAGES_MAX`; items that have not the documented form are left out. */
  list<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<readonly T[]>;
}

const PAGE_SIZE = 200;
/** 10,000 bookings; beyond it the id of the booking must be given. */
const PAGES_MAX = 50;

export function createDuffelApi(http: ProviderHttp, base: string, token: string): DuffelApi {
  const headers = { authorization: `Bearer ${token}`, 'duffel-version': 'v2', accept: 'application/json' };
  const get = (path: string, signal: AbortSignal, also: readonly number[] = []) =>
    http.ask({ url: `${base}${path}`, headers, also, explain }, signal);

  return {
    one: async (path, schema, signal) => {
      const response = await get(path, signal, [404]);
      if (response.status === 404) return undefined;
      const parsed = schema.safeParse(oneSchema.safeParse(response.json).data?.data);
      if (!parsed.success) throw unreadable(parsed.error);
      return parsed.data;
    },
    list: async (path, query, schema, signal) => {
      const found = [];
      let after: string | undefined;
      for (let page = 0; page < PAGES_MAX; page++) {
        const search = new URLSearchParams({ ...query, limit: String(PAGE_SIZE), ...(after ? { after } : {}) });
        const parsed = pageSchema.safeParse((await get(`${path}?${search}`, signal)).json);
        if (!parsed.success) throw unreadable(parsed.error);
        for (const item of parsed.data.data) {
          const one = schema.safeParse(item);
          if (one.success) found.push(one.data);
        }
        const next = parsed.data.meta?.after ?? undefined;
        if (next === undefined || next === after) return found;
        after = next;
      }
      return found;
    },
  };
}

/** Duffel's error types; an unknown type is judged by its status. */
const BY_TYPE: Readonly<Record<string, Failure>> = {
  airline_error: FAILURES.failed,
  api_error: FAILURES.failed,
  authentication_error: FAILURES.unauthorised,
  invalid_request_error: FAILURES.refused,
  invalid_state_error: FAILURES.refused,
  validation_error: FAILURES.refused,
  rate_limit_error: FAILURES.limited,
};

function explain(_status: number, body: unknown): Failure | undefined {
  const errors = (body as { errors?: unknown } | null | undefined)?.errors;
  const type = Array.isArray(errors) ? (errors[0] as { type?: unknown } | null)?.type : undefined;
  return typeof type === 'string' && Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined;
}

function unreadable(error: z.ZodError): TripwatchError {
  const where = error.issues[0]?.path.join('.') || 'the answer itself';
  return new TripwatchError(
    'transient',
    'provider-answered-unreadable',
    `The provider's answer has not the documented form (${where}) and was not used.`,
  );
}
