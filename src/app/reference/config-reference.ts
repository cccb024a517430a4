import { z } from 'zod';
import { configSchema } from '../../contracts/config.ts';
import { variableNames } from '../config.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** docs/operating/configuration.md, from the schema. */
export function configReference(): string {
  const rows: string[] = [];
  const walk = (schema: JsonSchema, path: string): void => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      const at = path === '' ? name : `${path}.${name}`;
      if (inner.properties !== undefined) walk(inner, at);
      else if (inner.items?.properties !== undefined) {
        rows.push(row(`${at}[]`, inner));
        walk(inner.items, `${at}[]`);
      } else rows.push(row(at, inner));
    }
  };
  walk(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, '');
  return [
    '# Configuration',
    '',
    '<!-- generated from src/contracts/config.ts by `npm run generate` -->',
    '',
    'Tripwatch runs without any. Settings come from `tripwatch.config.json` in the data folder (or `--config FILE`), then from the',
    'environment, then from command line options; the later one wins. All faults are reported together at start.',
    '',
    '| setting | default | what it is |',
    '|---|---|---|',
    ...rows,
    '',
    `Environment variables: ${variableNames.map((name) => `\`${name}\``).join(', ')}; and \`TRIPWATCH_DATA\` (data folder), \`TRIPWATCH_CONFIG\` (file).`,
    '',
    'Secrets never stand in the file: `key`, `webhookSecret`, `secrets` and `smtp.tls` say where to read them, `env:NAME` or `file:/path`.',
    '',
  ].join('\n');
}

function row(path: string, schema: JsonSchema): string {
  const range =
    schema.enum !== undefined
      ? schema.enum.map(String).join(' \\| ')
      : schema.minimum !== undefined &&
          schema.maximum !== undefined &&
          Math.abs(schema.minimum) < 1e15 &&
          schema.maximum < 1e15
        ? `${schema.minimum}–${schema.maximum}`
        : (schema.type ?? '');
  const what = [schema.description, range === '' ? '' : `(${range})`].filter(Boolean).join(' ');
  return `| \`${path}\` | ${schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``} | ${what.replaceAll('\n', ' ')} |`;
}
