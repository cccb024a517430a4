import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { PROBLEMS } from '../../src/api/problems.ts';
import { ERROR_CODES } from '../../src/domain/error-codes.ts';
import { postgresSettings, root, text } from './deploy-files.ts';

/** The operator's pages: what is read at three in the morning must be there, and must work as it is written. */
const folder = join(root, 'docs/operating');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
const contentOf = (page: string) => readFileSync(join(folder, page), 'utf8');

/** As the usual renderers make it of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

test('every link of the pages leads somewhere', () => {
  const dead: string[] = [];
  for (const page of pages) {
    for (const [, target = ''] of contentOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#', 2);
      const file = path === '' ? join(folder, page) : join(folder, dirname(page), path);
      if (!existsSync(file)) dead.push(`${page}: ${target}`);
      else if (anchor !== undefined) {
        const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1]!));
        if (!headings.includes(anchor)) dead.push(`${page}: ${target}`);
      }
    }
  }
  assert.deepEqual(dead, []);
});

test('every page is in the index', () => {
  const index = contentOf('README.md');
  assert.deepEqual(
    pages.filter((page) => page !== 'README.md' && !index.includes(`(${page})`)),
    [],
  );
});

test('every setting of the servers and of the shared configuration is explained', () => {
  const page = contentOf('deployment.md');
  const nats = [...text('config/nats.conf').matchAll(/^\s*([a-z_]+)(?::| \{| ")/gm)].map((match) => match[1]!);
  const config = Object.keys(JSON.parse(text('config/tripwatch.config.json')));
  const compose = [
    'restart',
    'stop_grace_period',
    'stop_signal',
    'read_only',
    'cap_drop',
    'tmpfs',
    'ulimits',
    'logging',
  ];
  const kubernetes = [...text('kubernetes/worker.yaml').matchAll(/(enableServiceLinks|automountServiceAccountToken)/g)];
  const all = [...postgresSettings().keys(), ...nats, ...config, ...compose, ...kubernetes.map((match) => match[1]!)];
  assert.ok(all.length > 50, `only ${all.length} settings were found`);
  assert.deepEqual(
    [...new Set(all)].filter((name) => !page.includes(name)),
    [],
  );
});

test('codes that the pages name are in the catalogue', () => {
  const prefixes = new Set(Object.keys(ERROR_CODES).map((code) => code.split('-')[0]));
  const files = new Set(['store-dir']);
  const unknown = pages.flatMap((page) =>
    [...contentOf(page).matchAll(/`((?:store|broker|blob|secret|lease|event|config)-[a-z-]*[a-z])`/g)]
      .map((match) => match[1]!)
      .filter((code) => prefixes.has(code.split('-')[0]) && !files.has(code))
      .filter((code) => !(code in ERROR_CODES) && !(code in PROBLEMS))
      .map((code) => `${page}: ${code}`),
  );
  assert.deepEqual(unknown, []);
});

/** `tripwatch dead-letters list --code x` → its words and its options. Placeholders and values end the words. */
interface Typed {
  readonly page: string;
  readonly line: string;
  readonly words: readonly string[];
  readonly options: readonly string[];
}
function typed(page: string): Typed[] {
  const content = contentOf(page);
  const blocks = [...content.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((match) => match[1]!.split('\n'));
  const spans = [...content.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
  const found: Typed[] = [];
  for (const line of [...blocks, ...spans]) {
    const command = /(?:^|\(|\| *|-- )tripwatch ([a-z][^#|)]*)/.exec(line.replace(/^alias .*/, ''))?.[1];
    if (command === undefined) continue;
    const parts = command.trim().split(/\s+/);
    const end = parts.findIndex((part) => !/^[a-z][a-z-]*$/.test(part));
    const options = parts.filter((part) => /^--[a-z]/.test(part)).map((part) => part.split('=', 1)[0]!);
    found.push({ page, line, words: end < 0 ? parts : parts.slice(0, end), options });
  }
  return found;
}

/** Options that every command takes. */
const GLOBAL = ['--json', '--data', '--config', '--help', '--version'];

/** The commands as src/app/cli.ts puts them together, without running one. */
async function commandLine(): Promise<Command> {
  const program = new Command('tripwatch');
  const cli = readFileSync(join(root, 'src/app/cli.ts'), 'utf8');
  for (const [, name = '', path = ''] of cli.matchAll(/^import \{ (\w+Commands?) \} from '\.(\/commands\/[^']+)'/gm)) {
    const module = (await import(join(root, 'src/app', path))) as Record<string, (parent: Command) => void>;
    module[name]!(program);
  }
  return program;
}

test('every command of the pages exists, with its options', async () => {
  const program = await commandLine();
  assert.ok(program.commands.length > 15);
  const all = pages.flatMap(typed);
  assert.ok(all.length > 20, `only ${all.length} commands were found`);
  const wrong: string[] = [];
  for (const { page, line, words, options } of all) {
    let at = program;
    for (const word of words) {
      const next = at.commands.find((one) => one.name() === word);
      // A word that is no command is a value, where a command takes values: `token add laptop`.
      if (next === undefined && at.commands.length > 0) wrong.push(`${page}: ${line}: there is no ${word}`);
      if (next === undefined) break;
      at = next;
    }
    for (const option of options)
      if (!GLOBAL.includes(option) && !at.options.some((one) => one.long === option))
        wrong.push(`${page}: ${line}: there is no ${option}`);
  }
  assert.deepEqual(wrong, []);
});
