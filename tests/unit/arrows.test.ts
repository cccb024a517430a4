import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The arrows of the architecture, read from the import lines:
 * domain ← contracts ← ports ← {stages, runtime, adapters, api, sandbox} ← app. The ones in braces never import one another.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  contracts: ['domain', 'contracts'],
  ports: ['domain', 'contracts', 'ports'],
  stages: ['domain', 'contracts', 'ports', 'stages'],
  runtime: ['domain', 'contracts', 'ports', 'runtime'],
  adapters: ['domain', 'contracts', 'ports', 'adapters'],
  api: ['domain', 'contracts', 'ports', 'api'],
  // The sandbox is an outside world that shares only our clock with us.
  sandbox: ['domain', 'contracts', 'ports', 'sandbox', 'adapters/clock'],
  app: ['domain', 'contracts', 'ports', 'stages', 'runtime', 'adapters', 'api', 'sandbox', 'app'],
  // Runs everything but the composition, on virtual time; nothing imports it.
  simulation: ['domain', 'contracts', 'ports', 'stages', 'runtime', 'adapters', 'api', 'sandbox', 'simulation'],
};

/** Clock, timers and chance come from ports in these, so that a seed can drive them. */
const DETERMINISTIC = ['domain', 'stages', 'runtime'];
const BANNED =
  /\b(Date\.now|new Date|Date\.parse|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|Temporal\.Now|process\.nextTick|(?<!(?:broker|session|fetcher)\.)fetch)\s*\(|from 'node:(fs|net|http|https|dns|timers|worker_threads|child_process)/;

const src = fileURLToPath(new URL('../../src/', import.meta.url));

async function sources(): Promise<{ readonly file: string; readonly area: string; readonly text: string }[]> {
  const found = [];
  for await (const file of glob('**/*.ts', { cwd: src })) {
    if (file.endsWith('.test.ts')) continue;
    found.push({ file, area: file.split(sep)[0] ?? '', text: readFileSync(join(src, file), 'utf8') });
  }
  return found;
}

/** Wrong arrows of one file. */
export function wrongArrows(file: string, text: string): string[] {
  const area = file.split(sep)[0] ?? '';
  const allowed = MAY_IMPORT[area];
  if (allowed === undefined) return [`${file}: src/${area} is no known area; add it to the arrows`];
  const wrong: string[] = [];
  for (const match of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const target = relative(src, normalize(join(src, dirname(file), match[1] ?? '')));
    if (!allowed.some((prefix) => target === prefix || target.startsWith(prefix + sep))) {
      wrong.push(`${file} imports ${target}; src/${area} may import ${allowed.join(', ')}`);
    }
  }
  return wrong;
}

test('every import follows the arrows', async () => {
  const files = await sources();
  assert.ok(files.length > 20);
  assert.deepEqual(
    files.flatMap(({ file, text }) => wrongArrows(file, text)),
    [],
  );
});

test('a wrong arrow would be found', () => {
  assert.equal(wrongArrows(join('domain', 'x.ts'), "import { a } from '../ports/clock.ts';").length, 1);
  assert.equal(wrongArrows(join('stages', 'a', 'x.ts'), "import { a } from '../../adapters/b.ts';").length, 1);
  assert.equal(wrongArrows(join('nowhere', 'x.ts'), '').length, 1);
});

test('no clock, timer, chance or socket but through a port in domain, stages and runtime', async () => {
  const found = (await sources())
    .filter(({ area }) => DETERMINISTIC.includes(area))
    .flatMap(({ file, text }) =>
      text
        .split('\n')
        .flatMap((line, i) =>
          BANNED.test(line) && !/^\s*(\*|\/\/)/.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [],
        ),
    );
  assert.deepEqual(found, []);
});
