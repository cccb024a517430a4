import type { ChangeType } from '../reservation.ts';

/** Parts of a place, the most telling first. */
export const PLACE_PARTS = ['code', 'name', 'locality', 'address', 'street', 'postal', 'country', 'zone'] as const;

const BY_PATH: Readonly<Record<string, ChangeType>> = {
  status: 'status',
  operation: 'status',
  removed: 'removed',
  'price.amount': 'price',
  'price.currency': 'price',
  aircraft: 'aircraft',
  'diverted.code': 'diversion',
};

const BY_PART: Readonly<Record<string, ChangeType>> = {
  scheduled: 'schedule',
  estimated: 'delay',
  actual: 'delay',
  gate: 'gate',
  terminal: 'terminal',
  platform: 'platform',
  belt: 'belt',
  desk: 'desk',
};

/** The type of a change of one field, by its path alone. */
export function changeTypeOf(path: string): ChangeType {
  if (Object.hasOwn(BY_PATH, path)) return BY_PATH[path]!;
  const [first, ...rest] = path.split('.');
  const part = rest.at(-1) ?? '';
  if (first === 'passenger') return part === 'seat' || part === 'section' ? 'seat' : 'passenger';
  if (first !== 'start' && first !== 'end') return 'details';
  if (Object.hasOwn(BY_PART, part)) return BY_PART[part]!;
  return (PLACE_PARTS as readonly string[]).includes(part) ? 'place' : 'details';
}
