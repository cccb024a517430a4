import type { ExpectedLeg, ExpectedValue } from './expect.ts';
import type { KnownReservation } from './judge-input.ts';
import { zoned } from './scenario/time.ts';

export function isCancelled(got: KnownReservation): boolean {
  if (got.fields.status?.value === 'cancelled') return true;
  return got.legs.length > 0 && got.legs.every((leg) => leg.fields.status?.value === 'cancelled');
}

export function isLeg(expected: ExpectedLeg, got: KnownReservation['legs'][number]): boolean {
  if (got.kind !== expected.kind) return false;
  if (expected.kind !== 'flight') return true;
  const number = String(got.fields.number?.value ?? '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  const from = got.fields['start.code']?.value;
  return (
    got.fields['carrier.code']?.value === expected.carrier &&
    number === expected.number &&
    (from === undefined || from === null || from === expected.from)
  );
}

/** Times may be given less precisely (a day, no zone) but not differently. */
export function matches(expected: ExpectedValue | undefined, got: unknown): boolean {
  if (expected === undefined) return got === undefined || got === null;
  if (typeof got !== 'string') return false;
  if (expected.kind === 'text') return got === expected.value;
  const there = zoned(expected.at, expected.zone);
  if (/^\d{4}-\d{2}-\d{2}$/.test(got)) return got === there.toPlainDate().toString();
  try {
    if (!/(Z|[+-]\d{2}:?\d{2})(\[|$)/.test(got)) {
      return Temporal.PlainDateTime.from(got).equals(there.toPlainDateTime());
    }
    const instant = Temporal.Instant.from(got);
    const zone = /\[([^\]]+)\]$/.exec(got)?.[1];
    const wall =
      zone === undefined || instant.toZonedDateTimeISO(zone).toPlainDateTime().equals(there.toPlainDateTime());
    return instant.epochMilliseconds === expected.at && wall;
  } catch {
    return false;
  }
}

export function words(value: ExpectedValue | undefined): string {
  if (value === undefined) return 'nothing';
  return value.kind === 'text' ? value.value : zoned(value.at, value.zone).toString({ smallestUnit: 'second' });
}
