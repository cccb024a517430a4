import type { SandboxFolder } from './folder.ts';
import { judge, type KnownReceipt, type KnownReservation } from './judge.ts';
import { eachOf, type ServiceClient } from './service-client.ts';
import type { Verdict } from './verdict.ts';

export { type Verdict, verdictLines } from './verdict.ts';

/** Requests to the service at a time. */
const WIDTH = 8;

/** Reads everything from the service's API as any client could, and judges it. */
export async function verify(folder: SandboxFolder, service: ServiceClient, signal: AbortSignal): Promise<Verdict> {
  // Where the fakes have stopped, nothing newer can be known.
  const now = Math.min(folder.clock.now(), folder.meta().stoppedAt ?? Number.POSITIVE_INFINITY);
  const summaries = await service.list<{ id: string }>('/v1/reservations', 'after', signal);
  const reservations: KnownReservation[] = [];
  await eachOf(summaries, WIDTH, async ({ id }) => {
    reservations.push(await service.get<KnownReservation>(`/v1/reservations/${id}`, signal));
  });
  const receipts = await service.list<KnownReceipt>('/v1/receipts', 'before', signal);
  return judge({ scenario: folder.scenario, witness: folder.witness(), reservations, receipts, now });
}
