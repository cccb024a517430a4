/**
 * Writes what is generated: OpenAPI, AsyncAPI, the error and configuration references, the stage table of the
 * architecture page. With --check it writes nothing and fails when a file differs: what CI does.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../src/api/openapi.ts';
import { asyncApiDocument } from '../src/app/reference/asyncapi.ts';
import { configReference } from '../src/app/reference/config-reference.ts';
import { errorReference } from '../src/app/reference/error-reference.ts';
import { stageTable } from '../src/app/reference/stage-table.ts';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

/** Replaces what stands between the two marks of a page that is otherwise written by hand. */
function within(page: string, name: string, text: string): string {
  const current = readFileSync(new URL(page, root), 'utf8');
  const [open, close] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const [from, to] = [current.indexOf(open), current.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`${page} lacks the marks ${open} … ${close}`);
  return `${current.slice(0, from + open.length)}\n${text}\n${current.slice(to)}`;
}

const files: Readonly<Record<string, string>> = {
  'generated/openapi.json': json(openApiDocument()),
  'generated/asyncapi.json': json(asyncApiDocument(version)),
  'docs/operating/configuration.md': configReference(),
  'docs/errors.md': errorReference(),
  'docs/architecture.md': within('docs/architecture.md', 'stages', stageTable()),
};

const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, text] of Object.entries(files)) {
  const url = new URL(path, root);
  if (existsSync(url) && readFileSync(url, 'utf8') === text) continue;
  if (check) stale.push(path);
  else {
    writeFileSync(url, text);
    console.log(`wrote ${path}`);
  }
}
if (stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}
