import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DovecotServer, startDovecot } from '../../scripts/servers/dovecot.ts';
import { TripwatchError } from '../../src/domain/errors.ts';
import { startTcpProxy } from '../chaos/tcp-proxy.ts';
import {
  account,
  all,
  append,
  beside,
  connector,
  never,
  open,
  skipWithoutDovecot,
  subjects,
  text,
  until,
} from './imap.testing.ts';

/** IMAP against a real server: what it does by itself, and what happens to it. */

const isCode = (code: string, kind?: string) => (error: unknown) => {
  assert.ok(error instanceof TripwatchError, String(error));
  assert.equal(error.code, code, error.message);
  if (kind !== undefined) assert.equal(error.kind, kind);
  return true;
};

describe('IMAP with Dovecot', { skip: skipWithoutDovecot() }, () => {
  let server: DovecotServer;
  let used = 0;
  const user = () => server.users[used++]!;
  before(async () => {
    server = await startDovecot({ users: 40, settings: ['mail_max_userip_connections = 15'] });
  });
  after(async () => await server?.stop());

  /** Appended, and listed by a session that has time. */
  const listed = async (name: string, mails: readonly Uint8Array[]) => {
    const session = await open(server, name);
    const begin = await session.begin(never);
    await append(server, name, mails);
    const page = await all(session, begin);
    await session.close();
    return page.mails;
  };

  // --- Listening ----------------------------------------------------------------------------------------------------------

  test('a notice within IDLE wakes, also when IDLE was begun anew many times and the session was used meanwhile', async () => {
    const name = user();
    const session = await open(server, name, { limits: { idleMs: 100 } });
    let cursor = await session.begin(never);
    const stop = new AbortController();
    let wakes = 0;
    const listening = session.listen!(() => wakes++, stop.signal);
    for (const number of [1, 2, 3]) {
      // Some rounds of IDLE pass.
      await new Promise((resolve) => setTimeout(resolve, 350));
      const before = wakes;
      await server.deliver(name, text(number));
      await until(() => wakes > before);
      const { subjects: seen, cursor: next } = await all(session, cursor);
      assert.deepEqual(seen, [String(number)]);
      cursor = next;
    }
    stop.abort();
    await listening;
    assert.equal(session.closed.aborted, false, 'the session stays');
    assert.deepEqual((await all(session, cursor)).subjects, []);
    await session.close();
  });

  test('what comes between the last look and the first IDLE, or while another folder is open, wakes too', async () => {
    const name = user();
    const session = await open(server, name);
    const begin = await session.begin(never);
    await append(server, name, [text('early')]);
    const stop = new AbortController();
    let wakes = 0;
    const listening = session.listen!(() => wakes++, stop.signal);
    await until(() => wakes > 0);
    const { mails, cursor } = await all(session, begin);
    assert.deepEqual(subjects({ mails }), ['early']);
    await append(server, name, [text('elsewhere')], { folder: 'Sent' });
    const sent = await all(session, cursor);
    stop.abort();
    await listening;
    await session.close();
    assert.ok(sent.subjects.includes('elsewhere') || sent.subjects.length === 0);
  });

  test('a server without IDLE, CONDSTORE, LIST-STATUS and folder roles is asked instead', async (t) => {
    const old = await startDovecot({ settings: ['imap_capability = IMAP4rev1 NAMESPACE UIDPLUS'] });
    t.after(() => old.stop());
    const session = await open(old, 'user1', { limits: { pollMs: 100, othersMs: 0 } });
    const begin = await session.begin(never);
    const stop = new AbortController();
    let wakes = 0;
    const listening = session.listen!(() => wakes++, stop.signal);
    const before = wakes;
    await append(old, 'user1', [text(1)]);
    await append(old, 'user1', [text(2)], { folder: 'Sent' });
    await until(() => wakes > before);
    assert.deepEqual(new Set((await all(session, begin)).subjects), new Set(['1', '2']));
    stop.abort();
    await listening;
    await session.close();
  });

  test('a connection that nobody holds at the other end any more is noticed within the deadline', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const limits = { idleMs: 300, answerMs: 400 };
    const session = await open(proxy, name, { limits });
    await session.begin(never);
    let heard = 0;
    const listening = session.listen!(() => heard++, never);
    await until(() => heard >= 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const from = performance.now();
    assert.equal(proxy.halfOpen(), 1);
    await assert.rejects(listening, isCode('mailbox-timeout', 'transient'));
    const took = performance.now() - from;
    assert.ok(took < 5000, `noticed after ${took} ms`);
    assert.equal(session.closed.aborted, true);
    await proxy.close();
  });

  test('a connection that falls silent in the middle of an answer is given up, and the next one goes on', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const mails = await listed(name, [text('big', 'x'.repeat(70).concat('\r\n').repeat(8000)), text('small')]);
    const session = await open(proxy, name, { limits: { answerMs: 400 } });
    proxy.set({ limitBytes: 100_000, limitThen: 'hole' }, 'down');
    await assert.rejects(session.fetch(mails[0]!.ref, 10_000_000, never), isCode('mailbox-timeout', 'transient'));
    proxy.set({});
    const other = await open(proxy, name);
    const fetched = await other.fetch(mails[0]!.ref, 10_000_000, never);
    assert.ok(fetched.kind === 'mail' && !fetched.truncated);
    await other.close();
    await proxy.close();
  });

  test('a server that drips has the whole of its deadline and no more', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const mails = await listed(name, [text('big', 'x'.repeat(70).concat('\r\n').repeat(8000))]);
    const session = await open(proxy, name, { limits: { answerMs: 20_000, totalMs: 700 } });
    proxy.set({ bytesPerSecond: 20_000 }, 'down');
    const from = performance.now();
    await assert.rejects(session.fetch(mails[0]!.ref, 10_000_000, never), isCode('mailbox-timeout'));
    assert.ok(performance.now() - from < 5000);
    await proxy.close();
  });

  test('called off in mid-answer: the connection ends, and the caller is told at once', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const session = await open(proxy, name);
    const begin = await session.begin(never);
    proxy.set({ blackHole: true }, 'down');
    const from = performance.now();
    await assert.rejects(
      session.live({ cursor: begin, since: 0, max: 10 }, AbortSignal.timeout(100)),
      isCode('mailbox-called-off', 'cancelled'),
    );
    assert.ok(performance.now() - from < 3000);
    assert.equal(session.closed.aborted, true);
    await proxy.close();
  });

  // --- Restarts, numbers, folders -----------------------------------------------------------------------------------------

  test('the server is restarted: sessions end, and others go on with nothing skipped', async () => {
    const own = await startDovecot();
    try {
      const session = await open(own, 'user1');
      const begin = await session.begin(never);
      await own.deliver('user1', text(1));
      const first = await all(session, begin);
      const listening = assert.rejects(
        session.listen!(() => {}, never),
        (error: TripwatchError) => error.kind === 'transient',
      );
      await own.deliver('user1', text(2));
      await own.pause();
      await listening;
      assert.equal(session.closed.aborted, true);
      await assert.rejects(open(own, 'user1'), isCode('mailbox-unreachable', 'transient'));
      await own.restart();
      await own.deliver('user1', text(3));
      const other = await open(own, 'user1');
      const rest = await all(other, first.cursor);
      assert.deepEqual([...first.subjects, ...rest.subjects], ['1', '2', '3']);
      assert.deepEqual(rest.resets, []);
      await other.close();
    } finally {
      await own.stop();
    }
  });

  test('a mail that is expunged while it is being fetched has vanished, and the session goes on', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const session = await open(proxy, name);
    const begin = await session.begin(never);
    // More than two pieces.
    const long = 'x'.repeat(98).concat('\r\n').repeat(30_000);
    await append(server, name, [text('long', long), text('other')]);
    const { mails } = await all(session, begin);
    const passed = proxy.passed.down;
    proxy.set({ bytesPerSecond: 1_500_000 }, 'down');
    const fetching = session.fetch(mails[0]!.ref, 10_000_000, never);
    await until(() => proxy.passed.down - passed > 200_000);
    await beside(server, name, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageDelete({ header: { subject: 'long' } }, { uid: true });
    });
    assert.deepEqual(await fetching, { kind: 'vanished' });
    proxy.set({});
    assert.deepEqual(await session.fetch(mails[0]!.ref, 1000, never), { kind: 'vanished' });
    assert.equal((await session.fetch(mails[1]!.ref, 1000, never)).kind, 'mail');
    await session.close();
    await proxy.close();
  });

  test('UIDVALIDITY changes: said once, and what came since the given day is listed anew', async () => {
    const name = user();
    const now = Date.now();
    await append(server, name, [text('ancient')], { receivedAt: now - 90 * 86_400_000 });
    await append(server, name, [text('recent')], { receivedAt: now - 3_600_000 });
    const session = await open(server, name, { folders: ['INBOX'] });
    const begin = await session.begin(never);
    await append(server, name, [text('new')]);
    const first = await all(session, begin);
    assert.deepEqual(first.subjects, ['new']);
    await session.close();
    await server.doveadm('mailbox', 'update', '-u', name, '--uid-validity', '4000000000', 'INBOX');
    const other = await open(server, name, { folders: ['INBOX'] });
    const anew = await all(other, first.cursor, { since: now - 86_400_000, max: 1 });
    assert.deepEqual(anew.resets, ['uidvalidity-changed']);
    assert.deepEqual(anew.subjects, ['recent', 'new']);
    assert.deepEqual(await other.fetch(first.mails[0]!.ref, 1000, never), { kind: 'vanished' });
    await append(server, name, [text('later')]);
    const later = await all(other, anew.cursor, { since: now - 86_400_000 });
    assert.deepEqual([later.subjects, later.resets], [['later'], []]);
    await other.close();
  });

  test('numbers are given a second time under the same UIDVALIDITY: noticed, and a number leads to no other mail', async () => {
    const name = user();
    const old = Date.now() - 3_600_000;
    await append(
      server,
      name,
      [1, 2, 3, 4].map((number) => text(number)),
      { receivedAt: old },
    );
    const session = await open(server, name, { folders: ['INBOX'] });
    const { mails } = await session.backfill({ since: 0, max: 10 }, never);
    const cursor = await session.begin(never);
    await session.close();
    const validity = mails[0]!.ref.split(';')[1]!;
    await beside(server, name, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageDelete('1:3');
    });
    await append(server, name, [text('x'), text('y')]);
    server.renumber(name);
    await server.doveadm('mailbox', 'update', '-u', name, '--uid-validity', validity, 'INBOX');
    const other = await open(server, name, { folders: ['INBOX'] });
    const after = await all(other, cursor);
    assert.deepEqual(after.resets, ['uids-reused']);
    assert.deepEqual(new Set(after.subjects), new Set(['4', 'x', 'y']));
    for (const { ref, head } of mails) {
      const fetched = await other.fetch(ref, 10_000, never);
      if (fetched.kind === 'mail')
        assert.deepEqual(Buffer.from(fetched.bytes.subarray(0, head.length)), Buffer.from(head));
    }
    await other.close();
  });

  test('folders have roles; junk, trash and drafts are not watched unless chosen; others are found by looking', async () => {
    const name = user();
    await beside(server, name, async (client) => {
      await client.mailboxCreate('Reisen/Süd;1');
    });
    const session = await open(server, name, { limits: { othersMs: 0 } });
    const folders = await session.folders(never);
    const roles = Object.fromEntries(folders.map((folder) => [folder.name, folder.role]));
    assert.deepEqual(
      [roles.INBOX, roles.Junk, roles.Trash, roles.Drafts, roles.Sent],
      ['inbox', 'junk', 'trash', 'drafts', 'sent'],
    );
    const begin = await session.begin(never);
    for (const folder of ['Junk', 'Trash', 'Drafts', 'Reisen/Süd;1'])
      await append(server, name, [text(folder === 'Reisen/Süd;1' ? 'south' : folder)], { folder });
    await append(server, name, [text('in')]);
    const seen = await all(session, begin);
    assert.deepEqual(seen.subjects, ['in', 'south']);
    const [, south] = seen.mails;
    assert.equal(south!.folder, 'Reisen/Süd;1');
    assert.equal((await session.fetch(south!.ref, 10_000, never)).kind, 'mail');
    // A folder that comes later has everything since then; one that goes takes nothing with it.
    await beside(server, name, async (client) => {
      await client.mailboxCreate('Neu');
      await client.append('Neu', text('fresh'));
      await client.mailboxDelete('Reisen/Süd;1');
    });
    await append(server, name, [text('in-2')]);
    const rest = await all(session, seen.cursor);
    assert.deepEqual([rest.subjects, rest.resets], [['in-2', 'fresh'], []]);
    assert.deepEqual(await session.fetch(south!.ref, 10_000, never), { kind: 'vanished' });
    const again = await all(session, rest.cursor);
    assert.deepEqual(again.subjects, []);
    await session.close();
    const chosen = await open(server, name, { folders: ['Junk', 'Gone'], limits: { othersMs: 0 } });
    assert.deepEqual(subjects(await chosen.backfill({ since: 0, max: 10 }, never)), ['Junk']);
    await chosen.close();
    await assert.rejects(
      async () => {
        const none = await open(server, name, { folders: ['Gone'] });
        await none.begin(never);
      },
      isCode('mailbox-folder-missing', 'permanent'),
    );
  });

  test('backfill goes through all watched folders, the newest of each first, and tells how many are left', async () => {
    const name = user();
    await beside(server, name, async (client) => {
      await client.mailboxCreate('Archiv');
    });
    await append(
      server,
      name,
      [1, 2, 3, 4, 5].map((number) => text(number)),
    );
    await append(
      server,
      name,
      [6, 7, 8].map((number) => text(number)),
      { folder: 'Archiv' },
    );
    let session = await open(server, name);
    const seen: string[] = [];
    const left: (number | undefined)[] = [];
    let cursor: string | undefined;
    for (let more = true; more; ) {
      const page = await session.backfill({ since: 0, max: 2, ...(cursor === undefined ? {} : { cursor }) }, never);
      seen.push(...subjects(page));
      left.push(page.left);
      ({ cursor, more } = page);
      // Every page in a session of its own.
      await session.close();
      session = await open(server, name);
    }
    assert.deepEqual(seen, ['5', '4', '3', '2', '1', '8', '7', '6']);
    assert.deepEqual(
      left.filter((one) => one !== undefined && one > 0),
      [6, 4, 3, 1],
    );
    await session.close();
  });

  test('the head is as the mail has it, byte for byte, and the parts are told without being fetched', async () => {
    const name = user();
    const head =
      'Received: from a\r\n\tby b; Mon, 1 Jun 2026 10:00:00 +0000\r\nX-Raw: gr\u00fc\u00dfe\r\nSubject: =?utf-8?q?F=C3=BC?=\r\n' +
      'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n';
    const body =
      '--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n' +
      '--b\r\nContent-Type: application/pdf; name="ticket.pdf"\r\nContent-Disposition: attachment; filename="ticket.pdf"\r\n' +
      `Content-Transfer-Encoding: base64\r\n\r\n${'QUJD'.repeat(500)}\r\n--b--\r\n`;
    const raw = Buffer.from(head + body, 'latin1');
    const session = await open(server, name);
    const begin = await session.begin(never);
    await append(server, name, [raw]);
    const [mail] = (await all(session, begin)).mails;
    assert.deepEqual(Buffer.from(mail!.head), Buffer.from(head, 'latin1'));
    assert.equal(mail!.size, raw.byteLength);
    assert.deepEqual(
      mail!.parts?.map(({ type, name: file }) => [type, file]),
      [
        ['text/plain', undefined],
        ['text/calendar', undefined],
        ['application/pdf', 'ticket.pdf'],
      ],
    );
    const fetched = await session.fetch(mail!.ref, raw.byteLength, never);
    assert.ok(fetched.kind === 'mail' && !fetched.truncated);
    assert.deepEqual(Buffer.from(fetched.bytes), raw);
    const cut = await session.fetch(mail!.ref, raw.byteLength - 1, never);
    assert.ok(cut.kind === 'mail' && cut.truncated && cut.bytes.byteLength === raw.byteLength - 1);
    await session.close();
  });

  // --- Signing in ---------------------------------------------------------------------------------------------------------

  test('a refused login is tried once, and says what to do', async () => {
    const proxy = await startTcpProxy({ target: { port: server.port } });
    const name = user();
    const wrong = account(name, { port: proxy.port }, { kind: 'password', user: name, password: 'wrong' });
    await assert.rejects(connector().open(wrong, never), isCode('password-refused', 'unauthorised'));
    assert.equal(proxy.taken, 1);
    assert.equal(wrong.asked, 1);
    await proxy.close();
  });

  test('the 16th connection is refused with a time to come again; the others go on, and one that ends makes room', async () => {
    const name = user();
    const sessions = await Promise.all(Array.from({ length: 15 }, () => open(server, name, { folders: ['INBOX'] })));
    await assert.rejects(open(server, name), (error: TripwatchError) => {
      isCode('mailbox-limited', 'rate-limited')(error);
      assert.ok((error.retryAt ?? 0) > Date.now() + 60_000);
      return true;
    });
    await Promise.all(sessions.map((session) => session.begin(never)));
    await sessions.pop()!.close();
    let next: Awaited<ReturnType<typeof open>> | undefined;
    // The server counts a session for a moment longer.
    for (let tries = 0; next === undefined && tries < 50; tries++) {
      next = await open(server, name).catch(async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return undefined;
      });
    }
    assert.notEqual(next, undefined);
    await Promise.all([...sessions, next!].map((session) => session.close()));
  });
});
