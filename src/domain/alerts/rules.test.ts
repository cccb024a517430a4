import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALERT_KINDS } from './alert.ts';
import { clockAt, phrase, phrasingOf } from './phrase.ts';
import { DEFAULT_RULES, faultsOfRules, faultsOfSettings, rulesFor } from './rules.ts';
import { en } from './words/en.ts';
import { LANGUAGES, languageOf } from './words/languages.ts';

test('the rules are sound, and what a traveller sets is laid over them', () => {
  assert.deepEqual(faultsOfRules(DEFAULT_RULES), []);
  const rules = rulesFor({ delay: { minutes: 30 }, gate: { on: false } });
  assert.deepEqual(rules.delay, { on: true, minutes: 30, stepMinutes: 15 });
  assert.deepEqual([rules.gate.on, rules.belt.on], [false, true]);
  assert.deepEqual(Object.keys(rules).sort(), [...ALERT_KINDS].sort());
});

test('what cannot be set is named', () => {
  const faults = faultsOfSettings({
    delay: { minutes: 0 },
    cancellation: { minutes: 5 },
    weather: { on: true },
  } as never);
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['delay.minutes', 'cancellation.minutes', 'weather'],
  );
  assert.notDeepEqual(faultsOfRules({ ...DEFAULT_RULES, delay: { on: true, minutes: -1 } }), []);
});

test('each language has each sentence, with the same braces', () => {
  const braces = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  assert.deepEqual(Object.keys(LANGUAGES).sort(), ['de', 'en', 'es', 'fr', 'it', 'nl', 'pt']);
  for (const [name, words] of Object.entries(LANGUAGES)) {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(en).sort(), name);
    for (const [key, text] of Object.entries(words)) {
      assert.deepEqual(braces(text), braces(en[key as keyof typeof en]), `${name} ${key}`);
      assert.ok(text.trim() === text && text !== '', `${name} ${key}`);
    }
  }
});

test('a zone that there is not breaks nothing', () => {
  assert.equal(clockAt(phrasingOf('en'), 0, 'Middle/Earth'), '00:00');
});

test('a locale chooses the language and how times are written; what is not known is English', () => {
  assert.equal(languageOf('xx').words, en);
  assert.deepEqual(
    [phrasingOf('en').locale, phrasingOf('en-US').locale, phrasingOf('not a locale').locale],
    ['en-GB', 'en-US', 'en-GB'],
  );
  assert.equal(phrase(phrasingOf('de-CH'), 'checkIn', { leg: 'LX 8' }), 'LX 8: Check-in ist offen.');
  assert.equal(phrase(phrasingOf('en'), 'cancelled', { leg: 'the flight' }), 'The flight is cancelled.');
});
