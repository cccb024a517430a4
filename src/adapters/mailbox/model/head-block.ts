import { HEAD_BYTES_MAX } from '../../../ports/mailbox.ts';

/** The header block of a whole mail with the empty line that ends it; all there is when none does. Bounded. */
export function headBlock(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crlf = buffer.indexOf('\r\n\r\n');
  const lf = buffer.indexOf('\n\n');
  let end = buffer.length;
  if (crlf !== -1) end = crlf + 4;
  if (lf !== -1 && lf + 2 < end) end = lf + 2;
  return bytes.subarray(0, Math.min(end, HEAD_BYTES_MAX));
}
