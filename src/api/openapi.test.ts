import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openApiDocument } from './openapi.ts';
import { PROBLEMS } from './problems.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is plain JSON.
const document: any = JSON.parse(JSON.stringify(openApiDocument()));
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item as object).map(([method, operation]) => ({ path, method, operation })),
);

test('OpenAPI 3.1 by its rules: version, unique ids, every parameter of a path declared, every answer described', () => {
  assert.match(document.openapi, /^3\.1\./);
  const ids = operations.map((one) => one.operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.length >= 40);
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = operation.parameters
      .filter((p: { in: string }) => p.in === 'path')
      .map((p: { name: string }) => p.name);
    assert.deepEqual(declared, named, path);
    const names = operation.parameters.map((p: { in: string; name: string }) => `${p.in} ${p.name}`);
    assert.equal(new Set(names).size, names.length);
    assert.ok(operation.summary.length > 5);
    assert.ok(operation.responses.default.$ref);
    for (const [status, answer] of Object.entries(operation.responses)) {
      assert.match(status, /^(default|[1-5]\d\d)$/);
      assert.ok(
        (answer as { $ref?: string; description?: string }).$ref ?? (answer as { description?: string }).description,
      );
    }
  }
});

test('every schema in it compiles, and every reference leads somewhere', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  let count = 0;
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'schema' && !(value as { $ref?: string }).$ref) {
        ajv.compile(value as object);
        count++;
      }
      if (key === '$ref') {
        const target = String(value)
          .slice(2)
          .split('/')
          .reduce((at: Record<string, unknown> | undefined, part) => at?.[part] as never, document);
        assert.ok(target, String(value));
      }
      walk(value);
    }
  };
  walk(document);
  assert.ok(count > 60);
});

test('commands are closed, answers are open to growth', () => {
  const body = document.paths['/v1/travellers'].post.requestBody.content['application/json'].schema;
  assert.equal(body.additionalProperties, false);
  const answer = document.paths['/v1/travellers'].post.responses[201].content['application/json'].schema;
  assert.equal(answer.additionalProperties, undefined);
  assert.equal(document.paths['/v1/travellers'].get.security[0].token.length, 0);
  assert.deepEqual(document.paths['/healthz'].get.security, []);
});

test('problem codes are words with dashes and have an HTTP status of a failure', () => {
  for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(status >= 400 && status < 600);
    assert.ok(title.length > 5);
  }
});
