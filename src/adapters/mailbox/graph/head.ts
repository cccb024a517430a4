import type { ListedMail } from '../../../ports/mailbox.ts';
import { type HeaderField, headOf } from '../api/head.ts';
import type { Message } from './schema.ts';

/** A mail as Graph lists it. Graph gives the headers of what came from outside; of what was put there (an import,
 * another program) it has none, and the block is made of the members, which do not change either. */
export function mailOf(message: Message, folder: string): ListedMail {
  return {
    ref: message.id,
    folder,
    size: sizeOf(message),
    receivedAt: message.receivedDateTime,
    head: headOf(hasHeaders(message) ? message.internetMessageHeaders : fieldsOf(message)),
  };
}

export function hasHeaders(
  message: Message,
): message is Message & { readonly internetMessageHeaders: readonly HeaderField[] } {
  return (message.internetMessageHeaders?.length ?? 0) > 0;
}

function sizeOf({ singleValueExtendedProperties: properties }: Message): number {
  const value = Number(properties?.find(({ id }) => /0x0?e08$/i.test(id))?.value ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function fieldsOf({ from, toRecipients, subject, sentDateTime, internetMessageId }: Message): HeaderField[] {
  const fields: HeaderField[] = [];
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') fields.push({ name, value });
  };
  put('From', personOf(from));
  put('To', (toRecipients ?? []).flatMap((one) => personOf(one) ?? []).join(', '));
  put('Subject', subject ?? undefined);
  put('Date', dateOf(sentDateTime));
  put('Message-ID', internetMessageId ?? undefined);
  return fields;
}

function personOf(person: Message['from']): string | undefined {
  const { name, address } = person?.emailAddress ?? {};
  if (!address) return undefined;
  return name ? `"${name.replace(/["\\\r\n]/g, ' ')}" <${address}>` : `<${address}>`;
}

function dateOf(text: string | null | undefined): string | undefined {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toUTCString().replace('GMT', '+0000');
}
