/** A reporter for logs: failures in full, skips by name, and one closing line with the counts. */
import type { TestEvent } from 'node:test/reporters';

export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const event of source) {
    if (event.type === 'test:pass') {
      if (event.data.details?.type === 'suite') continue;
      if (event.data.skip !== undefined) {
        skipped += 1;
        yield `skipped: ${event.data.name}${typeof event.data.skip === 'string' ? `: ${event.data.skip}` : ''}\n`;
      } else passed += 1;
    } else if (event.type === 'test:fail') {
      if (event.data.details?.type === 'suite') continue;
      failed += 1;
      const error = event.data.details.error as Error & { cause?: unknown };
      const cause =
        error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error);
      yield `\nFAILED ${event.data.file ?? ''}: ${event.data.name}\n${cause}\n`;
    }
  }
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}
