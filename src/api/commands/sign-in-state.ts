import { z } from 'zod';
import { beginSignInSchema } from '../../contracts/http/mailboxes.ts';
import type { Caller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';

/**
 * What a sign-in that is under way must remember goes around by the browser, sealed: so any process can end what another
 * began, and nothing is stored for those that are never ended. It names who began it: a link that somebody else made leads
 * nowhere.
 */
const stateSchema = beginSignInSchema.extend({
  traveller: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  tenant: z.string(),
  by: z.string(),
  until: z.number(),
});
export type SignInState = z.infer<typeof stateSchema>;

/** A person reads, chooses and types meanwhile. */
const LIFE_MS = 30 * 60_000;
const CONTEXT = 'sign-in-state';

export function sealState(
  { secrets, clock }: Pick<CommandDeps, 'secrets' | 'clock'>,
  { tenant, ref }: Caller,
  state: Omit<SignInState, 'tenant' | 'by' | 'until'>,
): string {
  const until = clock.now() + LIFE_MS * clock.speed;
  return secrets.seal(JSON.stringify({ ...state, tenant, by: ref, until }), CONTEXT);
}

/** Errors: `sign-in-expired`. */
export function openState(
  { secrets, clock }: Pick<CommandDeps, 'secrets' | 'clock'>,
  { tenant, ref }: Caller,
  text: string,
): SignInState {
  let state: SignInState | undefined;
  try {
    state = stateSchema.parse(JSON.parse(secrets.open(text, CONTEXT)));
  } catch {
    // Not ours, or changed.
  }
  if (state === undefined || state.tenant !== tenant || state.by !== ref || state.until < clock.now())
    throw new Problem(
      'sign-in-expired',
      'This sign-in was begun more than half an hour ago, or in another browser. Begin it again here.',
    );
  return state;
}
