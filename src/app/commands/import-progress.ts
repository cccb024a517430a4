import { age, byteSize } from '../terminal/style.ts';
import type { ImportProgress } from './import-run.ts';

export interface ProgressOutput {
  /** A terminal: one line is drawn over and over. Else a line now and then. */
  readonly tty: boolean;
  readonly columns: number;
  write(text: string): void;
  /** Monotonic milliseconds. */
  now(): number;
}

const DRAW_MS = 100;
const LINE_MS = 10_000;

/** Draws how far an import is, by bytes, because their total is known before the first mail is read. */
export function createProgress(output: ProgressOutput): { show(progress: ImportProgress): void; end(): void } {
  const startedAt = output.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show(progress) {
      const now = output.now();
      if (now - shownAt < (output.tty ? DRAW_MS : LINE_MS)) return;
      // The first plain line would say nothing yet.
      const first = shownAt === Number.NEGATIVE_INFINITY;
      shownAt = now;
      if (output.tty) {
        drawn = true;
        output.write(`\r\u001b[K${bar(progress, now - startedAt, output.columns)}`);
      } else if (!first) output.write(`${words(progress, now - startedAt)}\n`);
    },
    end() {
      if (drawn) output.write('\r\u001b[K');
    },
  };
}

function bar(progress: ImportProgress, elapsedMs: number, columns: number): string {
  const text = words(progress, elapsedMs);
  if (progress.phase === 'reading') return text.slice(0, Math.max(0, columns - 1));
  const width = Math.min(30, columns - text.length - 4);
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const full = Math.round(width * share(progress));
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${text}`;
}

function words(progress: ImportProgress, elapsedMs: number): string {
  const mails = `${progress.mails.toLocaleString('en')} mails stored`;
  if (progress.phase === 'reading') return `${mails}; ${progress.waiting.toLocaleString('en')} still being read`;
  const done = share(progress);
  const perSecond = elapsedMs > 0 ? Math.round((progress.mails * 1000) / elapsedMs) : 0;
  const left = done > 0.02 && done < 1 ? `, ${age((elapsedMs * (1 - done)) / done)} left` : '';
  const bytes = `${byteSize(progress.bytesDone)} of ${byteSize(progress.bytesTotal)}`;
  return `${Math.floor(done * 100)} %  ${bytes}, ${mails}, ${perSecond}/s${left}`;
}

function share(progress: ImportProgress): number {
  return progress.bytesTotal === 0 ? 1 : Math.min(1, progress.bytesDone / progress.bytesTotal);
}
