import type { AddEndpoint, EditEndpoint } from '../../contracts/http/commands.ts';
import { derivedId, type EndpointId, type EventId, sortableId } from '../../domain/ids.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { Endpoint } from '../../ports/store/accounts.ts';
import type { Notification } from '../../ports/store/notifications.ts';
import { type Caller, ensureVisible, notFound, scopedTraveller } from '../auth.ts';
import type { CommandDeps } from '../deps.ts';
import { Problem } from '../problems.ts';
import { visibleTraveller } from './accounts.ts';

/** Webhook endpoints. The secret is shown once, sealed at rest; after a rotation old and new both sign until the next. */

export const ENDPOINTS_PER_TENANT_MAX = 200;

export interface NewEndpoint {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

/** Errors: `webhook-url-invalid`, `webhook-address-private`, `webhook-host-unknown`, `limit-reached`, `not-found`. */
export async function addEndpoint(deps: CommandDeps, caller: Caller, body: AddEndpoint): Promise<NewEndpoint> {
  const traveller = scopedTraveller(caller, body.traveller);
  if (traveller !== undefined) await visibleTraveller(deps, caller, traveller);
  await deps.webhooks?.check(body.url);
  const now = deps.clock.now();
  const id: EndpointId = sortableId('whe', now, deps.random.bytes(10));
  const secret = newSecret(deps);
  const endpoint: Endpoint = {
    id,
    tenant: caller.tenant,
    traveller,
    url: body.url,
    sealedSecrets: [deps.secrets.seal(secret, id)],
    state: 'active',
    stateReason: undefined,
    createdAt: now,
  };
  await deps.store.transact(async (tx) => {
    await tx.accounts.change(caller.tenant);
    if ((await tx.accounts.listEndpoints(caller.tenant)).length >= ENDPOINTS_PER_TENANT_MAX) {
      throw new Problem('limit-reached', `There are ${ENDPOINTS_PER_TENANT_MAX} endpoints already. Remove one first.`);
    }
    await tx.accounts.addEndpoint(endpoint);
  });
  return { endpoint, secret };
}

/** Errors: `not-found`. */
export async function visibleEndpoint(deps: Pick<CommandDeps, 'store'>, caller: Caller, id: string): Promise<Endpoint> {
  const found = await deps.store.read((tx) => tx.accounts.getEndpoint(caller.tenant, id as EndpointId));
  if (found === undefined) throw notFound(id);
  ensureVisible(caller, found.traveller, id);
  return found;
}

/** Changes address or state; setting `active` clears the reason for which it was disabled. Errors as `addEndpoint`. */
export async function editEndpoint(
  deps: CommandDeps,
  caller: Caller,
  id: string,
  body: EditEndpoint,
): Promise<Endpoint> {
  const endpoint = await visibleEndpoint(deps, caller, id);
  if (body.url !== undefined) await deps.webhooks?.check(body.url);
  const change = {
    ...(body.url === undefined ? {} : { url: body.url }),
    ...(body.state === undefined
      ? {}
      : { state: body.state, stateReason: body.state === 'active' ? undefined : 'disabled by you' }),
  };
  await deps.store.transact((tx) => tx.accounts.updateEndpoint(caller.tenant, endpoint.id, change as never));
  return { ...endpoint, ...change } as Endpoint;
}

export async function removeEndpoint(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  const endpoint = await visibleEndpoint(deps, caller, id);
  await deps.store.transact((tx) => tx.accounts.removeEndpoint(caller.tenant, endpoint.id));
}

/** A new secret; the one before signs along until the next rotation, so that receivers can change over. */
export async function rotateEndpoint(deps: CommandDeps, caller: Caller, id: string): Promise<NewEndpoint> {
  const { id: endpointId } = await visibleEndpoint(deps, caller, id);
  const secret = newSecret(deps);
  const sealed = deps.secrets.seal(secret, endpointId);
  // Two rotations at once: each keeps the other's secret beside its own.
  const endpoint = await deps.store.transact(async (tx) => {
    await tx.accounts.change(caller.tenant);
    const now = await tx.accounts.getEndpoint(caller.tenant, endpointId);
    if (now === undefined) throw notFound(id);
    const sealedSecrets = [sealed, ...now.sealedSecrets.slice(0, 1)];
    await tx.accounts.updateEndpoint(caller.tenant, endpointId, { sealedSecrets });
    return { ...now, sealedSecrets };
  });
  return { endpoint, secret };
}

/** Queues a delivery of type `endpoint.tested`; the sender delivers it like any other. Errors: `not-found`, `conflict`. */
export async function testEndpoint(deps: CommandDeps, caller: Caller, id: string): Promise<Notification> {
  const endpoint = await visibleEndpoint(deps, caller, id);
  if (endpoint.state !== 'active') {
    throw new Problem(
      'conflict',
      `Endpoint ${endpoint.id} is disabled (${endpoint.stateReason ?? 'no reason kept'}). Set its state to active first.`,
    );
  }
  const now = deps.clock.now();
  const eventId: EventId = sortableId('evt', now, deps.random.bytes(10));
  const notification: Notification = {
    id: derivedId('ntf', endpoint.id, eventId),
    tenant: caller.tenant,
    endpoint: endpoint.id,
    eventId,
    body: JSON.stringify({
      type: 'endpoint.tested',
      timestamp: isoInstant(now),
      data: { endpoint: endpoint.id, message: 'Tripwatch reaches this address.' },
    }),
    state: 'pending',
    attempts: 0,
    nextAt: now,
    lastStatus: undefined,
    lastError: undefined,
    createdAt: now,
    settledAt: undefined,
    correlation: eventId,
  };
  await deps.store.transact((tx) => tx.notifications.add(notification));
  return notification;
}

function newSecret(deps: CommandDeps): string {
  return `whsec_${Buffer.from(deps.random.bytes(32)).toString('base64')}`;
}
