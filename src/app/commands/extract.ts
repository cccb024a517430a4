import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { TripwatchError } from '../../domain/errors.ts';
import { extractDocument } from '../../domain/extract/document.ts';
import { toJsonLd } from '../../domain/extract/json-ld.ts';
import { instantOf, parseTravelTime } from '../../domain/time/printed-time.ts';
import { action } from '../command.ts';

/** `tripwatch extract FILE`: the reservations of one document as schema.org JSON-LD, nothing stored. */
export function extractCommand(program: Command): void {
  program
    .command('extract')
    .description('print the reservations in one document (mail, HTML, JSON-LD, calendar) as schema.org JSON-LD')
    .argument('<file>', 'the document; - reads standard input')
    .option('--date <iso>', 'when it was received; completes dates and caps what it asserts (default: now)')
    .option('--claims', 'print the facts with their evidence instead of JSON-LD')
    .action(
      action(async (context, file: string, options: { readonly date?: string; readonly claims?: boolean }) => {
        const receivedAt = receivedInstant(options.date);
        const bytes = await readDocument(file);
        const result = extractDocument({ bytes, fileName: file, receivedAt });
        for (const warning of result.warnings) {
          context.note(
            `${context.style.dim('note:')} ${warning.message}${warning.evidence === undefined ? '' : context.style.dim(` (${warning.evidence.where})`)}`,
          );
        }
        const output = options.claims === true ? result : toJsonLd(result.claims);
        if (context.json) context.result(output);
        else context.say(JSON.stringify(output, null, 2));
      }),
    );
}

function receivedInstant(date: string | undefined): string {
  if (date === undefined || date === '') return Temporal.Now.instant().toString({ smallestUnit: 'millisecond' });
  const parsed = parseTravelTime(date);
  const instant = parsed === undefined ? undefined : (instantOf(parsed) ?? `${parsed.date}T00:00:00.000Z`);
  if (instant === undefined) {
    throw new TripwatchError(
      'permanent',
      'bad-date',
      `--date ${date}: not a date; write it as 2026-12-01 or 2026-12-01T10:05:00Z.`,
    );
  }
  return instant;
}

async function readDocument(file: string): Promise<Uint8Array> {
  try {
    if (file !== '-') return await readFile(file);
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const why =
      { ENOENT: 'there is no such file', EACCES: 'reading it is not permitted', EISDIR: 'it is a folder' }[code] ??
      code;
    throw new TripwatchError('permanent', 'unreadable-file', `${file}: ${why}. Give the path of one document.`, {
      cause: error,
    });
  }
}
