import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { extractDocument } from '../../src/domain/extract/document.ts';
import { toJsonLd } from '../../src/domain/extract/json-ld.ts';

/**
 * Scores the extractor against the shared corpus, where that is at hand (TRIPWATCH_SHARED, or ../shared beside the
 * repository): the kinds that are read today must not get worse.
 */
const shared = process.env.TRIPWATCH_SHARED ?? resolve(import.meta.dirname, '../../../shared');
const manifestPath = join(shared, 'corpus', 'MANIFEST.json');
const scorerPath = join(shared, 'tools', 'score-extraction.mjs');
const missing = existsSync(manifestPath) && existsSync(scorerPath) ? false : `no corpus at ${shared}`;

interface Entry {
  readonly id: string;
  readonly input: string;
  readonly expected: string;
  readonly kind: string;
  readonly tier: string;
  readonly contextDate?: string;
}
interface Summary {
  readonly reservations: { readonly f1: number };
  readonly fields: { readonly f1: number };
}
interface Scorer {
  scoreDocument(expected: unknown, actual: unknown): unknown;
  summarise(results: readonly { readonly score: unknown }[]): Summary;
}

/** Lowest F1 over reservations and over fields, by tier and kind. */
const FLOORS: readonly (readonly [tier: string, kind: string, reservations: number, fields: number])[] = [
  ['core', 'mail-jsonld', 0.99, 0.99],
  ['core', 'mail-microdata', 0.99, 0.99],
  ['core', 'ics', 0.99, 0.99],
  ['core', 'negative', 0.99, 0.99],
  ['extended', 'jsonld-file', 0.93, 0.9],
];

for (const [tier, kind, reservations, fields] of FLOORS) {
  test(`${tier} ${kind}`, { skip: missing }, async () => {
    const scorer = (await import(pathToFileURL(scorerPath).href)) as Scorer;
    const { documents } = JSON.parse(readFileSync(manifestPath, 'utf8')) as { readonly documents: readonly Entry[] };
    const chosen = documents.filter((entry) => entry.tier === tier && entry.kind === kind);
    assert.ok(chosen.length > 0);
    const summary = scorer.summarise(
      chosen.map((entry) => {
        const date = entry.contextDate ?? '2026-01-01T00:00:00';
        const receivedAt = date.includes('T')
          ? /(Z|[+-]\d\d:\d\d)$/.test(date)
            ? date
            : `${date}Z`
          : `${date}T00:00:00Z`;
        const bytes = readFileSync(join(shared, 'corpus', entry.input));
        const { claims } = extractDocument({ bytes, fileName: entry.input, receivedAt });
        const expected: unknown = JSON.parse(readFileSync(join(shared, 'corpus', entry.expected), 'utf8'));
        return { score: scorer.scoreDocument(expected, toJsonLd(claims)) };
      }),
    );
    assert.ok(summary.reservations.f1 >= reservations, `reservations F1 ${summary.reservations.f1}`);
    assert.ok(summary.fields.f1 >= fields, `fields F1 ${summary.fields.f1}`);
  });
}
