/** Bounds of the check, each with its reason. Times are real milliseconds. */
export const AUTHENTICITY_LIMITS = {
  /** Header sections of genuine mails are below 64 KiB; a larger one is not checked. */
  headerBytesMax: 256 * 1024,
  /** Signatures and seals looked at: each costs a key and a signature check. Genuine mails have up to five. */
  signaturesMax: 16,
  /** Attached mails looked at. */
  attachedMax: 3,
  /** One question to the DNS, with its repeats. */
  dnsTimeoutMs: 3000,
  /** All of one mail's questions. */
  checkTimeoutMs: 10_000,
  /** Answers are kept so long; keys and policies change in days. */
  dnsTtlMs: 600_000,
  /** "There is none" is kept shorter: it may be about to be published. */
  dnsNoneTtlMs: 120_000,
  /** After a failure the same question is not asked again for so long. */
  dnsFailureTtlMs: 15_000,
  /** Answers kept: a few MiB. The ones unused for longest go first. */
  dnsAnswersMax: 10_000,
  /** Characters of one answer; longer ones are no key and no policy. */
  dnsAnswerCharsMax: 16_384,
  /** Questions that failed one after another until the DNS is taken for away, and how long it is left alone then. */
  dnsFailuresMax: 4,
  dnsAwayMs: 20_000,
} as const;
