import type { Readable } from 'node:stream';

/** Memory for mails being received, shared by all connections. */
export interface ByteBudget {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createByteBudget(max: number): ByteBudget {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > max) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}

export type Received =
  | { readonly kind: 'mail'; readonly bytes: Uint8Array; readonly release: () => void }
  | { readonly kind: 'too-large'; readonly size: number }
  | { readonly kind: 'no-memory' };

/**
 * Collects a mail while it streams in. Over `maxBytes`, or without memory left, what was collected is dropped at once
 * and the rest is read and thrown away, because SMTP answers only at the end of DATA; `endless` (several times the
 * limit) ends the reading by throwing. Throws when the connection ends before the mail does: nothing is kept then.
 */
export async function receive(stream: Readable, maxBytes: number, budget: ByteBudget): Promise<Received> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let size = 0;
  let noMemory = false;
  const drop = () => {
    budget.give(held);
    held = 0;
    chunks = [];
  };
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes * ENDLESS_FACTOR + ENDLESS_SLACK_BYTES) throw new EndlessMailError();
      if (noMemory || size > maxBytes || !budget.take(chunk.byteLength)) {
        noMemory ||= size <= maxBytes;
        drop();
        continue;
      }
      held += chunk.byteLength;
      chunks.push(chunk);
    }
  } catch (error) {
    drop();
    throw error;
  }
  if (size > maxBytes) return { kind: 'too-large', size };
  if (noMemory) return { kind: 'no-memory' };
  return { kind: 'mail', bytes: Buffer.concat(chunks, size), release: drop };
}

export class EndlessMailError extends Error {
  override readonly name = 'EndlessMailError';
}

/** A sender that does not stop after this much is not waiting for our answer. */
const ENDLESS_FACTOR = 4;
const ENDLESS_SLACK_BYTES = 1024 * 1024;
