/** What a file is, by its first bytes. */
export type FileKind = 'mbox' | 'mail' | 'empty' | 'other';

export const DETECT_BYTES = 4096;

/** `head`: the first `DETECT_BYTES` of the file. */
export function detectKind(head: Uint8Array): FileKind {
  if (head.byteLength === 0) return 'empty';
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .replace(/^[\r\n]+/, '');
  if (text.startsWith('From ')) return 'mbox';
  return looksLikeMail(text) ? 'mail' : 'other';
}

/** The names by which a file that looks like nothing is still taken for a mail, so that it gets a receipt. */
export function isMailName(name: string): boolean {
  return /\.(eml|mbox|mbx)$/i.test(name);
}

/** Header lines first, and one of those that every mail has. */
function looksLikeMail(text: string): boolean {
  const lines = text.split(/\r?\n/, 60);
  if (!/^[!-9;-~]{1,76}[ \t]*:/.test(lines[0] ?? '')) return false;
  return lines.some((line) =>
    /^(from|to|subject|date|message-id|received|return-path|mime-version|delivered-to)[ \t]*:/i.test(line),
  );
}
