import type {
  AuditView,
  DeadLetterDetail,
  DeadLetterSummary,
  DeadLetterView,
} from '../../contracts/http/dead-letters.ts';
import { isoInstant } from '../../ports/clock.ts';
import type { AuditEntry } from '../../ports/store/audit.ts';
import type { DeadLetter, DeadLetterFilter } from '../../ports/store/dead-letters.ts';
import type { AttemptRecord } from '../../ports/store/log.ts';
import type { ReadTx } from '../../ports/store.ts';
import type { Caller } from '../auth.ts';
import type { Payload } from '../commands/dead-letters.ts';
import { defined } from './reservation.ts';

/** Groups shown of a summary: more different failures than that are one catastrophe. */
const GROUPS_MAX = 100;

export function attemptView(row: AttemptRecord): DeadLetterView['attempts'][number] {
  return { at: isoInstant(row.at), kind: row.kind, code: row.code, message: row.message };
}

export function deadLetterView(row: DeadLetter): DeadLetterView {
  return defined({
    id: row.id,
    stage: row.consumer,
    topic: row.topic,
    event: row.eventId,
    key: row.key,
    correlation: row.correlation,
    provider: row.provider,
    kind: row.kind,
    code: row.code,
    message: row.message,
    state: row.state,
    attempts: row.attempts.map(attemptView),
    createdAt: isoInstant(row.createdAt),
    decidedAt: row.decidedAt === undefined ? undefined : isoInstant(row.decidedAt),
    decidedBy: row.decidedBy,
    decision: row.decision,
    editedEvent: row.editedEvent,
  }) as DeadLetterView;
}

/** With where it came from; the payload only where it was asked for. */
export function deadLetterDetail(letter: DeadLetter, payload: Payload, withPayload: boolean): DeadLetterDetail {
  const about = payload.state === 'kept' ? payload.event.subject : undefined;
  const named = [letter.correlation, about ?? ''];
  const origin = defined({
    mail: named.find((id) => id.startsWith('mail_')),
    reservation: named.find((id) => id.startsWith('rsv_')),
    subject: named.find((id) => id.startsWith('sub_')),
  });
  return {
    ...deadLetterView(letter),
    origin,
    explain: letter.correlation,
    payloadState: payload.state,
    ...(withPayload && payload.state === 'kept' ? { payload: payload.event } : {}),
  };
}

/** By stage and code: what to look at first. */
export async function deadLetterSummary(
  tx: ReadTx,
  { tenant }: Pick<Caller, 'tenant'>,
  filter: DeadLetterFilter,
): Promise<DeadLetterSummary> {
  const total = await tx.deadLetters.count(tenant, filter);
  const groups = await tx.deadLetters.groups(tenant, filter, GROUPS_MAX + 1);
  return {
    total,
    groups: groups.slice(0, GROUPS_MAX).map(({ consumer, code, count, oldestAt, newestAt, example }) => ({
      stage: consumer,
      code,
      kind: example.kind,
      count,
      oldestAt: isoInstant(oldestAt),
      newestAt: isoInstant(newestAt),
      example: example.id,
      message: example.message,
    })),
    truncated: groups.length > GROUPS_MAX,
  };
}

export function auditView({ id, at, by, action, target, details }: AuditEntry): AuditView {
  return { id, at: isoInstant(at), by, action, target, details: { ...details } };
}
