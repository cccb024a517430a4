import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkRulePattern, decideByRules, type MailRule } from './rules.ts';

let count = 0;
const rule = (text: string): MailRule => {
  const [action, field, ...pattern] = text.split(' ');
  return {
    id: `rul_${++count}`,
    action: action as MailRule['action'],
    field: field as MailRule['field'],
    pattern: pattern.join(' '),
  };
};
const head = (fromAddress: string, subject = 'Your booking') => ({ fromAddress, subject });
const decide = (rules: readonly string[], from: string, subject?: string) => {
  const decision = decideByRules(rules.map(rule), head(from, subject));
  return `${decision.read ? 'read' : 'skip'} ${decision.code}`;
};

test('which rule wins', () => {
  const cases: readonly (readonly [readonly string[], string, string | undefined, string])[] = [
    [[], 'a@x.example', undefined, 'read no-rule'],
    [['deny sender a@x.example'], 'A@X.example', undefined, 'skip rule-denied'],
    [['deny sender a@x.example'], 'b@x.example', undefined, 'read no-rule'],
    [['deny domain x.example'], 'b@mail.X.example', undefined, 'skip rule-denied'],
    [['deny domain x.example'], 'b@notx.example', undefined, 'read no-rule'],
    [['deny domain @x.example.'], 'b@x.example', undefined, 'skip rule-denied'],
    [['deny domain bücher.example'], 'b@xn--bcher-kva.example', undefined, 'skip rule-denied'],
    [['deny subject  SALE  now'], 'b@x.example', 'Big sale\tnow!', 'skip rule-denied'],
    [['deny subject .*'], 'b@x.example', 'anything', 'read no-rule'],
    // The most specific wins, whichever way it points.
    [['deny domain x.example', 'allow sender a@x.example'], 'a@x.example', undefined, 'read rule-allowed'],
    [['allow domain x.example', 'deny sender a@x.example'], 'a@x.example', undefined, 'skip rule-denied'],
    [['deny domain x.example', 'allow domain air.x.example'], 'a@air.x.example', undefined, 'read rule-allowed'],
    [['deny subject booking', 'allow domain x.example'], 'a@x.example', undefined, 'read rule-allowed'],
    // On a tie, deny wins, in either order.
    [['allow subject your', 'deny subject booking'], 'a@x.example', undefined, 'skip rule-denied'],
    [['deny subject booking', 'allow subject your'], 'a@x.example', undefined, 'skip rule-denied'],
    [['allow domain x.example', 'deny domain x.example'], 'a@x.example', undefined, 'skip rule-denied'],
    // An allowing rule makes a list of what may be read.
    [['allow domain x.example'], 'a@y.example', undefined, 'skip not-on-allow-list'],
    [['allow domain x.example', 'deny sender b@y.example'], 'a@y.example', undefined, 'skip not-on-allow-list'],
    [['allow domain x.example'], '', undefined, 'skip not-on-allow-list'],
    // Empty patterns match nothing; no sender is no sender.
    [['deny subject  '], 'a@x.example', undefined, 'read no-rule'],
    [['deny sender '], '', '', 'read no-rule'],
    [['deny domain '], 'x', '', 'read no-rule'],
  ];
  for (const [rules, from, subject, expected] of cases)
    assert.equal(decide(rules, from, subject), expected, `${rules.join(', ')} ${from}`);
});

test('the order of the rules does not matter', () => {
  const anyRule = fc
    .record({
      action: fc.constantFrom('allow', 'deny'),
      target: fc.constantFrom('sender a@x.example', 'domain x.example', 'domain example', 'subject a', 'subject b'),
    })
    .map(({ action, target }) => `${action} ${target}`);
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 6 }),
      fc.constantFrom('a@x.example', 'b@x.example', 'c@y.example', 'd@z'),
      fc.constantFrom('a', 'b', 'a b', 'c'),
      (rules, from, subject) => assert.equal(decide(rules, from, subject), decide([...rules].reverse(), from, subject)),
    ),
  );
});

test('patterns are checked when they are typed', () => {
  assert.deepEqual(checkRulePattern('sender', ' News@Shop.Example '), { pattern: 'news@shop.example' });
  assert.deepEqual(checkRulePattern('domain', '*.Bücher.example'), { pattern: 'xn--bcher-kva.example' });
  assert.deepEqual(checkRulePattern('subject', ' last   minute '), { pattern: 'last minute' });
  for (const [field, pattern] of [
    ['sender', 'shop.example'],
    ['sender', ''],
    ['domain', 'a@b.example'],
    ['domain', 'no domain'],
    ['subject', '   '],
    ['subject', 'x'.repeat(301)],
  ] as const)
    assert.ok('problem' in checkRulePattern(field, pattern), `${field} ${pattern}`);
});

test('never throws on hostile senders and subjects', () => {
  const rules = ['allow domain x', 'deny subject y', 'deny sender a@b'].map(rule);
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      (fromAddress, subject) => void decideByRules(rules, { fromAddress, subject }),
    ),
  );
});

test('a folder, and those within it; weaker than a sender, stronger than a subject', () => {
  const rule = (action: 'allow' | 'deny', field: MailRule['field'], pattern: string): MailRule => ({
    id: `${action}-${field}-${pattern}`,
    action,
    field,
    pattern,
  });
  const read = (rules: readonly MailRule[], folder: string | undefined) =>
    decideByRules(rules, { fromAddress: 'a@air.example', subject: 'Your booking', folder }).read;
  const deny = [rule('deny', 'folder', 'Lists')];
  assert.equal(read(deny, 'Lists'), false);
  assert.equal(read(deny, 'lists/news'), false);
  assert.equal(read(deny, 'Lists.news'), false);
  assert.equal(read(deny, 'Listserv'), true);
  assert.equal(read(deny, undefined), true, 'what is brought lies in no folder');
  assert.equal(read([...deny, rule('allow', 'folder', 'Lists/travel')], 'Lists/travel'), true, 'the deeper one');
  assert.equal(read([...deny, rule('allow', 'sender', 'a@air.example')], 'Lists'), true);
  assert.equal(read([...deny, rule('allow', 'subject', 'booking')], 'Lists'), false);
});
