import type { z } from 'zod';

/** Cursors are JSON of ours in text. Undefined: none of this kind, so its holder begins anew, visibly. */
export function readCursor<T>(text: string, schema: z.ZodType<T>): T | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return schema.safeParse(json).data;
}

/** Why a cursor began anew. */
export const RESETS = {
  expired: 'history-expired',
  unreadable: 'cursor-unreadable',
} as const;
