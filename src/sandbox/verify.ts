import type { SandboxFolder } from './folder.ts';
import { judge } from './judge.ts';
import type { KnownReceipt, KnownReservation } from './judge-input.ts';
import { eachOf, type ServiceClient } from './service-client.ts';
import type { Verdict } from './verdict.ts';

export { type Verdict, verdictLines } from './verdict.ts';

/** Requests to the service at a time. */
const WIDTH = 8;

/** Reads everything from the service's API as any client could, and judges it. */
export async function verify(folder: SandboxFolder, service: ServiceClient, signal: AbortSignal): Promise<Verdict> {
  // Where the fakes have stopped, nothing newer can be known.
  const clock = (): number => Math.min(folder.clock.now(), folder.meta().stoppedAt ?? Number.POSITIVE_INFINITY);
  const now = clock();
  const witness = folder.witness();
  const summaries = await service.list<{ id: string }>('/v1/reservations', 'after', signal);
  const reservations: KnownReservation[] = [];
  await eachOf(summaries, WIDTH, async ({ id }) => {
    const known = await service.get<KnownReservation>(`/v1/reservations/${id}`, signal);
    reservations.push({ ...known, readAt: clock() });
  });
  const receipts = await service.list<KnownReceipt>('/v1/receipts', 'before', signal);
  return judge({ scenario: folder.scenario, witness, reservations, receipts, now });
}
