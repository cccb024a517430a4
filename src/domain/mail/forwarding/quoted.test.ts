import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuotedMail } from './quoted.ts';

const OUTER = { ms: Date.UTC(2026, 11, 3, 9), offsetMinutes: 60 };
const SENT = '2026-12-01T09:03:00.000Z';

const FORMS: Readonly<Record<string, string>> = {
  gmail:
    'See you!\n\n---------- Forwarded message ---------\nFrom: Nordlicht Air <booking@nordlicht.example>\nDate: Tue, Dec 1, 2026 at 10:03 AM\nSubject: Your booking\nTo: <ada@home.example>\n\nHello',
  'gmail in French':
    '---------- Forwarded message ---------\nDe : Nordlicht Air <booking@nordlicht.example>\nDate: mar. 1 déc. 2026 à 10:03\nSubject: Votre voyage\nTo: <ada@home.example>\n',
  outlook:
    '________________________________\nFrom: Nordlicht Air <booking@nordlicht.example>\nSent: Tuesday, December 1, 2026 10:03 AM\nTo: Ada\nSubject: Your booking\n',
  'outlook in German':
    'Von: Nordlicht Air <booking@nordlicht.example>\nGesendet: Dienstag, 1. Dezember 2026 10:03\nAn: Ada\nBetreff: Ihre Buchung\n',
  'apple mail':
    'Begin forwarded message:\n\n> From: Nordlicht Air <booking@nordlicht.example>\n> Subject: Your booking\n> Date: 1 December 2026 at 10:03:00 CET\n> To: Ada <ada@home.example>\n',
  'in Spanish':
    '*De:* Nordlicht Air <booking@nordlicht.example>\n*Enviado:* martes, 1 de diciembre de 2026 10:03\n*Para:* Ada\n*Asunto:* Su reserva\n',
  'in Italian':
    'Da: Nordlicht Air <booking@nordlicht.example>\nData: 1 dicembre 2026 alle ore 10:03\nA: Ada\nOggetto: La sua prenotazione\n',
  html: '<div><b>From:</b> Nordlicht Air &lt;<a href="mailto:booking@nordlicht.example">booking@nordlicht.example</a>&gt;<br><b>Date:</b> 1 Dec 2026, 10:03 +0100<br><b>Subject:</b> Your booking<br></div>',
  'an HTML table':
    '<table><tr><td>From:</td><td>booking@nordlicht.example</td></tr><tr><td>Date:</td><td>1 Dec 2026 10:03</td></tr><tr><td>Subject:</td><td>Your booking</td></tr></table>',
};

for (const [name, text] of Object.entries(FORMS)) {
  test(`a quoted mail keeps its sender and date: ${name}`, () => {
    assert.deepEqual(readQuotedMail([text], OUTER), { from: 'booking@nordlicht.example', date: SENT });
  });
}

test('a journey, a signature and half a head are no quoted mail', () => {
  for (const text of [
    'From: Frankfurt\nTo: New York\nDate: 1 Dec 2026 10:03\nSubject: to change',
    'From: a@b.example\nHello',
    'From: a@b.example\n\nsome words between\nDate: 1 Dec 2026\nSubject: x',
    '',
    ':'.repeat(5000),
    'From:'.repeat(5000),
  ])
    assert.equal(readQuotedMail([text], OUTER), undefined, text.slice(0, 60));
});

test('a date that cannot be read is left out; one after the mail around it is not believed', () => {
  const of = (date: string) => readQuotedMail([`From: a@b.example\nDate: ${date}\nSubject: x\n`], OUTER);
  assert.deepEqual(of('1/2/2026 10:03'), { from: 'a@b.example' });
  assert.deepEqual(of('9 Dec 2026 10:03'), { from: 'a@b.example', date: '2026-12-03T09:00:00.000Z' });
});

test('hostile text is read in little time', () => {
  for (const unit of ['From: a@b.example\n', '<', '<br', '&lt;', '> ', 'From:\n', 'date: '.repeat(9)]) {
    const from = performance.now();
    readQuotedMail([unit.repeat(Math.floor(65_536 / unit.length))], OUTER);
    assert.ok(performance.now() - from < 2000, unit);
  }
});
