import assert from 'node:assert/strict';
import { test } from 'node:test';
import PostalMime from 'postal-mime';
import { makeDay } from '../scenario/day.ts';
import { indexOf } from '../scenario/state.ts';
import type { MailPlan } from '../scenario/types.ts';
import { composeMail } from './compose.ts';

const day = makeDay({ seed: 5, travellers: 120, flights: 60 });

async function open(plan: MailPlan) {
  const mail = await PostalMime.parse(composeMail(day, plan).raw);
  if (plan.attached === undefined) return mail;
  const inner = mail.attachments.find((one) => one.mimeType === 'message/rfc822');
  return inner === undefined ? mail : PostalMime.parse(inner.content as ArrayBuffer);
}

test('every planned mail is readable MIME with the booking in it, whatever its charset, encoding and wrapping', async () => {
  const seen = new Set<string>();
  for (const plan of day.mails) {
    const mail = await open(plan);
    seen.add(`${plan.charset} ${plan.encoding}`).add(plan.format).add(plan.purpose);
    assert.ok(mail.from?.address?.endsWith('.example'), plan.id);
    if (plan.purpose === 'promo') {
      assert.doesNotMatch(mail.html ?? '', /Reservation/);
      continue;
    }
    const booking = indexOf(day).booking(plan.booking!);
    assert.match(mail.subject ?? '', new RegExp(booking.reference));
    const html = mail.html ?? '';
    if (plan.format.includes('json-ld')) {
      const json = /<script type="application\/ld\+json">([\s\S]*?)<\/script>/.exec(html)?.[1];
      const text = JSON.stringify(JSON.parse(json ?? ''));
      assert.match(text, new RegExp(booking.reference));
      assert.ok(
        text.includes(`${booking.passengers[0]!.given} ${booking.passengers[0]!.family}`),
        `${plan.id}: ${plan.charset}`,
      );
    }
    if (plan.format === 'microdata') assert.match(html, /itemtype="http:\/\/schema\.org\/\w+Reservation"/);
    if (plan.format.includes('ics')) {
      const file = mail.attachments.find((one) => one.mimeType === 'text/calendar');
      const text = new TextDecoder().decode(file!.content as ArrayBuffer);
      assert.match(text.replace(/\r?\n /g, ''), new RegExp(`Booking reference: ${booking.reference}`));
      assert.ok(text.split(/\r?\n/).every((line) => Buffer.byteLength(line) <= 75));
    }
  }
  for (const purpose of ['confirmation', 'change', 'cancellation', 'bare-cancellation', 'lie', 'promo'])
    assert.ok(seen.has(purpose), purpose);
  for (const format of ['json-ld', 'microdata', 'ics', 'json-ld+ics']) assert.ok(seen.has(format), format);
  assert.ok(seen.has('windows-1252 quoted-printable') && seen.has('us-ascii base64'));
});

test('a repeated mail is the same bytes; a mail sent on again is not', () => {
  const again = day.mails.find((plan) => plan.sameAs !== undefined)!;
  const first = day.mails.find((plan) => plan.id === again.sameAs)!;
  assert.ok(composeMail(day, again).raw.equals(composeMail(day, first).raw));
  const all = day.mails
    .filter((plan) => plan.sameAs === undefined)
    .map((plan) => composeMail(day, plan).raw.toString('latin1'));
  assert.equal(new Set(all).size, all.length);
});

test('mail lines keep to what SMTP allows', () => {
  for (const plan of day.mails) {
    for (const line of composeMail(day, plan).raw.toString('latin1').split('\r\n'))
      assert.ok(line.length <= 998, plan.id);
  }
});
