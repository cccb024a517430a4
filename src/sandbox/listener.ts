import type { Clock } from '../ports/clock.ts';
import type { SaidEvent } from './folder.ts';
import type { ServiceAddress } from './service-client.ts';

/** One message of a Server-Sent Events stream. */
export interface SseMessage {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads messages out of a stream cut anywhere. */
export function sseReader(): (chunk: string) => readonly SseMessage[] {
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];
  return (chunk) => {
    const lines = (rest + chunk).split(/\r\n|\n/);
    rest = lines.pop()!;
    const messages: SseMessage[] = [];
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) messages.push({ id, event: event || 'message', data: data.join('\n') });
        event = '';
        data = [];
        continue;
      }
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === 'id') id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
    return messages;
  };
}

/** Real time before the stream is opened again. */
const REOPEN_MS = 250;

/** Follows `GET /v1/changes` from a cursor for as long as the signal lasts; a broken stream is resumed. */
export async function listen(
  service: ServiceAddress,
  clock: Clock,
  after: number,
  onEvent: (event: SaidEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  let cursor = String(after);
  let seen = after;
  while (!signal.aborted) {
    try {
      const response = await fetch(new URL(`/v1/changes?after=${cursor}`, service.url), {
        headers: {
          authorization: `Bearer ${service.token}`,
          accept: 'text/event-stream',
          'last-event-id': cursor,
        },
        signal,
      });
      if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`);
      const read = sseReader();
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        for (const message of read(decoder.decode(chunk, { stream: true }))) {
          const seq = Number.parseInt(message.id, 10);
          if (message.event !== 'change' || !(seq > seen)) continue;
          seen = seq;
          cursor = message.id;
          const event = JSON.parse(message.data) as { id?: string };
          onEvent({ seq, at: clock.now(), id: String(event.id), event });
        }
      }
    } catch {
      // Away or restarting; the cursor brings back what was missed.
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
  }
}
