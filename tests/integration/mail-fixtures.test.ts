import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { extractDocument } from '../../src/domain/extract/document.ts';
import { toJsonLd } from '../../src/domain/extract/json-ld.ts';

/**
 * Every document in tests/fixtures/mail with what it must give beside it: the reservations, what each claim says of
 * itself, and the warnings. Run with UPDATE_FIXTURES=1 to write the expectations anew, then read the difference.
 */
const folder = new URL('../fixtures/mail/', import.meta.url);
const receivedAt = '2026-11-22T12:00:00.000Z';

// A zone that no fixture is in: nothing may depend on the machine's.
process.env.TZ = 'Pacific/Kiritimati';

const documents = readdirSync(folder).filter((name) => !name.endsWith('.json'));

function read(name: string) {
  const result = extractDocument({ bytes: readFileSync(new URL(name, folder)), fileName: name, receivedAt });
  return {
    reservations: toJsonLd(result.claims),
    claims: result.claims.map(({ extractor, assertedAt, bookingKeys, legs, facts }) => ({
      extractor,
      assertedAt,
      bookingKeys,
      status: facts.status?.value ?? null,
      legs: legs.map((leg) => leg.keys),
      starts: legs.map((leg) => leg.facts['start.scheduled']?.value ?? null),
    })),
    warnings: result.warnings.map((warning) => warning.code),
  };
}

test('there are fixtures', () => assert.ok(documents.length >= 15));

for (const name of documents) {
  test(name, () => {
    const actual = JSON.parse(JSON.stringify(read(name)));
    const file = new URL(`${name.replace(/\.\w+$/, '')}.expected.json`, folder);
    if (process.env.UPDATE_FIXTURES === '1') writeFileSync(file, `${JSON.stringify(actual, null, 2)}\n`);
    assert.deepEqual(actual, JSON.parse(readFileSync(file, 'utf8')));
  });
}

test('every value has its place in the document', () => {
  let values = 0;
  for (const name of documents) {
    const { claims } = extractDocument({ bytes: readFileSync(new URL(name, folder)), fileName: name, receivedAt });
    for (const facts of claims.flatMap((claim) => [claim.facts, ...claim.legs.map((leg) => leg.facts)])) {
      for (const [path, fact] of Object.entries(facts)) {
        assert.ok(fact.evidence?.where, `${name}: ${path} has evidence`);
        values++;
      }
    }
  }
  assert.ok(values > 200, `only ${values} values`);
});
