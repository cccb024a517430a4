import type { TopicData } from '../../src/contracts/topics.ts';

/** Bytes of one job's data as JSON, in every queue; each adds its own envelope to it. */
export const PAYLOAD_BYTES = 1024;

/** A mail that was seen, with a subject as long as it takes. */
export function payload(n: number): TopicData<'mail.seen'> {
  const data = {
    mailId: `mail_${n}` as const,
    mailboxId: 'mbx_1' as const,
    head: { fromAddress: 'a@example.org', subject: '' },
    size: n,
    receivedAt: '2026-11-22T10:00:00Z',
    via: 'smtp' as const,
    raw: 'sha256:0' as const,
  };
  const digits = String(n).length;
  // The number stands in it twice; everything else is the same for all.
  data.head.subject = PADDING.slice(2 * digits);
  return data;
}

const BARE_BYTES = 164;
const PADDING = 'x'.repeat(PAYLOAD_BYTES - BARE_BYTES);

/** The number of the job that carries it. */
export function numberOf(data: { readonly size: number }): number {
  return data.size;
}
