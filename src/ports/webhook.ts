/**
 * Sends webhooks to addresses that strangers chose. Left out on purpose: schedules, retries and signatures, which are the
 * sender's business.
 */
export interface WebhookPost {
  /**
   * Refuses an address that we would not call: not https, a port not allowed, private, loopback or otherwise not global.
   * Resolves the name. Errors: permanent `webhook-url-invalid`, permanent `webhook-address-private`, transient
   * `webhook-host-unknown`.
   */
  check(url: string): Promise<void>;
  /**
   * One POST: resolved and checked anew, dialled at exactly the checked address, no redirects followed, at most 64 KiB of
   * the answer read, 20 s of real time in all. Any HTTP answer is a result. Errors: as `check`, and transient
   * `webhook-unreachable`, transient `webhook-timeout`, `cancelled` when the signal aborts.
   */
  post(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>;
}

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookAnswer {
  readonly status: number;
  /** As sent: seconds, or an HTTP date. */
  readonly retryAfter: string | undefined;
}
