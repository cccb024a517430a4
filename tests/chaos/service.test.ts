/** The service as a person runs it: killed and started again, and on a disk that is full. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Cli, flightMail } from '../integration/cli.testing.ts';
import { FREE_PORTS, missingAfter, restartRun, sendMail, startService } from './restarts.ts';
import { expectWithin } from './tests.ts';

test('killed with mails coming in, it serves again soon, and every mail it took is there', async (t) => {
  const result = await restartRun(4);
  t.diagnostic(JSON.stringify(result));
  assert.deepEqual(result.lost, []);
  expectWithin(t, 'serves again', result.serves.p50, 2000);
});

/** A small file system of its own; undefined where this process may not mount one. */
function smallDisk(megabytes: number): { readonly folder: string; unmount(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    folder,
    unmount: () => {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

test('on a full disk mails are refused for now, and taken again when there is room', async (t) => {
  const disk = smallDisk(24);
  if (disk === undefined) {
    t.skip('this needs the right to mount a file system (root, and no container that forbids it)');
    return;
  }
  const ballast = join(disk.folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(10 * 1024 * 1024));
  const data = join(disk.folder, 'installation');
  mkdirSync(data);
  const cli = new Cli(data, FREE_PORTS);
  const up = await startService(cli);
  try {
    const { address } = await cli.json('mailbox', 'add', '--traveller', 'Ada');
    const accepted: string[] = [];
    const replies = new Set<string>();
    let refusedInARow = 0;
    for (let n = 0; refusedInARow < 15 && n < 400; n++) {
      const reference = `FULL${n}`;
      const padding = `<!-- ${'x'.repeat(200_000)} -->`;
      const mail = flightMail({ reference, number: String(100 + n) }).replace('<p>', `${padding}<p>`);
      const reply = await sendMail(up.smtpPort, address, mail);
      replies.add(reply.slice(0, 3));
      if (reply.startsWith('250')) accepted.push(reference);
      refusedInARow = reply.startsWith('250') ? 0 : refusedInARow + 1;
    }
    t.diagnostic(`${accepted.length} mails accepted, replies ${[...replies].join(', ')}`);
    assert.equal(refusedInARow, 15, 'the disk was never full');
    assert.ok(
      [...replies].every((code) => code === '250' || /^4/.test(code)),
      [...replies].join(),
    );
    assert.equal(up.running.child.exitCode, null, up.running.stderr);

    rmSync(ballast);
    const freedAt = performance.now();
    let reply = '';
    for (let tries = 0; tries < 200 && !reply.startsWith('250'); tries++) {
      reply = await sendMail(up.smtpPort, address, flightMail({ reference: 'AFTER1', number: '999' }));
      if (!reply.startsWith('250')) await delay(50);
    }
    t.diagnostic(`a mail was accepted ${Math.round(performance.now() - freedAt)} ms after space was freed`);
    assert.match(reply, /^250/);
    accepted.push('AFTER1');
    assert.deepEqual(await missingAfter(cli, accepted, 15_000), [], up.running.stderr.slice(-2000));
    const letters = await cli.json('dead-letters', 'list');
    assert.deepEqual(letters, { items: [], total: 0 }, 'no event is to blame for a full disk');
    const { code } = await up.running.end('SIGTERM');
    assert.equal(code, 0);
  } finally {
    await up.running.kill();
    disk.unmount();
  }
});
