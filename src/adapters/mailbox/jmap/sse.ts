/** Server-sent events, read from bytes cut anywhere (HTML standard, 9.2.6). Lines and messages beyond bounds are let go. */
export interface SseMessage {
  readonly event: string;
  readonly data: string;
  /** Where the message names one. */
  readonly id?: string;
  readonly retryMs?: number;
}

const LINE_CHARS_MAX = 64 * 1024;
const DATA_CHARS_MAX = 256 * 1024;

export function createSseReader(): (chunk: Uint8Array) => readonly SseMessage[] {
  const decoder = new TextDecoder();
  let rest = '';
  let event = '';
  let data = '';
  let id: string | undefined;
  let retryMs: number | undefined;
  const dispatch = (): SseMessage | undefined => {
    const message =
      data === '' && retryMs === undefined && id === undefined
        ? undefined
        : {
            event: event || 'message',
            data: data.replace(/\n$/, ''),
            ...(id === undefined ? {} : { id }),
            ...(retryMs === undefined ? {} : { retryMs }),
          };
    event = '';
    data = '';
    id = undefined;
    retryMs = undefined;
    return message;
  };
  return (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!.slice(-LINE_CHARS_MAX);
    const out: SseMessage[] = [];
    for (const line of lines) {
      if (line === '') {
        const message = dispatch();
        if (message !== undefined) out.push(message);
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event = value.slice(0, 200);
      else if (field === 'data') data = `${data}${value}\n`.slice(0, DATA_CHARS_MAX);
      else if (field === 'id' && !value.includes('\0')) id = value.slice(0, 1000);
      else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
    }
    return out;
  };
}
