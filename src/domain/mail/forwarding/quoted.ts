import { fold } from '../../facts.ts';
import { parseTravelTime } from '../../time/printed-time.ts';

/** A mail that was forwarded by quoting it: what the program of the person who forwarded it wrote above the text. */
export interface QuotedMail {
  readonly from: string;
  /** ISO instant; absent where no date can be read. */
  readonly date?: string;
}

type Field = 'from' | 'date' | 'subject' | 'to';

/** The words that mail programs put before the lines of a quoted head, folded. */
const LABELS: Readonly<Record<Field, readonly string[]>> = {
  from: ['from', 'von', 'de', 'da', 'van', 'fra', 'fran', 'od'],
  date: [
    ...[
      'date',
      'sent',
      'datum',
      'gesendet',
      'envoye',
      'envoye le',
      'fecha',
      'enviado',
      'enviado el',
      'data',
      'inviato',
    ],
    ...['verzonden', 'dato', 'sendt', 'skickat', 'data wyslania', 'wyslano'],
  ],
  subject: ['subject', 'betreff', 'objet', 'asunto', 'oggetto', 'onderwerp', 'assunto', 'emne', 'amne', 'temat'],
  to: ['to', 'an', 'a', 'para', 'aan', 'til', 'till', 'do', 'reply-to', 'antwort an', 'cc', 'kopie', 'copia'],
};
const FIELD_OF = new Map(
  Object.entries(LABELS).flatMap(([field, words]) => words.map((word) => [word, field as Field] as const)),
);
/** The lines of a head stand together; a value may stand on the line after its label. */
const HEAD_LINES_MAX = 16;
const LINES_MAX = 4000;
const ADDRESS = /[^\s<>"'(),:;@[\]]{1,64}@[a-z0-9.-]{3,255}/i;

/** By its subject: what mail programs put in front of it (`Fwd:`, `WG:` and the like). The body is somebody's quotation. */
export function isForward(subject: string): boolean {
  return FORWARD.test(subject);
}

const FORWARD =
  /^\s*(?:(?:re|aw|sv|antw)\s*:\s*)*(?:fwd?|wg|tr|rv|reenv|rif|enc|i|vb|vs|vl|fs|doorst|wtr|pd|転送)\s*:/iu;

/**
 * The head above the first quoted mail in `texts` (plain text or HTML, bounded by the caller). `outer`: when the mail around
 * it was sent; programs print the original's time on the clock of whoever forwards, which is that of the mail around it.
 * Nothing is quoted: undefined. Only what has a sender's address, a date and a subject is one: a text that prints
 * `From` and `To` of a journey is none.
 */
export function readQuotedMail(
  texts: readonly string[],
  outer: { readonly ms?: number | undefined; readonly offsetMinutes: number },
): QuotedMail | undefined {
  for (const text of texts) {
    const lines = linesOf(text);
    for (let at = 0; at < lines.length; at++) {
      if (labelled(lines[at]!)?.field !== 'from') continue;
      const head = headAt(lines, at);
      const from = ADDRESS.exec(head.get('from') ?? '')?.[0];
      if (from === undefined || !head.has('date') || !head.has('subject')) continue;
      const date = instantOf(head.get('date')!, outer);
      return { from, ...(date === undefined ? {} : { date }) };
    }
  }
  return undefined;
}

function headAt(lines: readonly string[], at: number): ReadonlyMap<Field, string> {
  const head = new Map<Field, string>();
  for (let i = at; i < Math.min(lines.length, at + HEAD_LINES_MAX); i++) {
    const found = labelled(lines[i]!);
    if (found === undefined) {
      if (i > at && labelled(lines[i - 1]!)?.value === '') continue;
      break;
    }
    const value = found.value === '' ? (lines[i + 1] ?? '') : found.value;
    if (!head.has(found.field)) head.set(found.field, value);
  }
  return head;
}

function labelled(line: string): { readonly field: Field; readonly value: string } | undefined {
  const colon = line.indexOf(':');
  if (colon < 1 || colon > 20) return undefined;
  const field = FIELD_OF.get(fold(line.slice(0, colon).replaceAll('*', '')).trim());
  return field === undefined
    ? undefined
    : {
        field,
        value: line
          .slice(colon + 1)
          .replace(/^\*+/, '')
          .trim(),
      };
}

const BREAKS = /<(?:br|\/p|\/div|\/tr|\/td|\/th|\/li|\/h[1-6])\b[^<>]{0,500}>/gi;
const TAGS = /<\/?[a-z!][^<>@]{0,2000}>/gi;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', nbsp: ' ', amp: '&', '#39': "'" };

/** Lines with something on them, without the marks of quoting. */
function linesOf(text: string): readonly string[] {
  return text
    .replace(BREAKS, '\n')
    .replace(TAGS, '')
    .replace(/&(lt|gt|quot|nbsp|amp|#39);/g, (_, name: string) => ENTITIES[name]!)
    .split(/\r?\n/, LINES_MAX)
    .map((line) => line.replace(/^[\s>|*]+/, '').trim())
    .filter((line) => line !== '');
}

/** What stands between day and hour, and after it, in the languages above. */
const BETWEEN = /\s(?:at|um|à|a las|alle ore|alle|om|às|de|kl\.?|klokken|o)\s|,?\s+(?:uhr|h)\b/giu;
const AFTER = /\s*(?:\([^)]*\)|\b[a-z]{3,5})\s*$/i;

function instantOf(
  printed: string,
  { ms, offsetMinutes }: { readonly ms?: number | undefined; readonly offsetMinutes: number },
): string | undefined {
  const plain = printed.normalize('NFKC').replace(BETWEEN, ' ').replace(/\s+/g, ' ').trim();
  const time = parseTravelTime(plain) ?? parseTravelTime(plain.replace(AFTER, ''));
  if (time?.time === undefined) return undefined;
  const offset = time.offset ?? offsetMinutes;
  const local = Temporal.PlainDateTime.from(`${time.date}T${time.time}`).toZonedDateTime('UTC').epochMilliseconds;
  const at = local - offset * 60_000;
  // Nothing is quoted before it was sent; summer time may have begun between the two.
  const bounded = ms === undefined ? at : Math.min(at, ms);
  return Temporal.Instant.fromEpochMilliseconds(bounded).toString({ smallestUnit: 'millisecond' });
}
