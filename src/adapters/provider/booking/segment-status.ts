/**
 * Status codes of segments that GDS hosts share. What is not in the table is left open ("see the provider"): an unknown
 * code is never taken for a cancellation.
 */
const STATES: Readonly<Record<string, string>> = {
  HK: 'confirmed',
  KK: 'confirmed',
  KL: 'confirmed',
  RR: 'confirmed',
  TK: 'confirmed',
  SC: 'confirmed',
  GK: 'confirmed',
  BK: 'confirmed',
  HL: 'pending',
  HN: 'pending',
  PN: 'pending',
  TL: 'pending',
  TN: 'pending',
  HX: 'cancelled',
  UN: 'cancelled',
};

/** Our booking status; undefined: it says nothing that we may repeat. */
export function segmentStatus(code: string | null | undefined): string | undefined {
  const known = code?.trim().toUpperCase() ?? '';
  return Object.hasOwn(STATES, known) ? STATES[known] : undefined;
}
