import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TripwatchError } from '../../../domain/errors.ts';
import { createTokenSource } from './token.ts';

const signal = new AbortController().signal;
const refused = () => new TripwatchError('unauthorised', 'provider-unauthorised', 'no');

function source(lifeMs = 100_000) {
  const state = { now: 0, fetched: 0, fail: false };
  const tokens = createTokenSource(
    async () => {
      state.fetched++;
      const number = state.fetched;
      await Promise.resolve();
      if (state.fail) throw new TripwatchError('transient', 'provider-failed', 'down');
      return { token: `t${number}`, lifeMs };
    },
    { now: () => state.now },
  );
  return { state, tokens, ask: () => tokens.use(signal, async (token) => token) };
}

test('many questions at once fetch one token; it is renewed before its end', async () => {
  const { state, ask } = source();
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['t1', 't1', 't1']);
  state.now = 89_999;
  assert.equal(await ask(), 't1');
  state.now = 90_000;
  assert.equal(await ask(), 't2');
  assert.equal(state.fetched, 2);
});

test('a token refused before its time is renewed once for all who were refused; a second refusal is the answer', async () => {
  const { state, tokens } = source();
  const good = (token: string) => (token === 't1' ? Promise.reject(refused()) : Promise.resolve(token));
  const answers = await Promise.all([tokens.use(signal, good), tokens.use(signal, good)]);
  assert.deepEqual(answers, ['t2', 't2']);
  assert.equal(state.fetched, 2);
  await assert.rejects(
    tokens.use(signal, () => Promise.reject(refused())),
    { code: 'provider-unauthorised' },
  );
  assert.equal(state.fetched, 3);
});

test('every order of refusals, ends of life and failures of the fetching leaves every state', async () => {
  // Depth-first over all sequences of five steps; after each, a well meant question must be answered.
  const steps = ['ask', 'refuse', 'expire', 'fail'] as const;
  const walk = async (path: readonly (typeof steps)[number][]): Promise<void> => {
    const { state, tokens, ask } = source();
    for (const step of path) {
      if (step === 'expire') state.now += 200_000;
      state.fail = step === 'fail';
      if (step === 'fail') state.now += 200_000;
      const question = step === 'refuse' ? () => Promise.reject(refused()) : async (token: string) => token;
      await tokens.use(signal, question).catch((error: TripwatchError) => {
        assert.ok(step === 'refuse' || step === 'fail', `${path}: ${error.message}`);
      });
    }
    state.fail = false;
    assert.match(await ask(), /^t\d+$/, String(path));
    if (path.length < 5) for (const step of steps) await walk([...path, step]);
  };
  await walk([]);
});

test('who is called off does not call off the fetching for the others', async () => {
  const { tokens, ask } = source();
  const one = new AbortController();
  const first = tokens.use(one.signal, async (token) => token);
  const second = ask();
  one.abort();
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(await second, 't1');
});
