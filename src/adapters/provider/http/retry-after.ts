/**
 * When the other side wants to be asked again (RFC 9110, section 10.2.3, and the reset headers in use). A hint is taken
 * for what it is: absurd and past ones are clamped.
 */
export const RETRY_MS_MIN = 1000;
export const RETRY_MS_MAX = 6 * 3_600_000;

/**
 * Epoch ms, by the first of `retry-after`, `ratelimit-reset`, `x-ratelimit-reset` that can be read: seconds, or a date,
 * which is compared with the server's own Date header, because its clock and ours may differ. Undefined: no hint.
 */
export function retryAtOf(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const serverNow = dateMs(headers.date) ?? now;
  for (const name of ['retry-after', 'ratelimit-reset', 'x-ratelimit-reset']) {
    const wait = waitMs(headers[name], serverNow);
    if (wait !== undefined) return now + Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, wait));
  }
  return undefined;
}

function waitMs(value: string | undefined, serverNow: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,12}(\.\d+)?$/.test(text)) {
    const seconds = Number(text);
    // Some send the instant as Unix seconds instead of a distance.
    return seconds > 1_000_000_000 ? seconds * 1000 - serverNow : seconds * 1000;
  }
  const at = dateMs(text);
  return at === undefined ? undefined : at - serverNow;
}

/** HTTP date or ISO instant. */
function dateMs(text: string | undefined): number | undefined {
  if (text === undefined || !/[A-Za-z]/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}
