import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { asyncApiDocument } from '../../src/app/reference/asyncapi.ts';
import { TOPICS } from '../../src/contracts/topics.ts';
import { STAGES } from '../../src/stages/stages.ts';

const shared = process.env.TRIPWATCH_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const schemaFile = join(shared, 'contracts/asyncapi/3.0.0.json');

interface Document {
  readonly channels: Record<string, unknown>;
  readonly operations: Record<string, { action: string; channel: { $ref: string } }>;
}

test('every topic is a channel, and every stage sends and receives what its row says', () => {
  const document = asyncApiDocument('0.0.0') as Document;
  assert.deepEqual(Object.keys(document.channels), Object.keys(TOPICS));
  for (const stage of STAGES) {
    assert.equal(document.operations[`${stage.name}.receive.${stage.reads}`]?.action, 'receive');
    for (const topic of stage.writes) assert.equal(document.operations[`${stage.name}.send.${topic}`]?.action, 'send');
  }
  const read = new Set(STAGES.map((stage) => stage.reads as string));
  const sent = new Set(
    Object.values(document.operations).flatMap((one) => (one.action === 'send' ? [one.channel.$ref] : [])),
  );
  for (const topic of read) assert.ok(sent.has(`#/channels/${topic}`), `nobody writes ${topic}`);
});

test('the document is valid by the schema of AsyncAPI 3.0', {
  skip: existsSync(schemaFile) ? false : `${schemaFile} is not here`,
}, () => {
  const ajv = new Ajv({ meta: false, validateSchema: false, strict: false, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
  assert.ok(validate(asyncApiDocument('0.0.0')), JSON.stringify(validate.errors?.slice(0, 3)));
  assert.ok(!validate({ asyncapi: '3.0.0' }), 'an empty document must not pass');
});
