import { type TestContext, test } from 'node:test';

/** Another one each day and test, said in the output; `SEED=N` repeats one. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));
  t.diagnostic(`seed ${seed}`);
  return seed;
}

/** What is missing on this machine: skipped where a person runs the tests, a failure in CI. Returns whether it is there. */
export function present(name: string, missing: string | undefined): boolean {
  if (missing === undefined) return true;
  test(name, (t) => {
    if (process.env.CI === 'true') throw new Error(missing);
    t.skip(missing);
  });
  return false;
}
