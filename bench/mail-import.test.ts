import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { makeMail, writeMbox } from './mail-import/mails.ts';
import { benchImport } from './mail-import.ts';

test('the made mails are well-formed, mixed as promised, and equal for equal seeds', async () => {
  const mails = Array.from({ length: 300 }, (_, index) => makeMail(7, index));
  assert.deepEqual(mails[42], makeMail(7, 42));
  assert.notDeepEqual(mails[42], makeMail(8, 42));
  const travel = mails.filter((mail) => ['json-ld', 'microdata', 'ics'].includes(mail.kind)).length;
  assert.ok(travel > 36 && travel < 90, `${travel} of 300 are travel`);
  for (const kind of ['json-ld', 'microdata', 'ics', 'newsletter', 'order', 'note', 'meeting']) {
    const mail = mails.find((one) => one.kind === kind);
    const parsed = await PostalMime.parse(mail?.bytes ?? '');
    assert.match(parsed.subject ?? '', /✈/);
    if (kind === 'json-ld') assert.match(parsed.html ?? '', /"@type":"FlightReservation"/);
    if (kind === 'microdata') assert.match(parsed.html ?? '', /LodgingReservation/);
    if (kind === 'ics') assert.equal(parsed.attachments[0]?.mimeType, 'text/calendar');
    if (kind !== 'note') assert.ok((parsed.html?.length ?? 0) > 4000);
  }
});

test('in small: the import bench runs, finds the travel, and gives one state however often it runs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tripwatch-bench-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const mbox = join(folder, 'mails.mbox');
  const { kinds } = await writeMbox(mbox, 3, 60);
  const travel = (kinds['json-ld'] ?? 0) + (kinds.microdata ?? 0) + (kinds.ics ?? 0);
  const first = await benchImport(join(folder, 'a'), mbox);
  const second = await benchImport(join(folder, 'b'), mbox);
  assert.equal(first.mails, 60);
  assert.deepEqual(first.dispositions, { imported: travel, 'nothing-found': 60 - travel });
  assert.ok(first.reservations > 0 && first.reservations <= travel);
  assert.equal(first.stateAgain, first.state);
  assert.equal(second.state, first.state);
});
