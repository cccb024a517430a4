import { TripwatchError } from '../../../domain/errors.ts';
import { type Clock, isoInstant } from '../../../ports/clock.ts';
import type { ProviderConnector, ReadResult, SubjectSpec, Unchanged } from '../../../ports/provider.ts';
import { foundBooking, sameId } from '../booking/answer.ts';
import { meantByLookUp } from '../booking/subjects.ts';
import { answeredOther, incomplete, unreadable } from '../http/failed.ts';
import { FAILURES } from '../http/failures.ts';
import { createProviderHttp, type ProviderHttp, type ProviderResponse } from '../http/http.ts';
import { basic, createOAuth } from '../http/oauth.ts';
import { answerOf, jobOf, saidOfItself } from './answer.ts';
import type { Description } from './description.ts';
import { createMapper, type Mapper } from './mapping.ts';
import { checkPush } from './push.ts';
import { requestOf, type SignedIn } from './request.ts';
import { subjectsOf } from './subjects.ts';
import { xmlValue } from './xml-value.ts';

/** Any agency: asks and reads as a description says. docs/connectors/any-agency.md. */

export interface AnyAgencyOptions {
  /** Our name of the account. */
  readonly account: string;
  readonly description: Description;
  /** Key, password or client secret; none for `auth.type` none. */
  readonly key?: string;
  readonly webhookSecret?: string;
  readonly clock: Clock;
  readonly url?: string;
  readonly http?: ProviderHttp;
  readonly mapper?: Mapper;
}

export function createAnyAgencyConnector(options: AnyAgencyOptions): ProviderConnector {
  const { account, description, clock, webhookSecret } = options;
  const { push } = description;
  const base = (options.url ?? description.url).replace(/\/+$/, '');
  const http = options.http ?? createProviderHttp({ clock });
  const mapper = options.mapper ?? createMapper();
  const signedIn = signing(description, options.key ?? '', http, clock);

  async function ask(subject: SubjectSpec, token: string | undefined, signal: AbortSignal): Promise<ProviderResponse> {
    const { id, reference = id, ...more } = subject.query;
    if (reference === undefined) throw incomplete(subject.id);
    return signedIn(signal, (by) => {
      const request = requestOf(description, base, { ...more, reference }, by);
      return http.ask({ ...request, token }, signal);
    });
  }

  async function read(subject: SubjectSpec, token: string | undefined, signal: AbortSignal) {
    const response = await ask(subject, token?.startsWith(SAID) ? undefined : token, signal);
    if (response.unchanged) return { kind: 'unchanged' } as const;
    if (response.status !== 200) return { kind: 'absent' } as const;
    const input = description.read.as === 'xml' ? xmlValue(response.text ?? '') : response.json;
    if (typeof input !== 'object' || input === null) throw unreadable('it is no object');
    const result = await mapper.map(jobOf(description, input));
    const said = saidOfItself(result);
    if (said.error === 'notFound') return { kind: 'absent' } as const;
    if (said.error !== undefined) {
      const [kind, code, message] = FAILURES[said.error];
      throw new TripwatchError(kind, code, message);
    }
    if (said.reference === undefined) throw unreadable('answer.reference finds nothing');
    const { id, reference = id } = subject.query;
    if (!sameId(said.reference, reference ?? '')) throw answeredOther();
    const mark = said.sameWhile === undefined ? response.token : `${SAID}${said.sameWhile}`;
    if (mark !== undefined && mark === token) return { kind: 'unchanged' } as const;
    const now = clock.now();
    const assertedAt = said.assertedAt ?? isoInstant(now);
    const answer = answerOf(description, result, { account, id: said.reference, assertedAt });
    // Neither state nor legs: that is no booking, whatever it is.
    if (answer.legs.length === 0 && answer.facts.status === undefined) throw unreadable('no fact was found in it');
    if (subject.everyMs !== undefined && !meantByLookUp(answer, subject)) return { kind: 'absent' } as const;
    return foundBooking(answer, now, mark);
  }

  return {
    name: 'any-agency',
    label: description.name,
    capabilities: {
      covers: ['booking'],
      readOne: true,
      equalityToken: true,
      ...(push !== undefined && webhookSecret !== undefined
        ? { push: push.signature === undefined ? 'hint' : 'signed' }
        : {}),
    },
    ...(description.calls === undefined ? {} : { limits: description.calls }),
    subjectsOf: (reservation) => subjectsOf(description, account, reservation),
    readOne: (subject, signal) => read(subject, undefined, signal) as Promise<ReadResult>,
    readIfChanged: (subject, token, signal): Promise<ReadResult | Unchanged> => read(subject, token, signal),
    ...(push === undefined || webhookSecret === undefined
      ? {}
      : { receivePush: (request) => checkPush(push, webhookSecret, request) }),
    limitsSaid: () => http.limitsSaid?.(),
    close: async () => {
      await Promise.all([http.close(), mapper.close()]);
    },
  };
}

/** A token made of what the answer says of itself, not of its bytes. */
const SAID = 'said:';

/** Runs a question with what signs it in. */
function signing({ auth }: Description, key: string, http: ProviderHttp, clock: Clock) {
  type Headers = Readonly<Record<string, string>>;
  type Question = (by: SignedIn) => Promise<ProviderResponse>;
  const always = (by: SignedIn) => (_signal: AbortSignal, question: Question) => question(by);
  switch (auth.type) {
    case 'none':
      return always({ headers: {} });
    case 'header':
      return always({ headers: { [auth.name.toLowerCase()]: `${auth.prefix}${key}` } });
    case 'query':
      return always({ headers: {}, query: { [auth.name]: key } });
    case 'basic':
      return always({ headers: { authorization: basic(auth.user, key) } });
    case 'oauth': {
      const { tokenUrl: url, clientId, scope, clientIn } = auth;
      const form = {
        grant_type: 'client_credentials',
        ...(scope === undefined ? {} : { scope }),
        ...(clientIn === 'body' ? { client_id: clientId, client_secret: key } : {}),
      };
      const headers: Headers = clientIn === 'header' ? { authorization: basic(clientId, key) } : {};
      const tokens = createOAuth({ http, clock, url, form, headers });
      return (signal: AbortSignal, question: Question) =>
        tokens.use(signal, (token) => question({ headers: { authorization: `Bearer ${token}` } }));
    }
  }
}
