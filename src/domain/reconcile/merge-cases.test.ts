import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Fact, FactValue, Kind } from '../facts.ts';
import type { Authority, Observation } from '../observation.ts';
import type { Change, Fields } from '../reservation.ts';
import { type Group, join } from './join.ts';
import { Folder, madeBy } from './observations.testing.ts';

/**
 * Cases as data (tests/fixtures/merge/<case>.json): what each observation changes, and the state at the end, which every
 * other order must reach too. A value with one beside it is written as a pair.
 */
interface Case {
  readonly about: string;
  readonly steps: readonly {
    readonly observation: {
      readonly id: string;
      readonly authority: Authority;
      readonly minute: number;
      readonly bookingKeys: readonly string[];
      readonly facts: Readonly<Record<string, FactValue>>;
      readonly legs: readonly {
        readonly kind: Kind;
        readonly keys: readonly string[];
        readonly facts: Readonly<Record<string, FactValue>>;
      }[];
    };
    /** [type, path, to, minutes or "beside"] of each change, in order. */
    readonly changes: readonly (readonly (FactValue | undefined)[])[];
  }[];
  readonly state: readonly unknown[];
}

const FOLDER = new URL('../../../tests/fixtures/merge/', import.meta.url);
const SOURCE_KINDS = {
  person: 'person',
  status: 'provider',
  booking: 'provider',
  'mail-proven': 'mail',
  mail: 'mail',
} as const;

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const { about, steps, state } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case;
  test(`${file}: ${about}`, () => {
    const folder = new Folder();
    const observations = steps.map((step) => toObservation(step.observation));
    steps.forEach((step, index) => {
      const made = folder.record(observations[index]!);
      const told = made.flatMap((one) => one.changes.map(brief));
      assert.deepEqual(told, step.changes, `changes by ${step.observation.id}`);
    });
    for (let turn = 0; turn < observations.length; turn++) {
      const turned = [...observations.slice(turn), ...observations.slice(0, turn)];
      assert.deepEqual(join(turned).map(plainState), state);
      assert.deepEqual(join(turned.reverse()).map(plainState), state);
    }
  });
}

function toObservation(from: Case['steps'][number]['observation']): Observation {
  return {
    ...madeBy(from.id, from.authority, SOURCE_KINDS[from.authority], from.minute),
    bookingKeys: from.bookingKeys,
    facts: toFacts(from.facts),
    legs: from.legs.map((leg) => ({ ...leg, facts: toFacts(leg.facts) })),
  };
}

function toFacts(values: Readonly<Record<string, FactValue>>): Record<string, Fact> {
  return Object.fromEntries(Object.entries(values).map(([path, value]) => [path, { value }]));
}

function brief({ type, path, to, minutes, besidePerson }: Change) {
  const all = [type, path, to, besidePerson ? 'beside' : minutes];
  while (all.at(-1) === undefined) all.pop();
  return all;
}

function plainState({ bookingKeys, fields, legs }: Group) {
  return {
    bookingKeys,
    fields: plainFields(fields),
    legs: legs.map((leg) => ({ kind: leg.kind, fields: plainFields(leg.fields) })),
  };
}

function plainFields(fields: Fields) {
  return Object.fromEntries(
    Object.entries(fields)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { value, beside }]) => [path, beside === undefined ? value : [value, beside.value]]),
  );
}
