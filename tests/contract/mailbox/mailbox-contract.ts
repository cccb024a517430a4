import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { TripwatchError } from '../../../src/domain/errors.ts';
import { readHead } from '../../../src/domain/mail/head.ts';
import { HEAD_BYTES_MAX, type MailboxSession } from '../../../src/ports/mailbox.ts';
import { backfillOf, idOf, liveOf, type MailboxRig, mail, mails, nameOf, names, never, numbers, once } from './rig.ts';

const isKind = (kind: string) => (error: unknown) => {
  assert.ok(error instanceof TripwatchError, `a TripwatchError, not ${String(error)}`);
  assert.equal(error.kind, kind, error.message);
  return true;
};
const isTransient = isKind('transient');
const MINUTE = 60_000;
const DAY = 86_400_000;

/** What every connector owes, whatever it speaks. `skip`: why the server is not there, where it is not. */
export function mailboxContract(name: string, open: () => Promise<MailboxRig>, skip?: string): void {
  describe(`mailbox contract: ${name}`, { skip: skip ?? false }, () => {
    const contract = (title: string, body: (rig: MailboxRig, t: TestContext) => Promise<void>) =>
      test(title, async (t) => {
        const rig = await open();
        try {
          await body(rig, t);
        } finally {
          await rig.dispose();
        }
      });
    /** With a session that is closed in the end. */
    const inSession = (
      title: string,
      body: (rig: MailboxRig, session: MailboxSession, t: TestContext) => Promise<void>,
    ) =>
      contract(title, async (rig, t) => {
        const session = await rig.connector.open(rig.account, never);
        try {
          await body(rig, session, t);
        } finally {
          await session.close();
        }
      });
    const can = (what: unknown, t: TestContext): boolean => {
      if (what === undefined) t.skip('cannot happen with this kind of mailbox');
      return what !== undefined;
    };

    // --- What came ------------------------------------------------------------------------------------------------------

    inSession(
      'what is there before the beginning is not live; what comes after it is, in its order',
      async (rig, session) => {
        await rig.deliver(mails(1, 3));
        const begin = await session.begin(never);
        assert.deepEqual((await liveOf(session, begin)).names, []);
        await rig.deliver(mails(4, 9));
        assert.deepEqual(once((await liveOf(session, begin)).names), numbers(4, 9));
      },
    );

    inSession('an empty mailbox begins too', async (rig, session) => {
      const begin = await session.begin(never);
      assert.deepEqual((await backfillOf(session)).names, []);
      await rig.deliver([mail(1)]);
      assert.deepEqual(once((await liveOf(session, begin)).names), ['1']);
    });

    inSession('pages hold no more than asked for, and together everything', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 23));
      const { pages, names: all, cursor } = await liveOf(session, begin, 5);
      for (const page of pages) assert.ok(page.mails.length <= 5, `${page.mails.length} mails`);
      assert.deepEqual(once(all), numbers(1, 23));
      assert.equal(
        pages.some((page) => page.reset !== undefined),
        false,
      );
      const again = await session.live({ cursor, since: 0, max: 5 }, never);
      assert.equal(again.more, false);
    });

    inSession('a cursor holds over sessions, each of them, and passes no mail', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 12));
      // Each cursor, with what the pages up to it held, misses none.
      const other = await rig.connector.open(rig.account, never);
      let before: string[] = [];
      let at = begin;
      for (let more = true; more; ) {
        const page = await other.live({ cursor: at, since: 0, max: 5 }, never);
        before = [...before, ...names(page)];
        const rest = (await liveOf(other, page.cursor, 100)).names;
        assert.deepEqual(new Set([...before, ...rest]), new Set(numbers(1, 12)));
        ({ cursor: at, more } = page);
      }
      await other.close();
    });

    inSession('mails that come between two pages are not skipped', async (rig, session) => {
      let cursor = await session.begin(never);
      await rig.deliver(mails(1, 8));
      const seen: string[] = [];
      for (let more = true, next = 9; more; next++) {
        const page = await session.live({ cursor, since: 0, max: 3 }, never);
        seen.push(...names(page));
        ({ cursor, more } = page);
        if (next <= 12) {
          await rig.deliver([mail(next)]);
          more = true;
        }
      }
      seen.push(...(await liveOf(session, cursor)).names);
      assert.deepEqual(once(seen), numbers(1, 12));
    });

    inSession('mails that go between two pages take no other with them', async (rig, session) => {
      const cursor = await session.begin(never);
      await rig.deliver(mails(1, 10));
      const first = await session.live({ cursor, since: 0, max: 4 }, never);
      for (const gone of [1, 2, 6]) await rig.remove(idOf(gone));
      const seen = [...names(first), ...(await liveOf(session, first.cursor, 4)).names];
      for (const stays of [3, 4, 5, 7, 8, 9, 10].map(String)) assert.ok(seen.includes(stays), `mail ${stays}`);
    });

    inSession('two mails of one time and one Message-ID are two', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver([mail('twin', { head: 'X-Twin: 1\r\n' }), mail('twin', { head: 'X-Twin: 2\r\n' })]);
      const { pages } = await liveOf(session, begin);
      const refs = new Set(pages.flatMap((page) => page.mails.map(({ ref }) => ref)));
      assert.equal(refs.size, 2);
    });

    inSession('a listed mail says what it is', async (rig, session) => {
      const begin = await session.begin(never);
      const from = Date.now();
      const sent = mail('Größe', { head: 'X-Long: a\r\n b\r\n', body: `${'x'.repeat(5000)}\r\n` });
      await rig.deliver([sent]);
      const { pages } = await liveOf(session, begin);
      const listed = pages.flatMap((page) => page.mails)[0]!;
      const head = readHead(listed.head);
      assert.equal(head.fromAddress, 'sender@contract.example');
      assert.equal(head.subject, 'Mail Größe');
      assert.equal(head.date, Date.UTC(2026, 5, 1, 10));
      assert.match(Buffer.from(listed.head).toString('latin1'), /\r?\n\r?\n$/, 'ends with the empty line');
      assert.ok(listed.head.byteLength < 4000, 'only the header block');
      assert.ok(Math.abs(listed.receivedAt - from) < 10 * MINUTE, `received at ${listed.receivedAt}`);
      if (rig.keepsBytes === false) assert.ok(listed.size > 4500, `size ${listed.size}`);
      else assert.equal(listed.size, sent.byteLength);
      assert.notEqual(listed.folder, '');
      assert.notEqual(listed.ref, '');
    });

    inSession('the head of a mail is the same whenever and by whatever way it is listed', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver([mail(1), mail(2, { head: 'Subject-Not: x\r\n' })]);
      const live = (await liveOf(session, begin)).pages.flatMap((page) => page.mails);
      const other = await rig.connector.open(rig.account, never);
      const back = (await backfillOf(other)).pages.flatMap((page) => page.mails);
      await other.close();
      for (const one of live) {
        const same = back.find((listed) => nameOf(listed) === nameOf(one));
        assert.deepEqual(Buffer.from(same!.head), Buffer.from(one.head));
      }
    });

    inSession('odd mails are listed like others', async (rig, session) => {
      const begin = await session.begin(never);
      const odd = [
        mail('odd-a', { head: `X-Many: ${'y'.repeat(60)}\r\n`.repeat(400) }),
        mail(
          'odd-b',
          rig.strictHeads === true ? {} : { head: 'Not a header at all\r\nX-\u00fc: raw \u00e9\r\n', body: '' },
        ),
        mail('odd-c', { body: 'A'.repeat(200_000) }),
      ];
      await rig.deliver([...odd, mail('plain')]);
      const { names: all } = await liveOf(session, begin);
      for (const each of ['odd-a', 'odd-c', 'plain']) assert.ok(all.includes(each), each);
      assert.equal(once(all).length, 4);
    });

    inSession('a head beyond all measure is cut', async (rig, session, t) => {
      if (rig.smallHeads === true) return t.skip('the server takes none');
      const begin = await session.begin(never);
      await rig.deliver([mail('huge', { head: `X-Fill: ${'z'.repeat(900)}\r\n`.repeat(400) }), mail('after')]);
      const listed = (await liveOf(session, begin)).pages.flatMap((page) => page.mails);
      assert.deepEqual(once(listed.map(nameOf)), ['huge', 'after']);
      for (const { head } of listed) assert.ok(head.byteLength <= HEAD_BYTES_MAX, `${head.byteLength} bytes`);
    });

    inSession('what was received before `since` is none of ours', async (rig, session) => {
      const now = Date.now();
      await rig.deliver([mail('old')], now - 40 * DAY);
      await rig.deliver([mail('young')], now - 3 * DAY);
      assert.deepEqual((await backfillOf(session, 10, now - 10 * DAY)).names, ['young']);
    });

    // --- A cursor that holds no longer ----------------------------------------------------------------------------------

    inSession('a reset says so, and gives everything since then anew', async (rig, session, t) => {
      if (!can(rig.loseHistory, t)) return;
      const now = Date.now();
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 1), now - 40 * DAY);
      await rig.deliver(mails(2, 9), now - 2 * DAY);
      const { cursor } = await liveOf(session, begin);
      await rig.deliver(mails(10, 12));
      await rig.loseHistory!();
      const other = await rig.connector.open(rig.account, never);
      const after = await liveOf(other, cursor, 4, now - 10 * DAY);
      assert.notEqual(after.pages[0]!.reset, undefined, 'the first page tells');
      for (const page of after.pages) assert.ok(page.mails.length <= 4);
      assert.deepEqual(new Set(after.names), new Set(numbers(2, 12)));
      await rig.deliver([mail(13)]);
      const later = await liveOf(other, after.cursor, 4, now - 10 * DAY);
      assert.equal(later.pages[0]!.reset, undefined, 'only once');
      assert.ok(later.names.includes('13'));
      await other.close();
    });

    inSession('a reset may be broken off and gone on with', async (rig, session, t) => {
      if (!can(rig.loseHistory, t)) return;
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 10));
      const { cursor } = await liveOf(session, begin);
      await rig.loseHistory!();
      const second = await rig.connector.open(rig.account, never);
      const first = await second.live({ cursor, since: 0, max: 3 }, never);
      await second.close();
      await rig.deliver([mail(11)]);
      const third = await rig.connector.open(rig.account, never);
      const rest = await liveOf(third, first.cursor, 3);
      await third.close();
      assert.deepEqual(new Set([...names(first), ...rest.names]), new Set(numbers(1, 11)));
    });

    inSession('a reference of before a reset leads to the same mail or to none', async (rig, session, t) => {
      if (!can(rig.loseHistory, t)) return;
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 5));
      const listed = (await liveOf(session, begin)).pages.flatMap((page) => page.mails);
      await rig.remove(idOf(1));
      await rig.loseHistory!();
      const other = await rig.connector.open(rig.account, never);
      for (const one of listed) {
        const fetched = await other.fetch(one.ref, 100_000, never);
        if (fetched.kind === 'mail')
          assert.equal(readHead(fetched.bytes).messageId, idOf(nameOf(one)), 'not another mail under its number');
      }
      await other.close();
    });

    // --- What was there before ------------------------------------------------------------------------------------------

    inSession('what was there comes newest first, page by page', async (rig, session) => {
      await rig.deliver(mails(1, 11));
      const { pages, names: all } = await backfillOf(session, 4);
      for (const page of pages) assert.ok(page.mails.length <= 4);
      assert.deepEqual(once(all), numbers(1, 11).reverse());
      const left = pages.map((page) => page.left);
      if (left.every((one) => one !== undefined)) assert.ok(left[0]! >= left.at(-1)!, `left: ${left}`);
    });

    inSession('mails that come and go meanwhile do not disturb that', async (rig, session) => {
      await rig.deliver(mails(1, 10));
      const first = await session.backfill({ since: 0, max: 3 }, never);
      await rig.deliver(mails(11, 13));
      await rig.remove(idOf(9));
      const rest = await backfillOf(session, 3, 0, first.cursor);
      const seen = new Set([...names(first), ...rest.names]);
      for (const stays of numbers(1, 8)) assert.ok(seen.has(stays), `mail ${stays}`);
    });

    inSession('its cursor holds over sessions', async (rig, session) => {
      await rig.deliver(mails(1, 7));
      const first = await session.backfill({ since: 0, max: 3 }, never);
      const other = await rig.connector.open(rig.account, never);
      const rest = await backfillOf(other, 3, 0, first.cursor);
      await other.close();
      assert.deepEqual(new Set([...names(first), ...rest.names]), new Set(numbers(1, 7)));
    });

    // --- Whole mails ----------------------------------------------------------------------------------------------------

    inSession('fetches the whole mail, also from another session', async (rig, session) => {
      const begin = await session.begin(never);
      const sent = [mail(1), mail('eight-bit', { body: 'Grüße, Zoë ✈\r\n.\r\n..dots\r\n' })];
      await rig.deliver(sent);
      const other = await rig.connector.open(rig.account, never);
      for (const [index, listed] of (await liveOf(session, begin)).pages.flatMap((page) => page.mails).entries()) {
        const fetched = await other.fetch(listed.ref, 1_000_000, never);
        assert.ok(fetched.kind === 'mail');
        assert.equal(fetched.truncated, false);
        if (rig.keepsBytes === false) assert.equal(readHead(fetched.bytes).messageId, readHead(listed.head).messageId);
        else assert.deepEqual(Buffer.from(fetched.bytes).toString(), Buffer.from(sent[index]!).toString());
      }
      await other.close();
    });

    inSession('reads no more than it may', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver([mail('long', { body: `${'0123456789'.repeat(7)}\r\n`.repeat(3000) }), mail('short')]);
      const [long, short] = (await liveOf(session, begin)).pages.flatMap((page) => page.mails);
      const fetched = await session.fetch(long!.ref, 50_000, never);
      assert.ok(fetched.kind === 'mail');
      assert.equal(fetched.truncated, true);
      assert.ok(fetched.bytes.byteLength <= 50_000, `${fetched.bytes.byteLength} bytes`);
      assert.ok(fetched.bytes.byteLength > 1000, 'what was read is there');
      assert.equal(readHead(fetched.bytes).messageId, idOf('long'));
      const next = await session.fetch(short!.ref, 50_000, never);
      assert.ok(next.kind === 'mail' && !next.truncated, 'the session goes on');
      const whole = await session.fetch(long!.ref, 10_000_000, never);
      assert.ok(whole.kind === 'mail' && !whole.truncated);
    });

    inSession('a mail that is gone is no error', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 3));
      const listed = (await liveOf(session, begin)).pages.flatMap((page) => page.mails);
      await rig.remove(idOf(2));
      assert.deepEqual(await session.fetch(listed[1]!.ref, 10_000, never), { kind: 'vanished' });
      assert.equal((await session.fetch(listed[2]!.ref, 10_000, never)).kind, 'mail');
    });

    inSession('many fetches at once each get their own', async (rig, session) => {
      const begin = await session.begin(never);
      await rig.deliver(mails(1, 12));
      const listed = (await liveOf(session, begin, 100)).pages.flatMap((page) => page.mails);
      const fetched = await Promise.all(listed.map((one) => session.fetch(one.ref, 100_000, never)));
      fetched.forEach((one, index) => {
        assert.ok(one.kind === 'mail');
        assert.equal(readHead(one.bytes).messageId, idOf(nameOf(listed[index]!)));
      });
    });

    inSession('reading leaves no trace: nothing is marked, moved or removed', async (rig, session) => {
      await rig.deliver(mails(1, 3));
      const all = (await backfillOf(session)).pages.flatMap((page) => page.mails);
      for (const one of all) await session.fetch(one.ref, 10_000, never);
      const other = await rig.connector.open(rig.account, never);
      assert.deepEqual(new Set((await backfillOf(other)).names), new Set(numbers(1, 3)));
      await other.close();
    });

    // --- Being told -----------------------------------------------------------------------------------------------------

    inSession('who listens is woken, also after having looked meanwhile', async (rig, session, t) => {
      if (rig.connector.capabilities.push !== 'live') return t.skip('nobody can listen');
      if (rig.tellsNothing === true) {
        await assert.rejects(
          session.listen!(() => {}, never),
          isKind('permanent'),
        );
        return;
      }
      const begin = await session.begin(never);
      const stop = new AbortController();
      let woken = 0;
      let wakes: () => void = () => {};
      const listening = session.listen!(() => {
        woken++;
        wakes();
      }, stop.signal);
      const wake = async (): Promise<void> => {
        const before = woken;
        let waited: ReturnType<typeof setTimeout> | undefined;
        const next = new Promise<void>((resolve, reject) => {
          wakes = resolve;
          waited = setTimeout(() => reject(new Error('not woken in time')), rig.wakeMsMax ?? 5000);
        });
        if (woken === before) await next;
        clearTimeout(waited);
      };
      let cursor = begin;
      for (const number of [1, 2, 3]) {
        // Wakes of before may still be under way; what counts is that there is one after the mail.
        await delay(50);
        const told = wake();
        await rig.deliver([mail(number)]);
        await told;
        let seen: string[] = [];
        const until = Date.now() + (rig.wakeMsMax ?? 5000);
        while (!seen.includes(String(number)) && Date.now() < until) {
          const page = await liveOf(session, cursor);
          seen = [...seen, ...page.names];
          cursor = page.cursor;
        }
        assert.ok(seen.includes(String(number)), `mail ${number}`);
      }
      stop.abort();
      await listening.catch((error: unknown) => assert.notEqual((error as TripwatchError).kind, 'permanent'));
    });

    inSession('who listens hears of the end of the connection', async (rig, session, t) => {
      if (rig.connector.capabilities.push !== 'live') return t.skip('nobody can listen');
      if (!can(rig.drop, t)) return;
      const listening = assert.rejects(
        session.listen!(() => {}, never),
        isTransient,
      );
      await delay(50);
      await rig.drop!();
      await listening;
    });

    // --- Sessions -------------------------------------------------------------------------------------------------------

    inSession('a connection that ends is told, and another session goes on', async (rig, session, t) => {
      if (!can(rig.drop, t)) return;
      const cursor = await session.begin(never);
      const ended = new Promise<void>((resolve) => session.closed.addEventListener('abort', () => resolve()));
      await rig.drop!();
      await assert.rejects(
        (async () => {
          // The first question after it may still find out by itself.
          await session.live({ cursor, since: 0, max: 5 }, never);
          await ended;
          await session.live({ cursor, since: 0, max: 5 }, never);
        })(),
        isTransient,
      );
      await ended;
      await rig.back?.();
      const other = await rig.connector.open(rig.account, never);
      await rig.deliver([mail(1)]);
      assert.deepEqual(once((await liveOf(other, cursor)).names), ['1']);
      await other.close();
    });

    contract('refused credentials are offered no second time', async (rig) => {
      const asked: boolean[] = [];
      const account = {
        ...rig.account,
        credentials: async (_: AbortSignal, refused?: unknown) => {
          asked.push(refused !== undefined);
          if (refused !== undefined) throw new TripwatchError('unauthorised', 'consent-needed', 'No others.');
          return rig.badCredentials;
        },
      };
      await assert.rejects(rig.connector.open(account, never), isKind('unauthorised'));
      const refusedAt = asked.indexOf(true);
      assert.ok(refusedAt < 0 || refusedAt === asked.length - 1, `asked ${asked} (true: after a refusal)`);
    });

    contract('a token that has just been refused is changed for another', async (rig, t) => {
      if (rig.badCredentials.kind !== 'token') return t.skip('signs in with a password');
      const account: MailboxRig['account'] = {
        ...rig.account,
        credentials: async (signal, refused) =>
          refused === undefined ? rig.badCredentials : rig.account.credentials(signal),
      };
      const session = await rig.connector.open(account, never);
      await session.begin(never);
      await session.close();
    });

    contract('whoever gave up waiting gets no session', async (rig) => {
      const given = AbortSignal.abort(new Error('given up'));
      await assert.rejects(async () => await rig.connector.open(rig.account, given));
    });

    inSession('knows its inbox', async (_, session) => {
      const folders = await session.folders(never);
      assert.ok(
        folders.some(({ role }) => role === 'inbox' || role === 'all'),
        JSON.stringify(folders),
      );
    });

    contract('closing is heard, may be repeated and never throws', async (rig) => {
      const session = await rig.connector.open(rig.account, never);
      const cursor = await session.begin(never);
      await session.close();
      assert.equal(session.closed.aborted, true);
      await session.close();
      await assert.rejects(async () => await session.live({ cursor, since: 0, max: 5 }, never), isTransient);
    });
  });
}
