/** Bounds of the header walk: what a mail may make us look at, whoever wrote it. */
export const HEAD_LIMITS = {
  /** A whole header section longer than this is cut: real ones are below 64 KiB. */
  headerBytesMax: 256 * 1024,
  /** Lines looked at, folded ones included. */
  headerLinesMax: 1000,
  /** One header's value, before decoding. */
  valueBytesMax: 16 * 1024,
  /** What is kept and shown of a subject or a name (RFC 5322 section 2.1.1: no line is longer than 998). */
  textCharsMax: 998,
  /** RFC 5321 section 4.5.3.1: 64 + 1 + 255, with a little slack for what mail systems let through. */
  addressCharsMax: 330,
} as const;
