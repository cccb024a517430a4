import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readOwner, tryOwn } from './owner-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'tripwatch-owner-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const now = '2026-11-22T10:00:00.000Z';

test('one owner at a time; released, the next may have it', () => {
  const first = tryOwn(folder, now);
  assert.ok(first);
  assert.deepEqual(readOwner(folder), { pid: process.pid, since: now });
  assert.equal(tryOwn(folder, now), undefined);
  assert.equal(tryOwn(folder, now), undefined, 'asking does not loosen the lock');
  first.release();
  first.release();
  assert.equal(readOwner(folder), undefined);
  const second = tryOwn(folder, now);
  assert.ok(second);
  second.release();
});

test('an owner that is killed has lost the folder at once', async () => {
  const url = JSON.stringify(new URL('./owner-lock.ts', import.meta.url).href);
  const code = `const { tryOwn } = await import(${url}); globalThis.own = tryOwn(${JSON.stringify(folder)}, ${JSON.stringify(now)});
    console.log(own ? 'owned' : 'refused'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  assert.equal(String(line).trim(), 'owned');
  assert.equal(tryOwn(folder, now), undefined);
  assert.equal(readOwner(folder)?.pid, child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const mine = tryOwn(folder, now);
  assert.ok(mine);
  mine.release();
});

test('a folder that cannot be is an error that says so, not "owned by another"', () => {
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => tryOwn(join(folder, 'file'), now), { code: 'data-folder-unusable', kind: 'permanent' });
});

test('a broken note is no owner', () => {
  for (const text of ['', '{', 'null', '[]', '{"pid":"1"}']) {
    writeFileSync(join(folder, 'owner.json'), text);
    assert.equal(readOwner(folder), undefined);
  }
});
