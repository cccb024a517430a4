/**
 * When the other side wants to be asked again (RFC 9110, section 10.2.3, and the reset headers in use). A hint is taken
 * for what it is: absurd and past ones are clamped.
 */
export const RETRY_MS_MIN = 1000;
export const RETRY_MS_MAX = 6 * 3_600_000;

/** Expedia names the instant, in ms since 1970. */
const NAMES = ['retry-after', 'ratelimit-reset', 'x-ratelimit-reset', 'rate-limit-minute-reset'] as const;

/**
 * Epoch ms, by the first of these headers that can be read: seconds, or an instant, which is compared with the server's
 * own Date header, because its clock and ours may differ. Undefined: no hint.
 */
export function retryAtOf(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const serverNow = dateMs(headers.date) ?? now;
  for (const name of NAMES) {
    const wait = waitMs(headers[name], serverNow);
    if (wait !== undefined) return now + Math.min(RETRY_MS_MAX, Math.max(RETRY_MS_MIN, wait));
  }
  return undefined;
}

export function waitMs(value: string | undefined, serverNow: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,13}(\.\d+)?$/.test(text)) {
    const seconds = Number(text);
    // Some send the instant as Unix seconds or milliseconds instead of a distance.
    if (seconds > 1_000_000_000_000) return seconds - serverNow;
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
