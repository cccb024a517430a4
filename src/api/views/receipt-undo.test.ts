import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReservationId } from '../../domain/ids.ts';
import { ASKABLE, DISPOSITIONS, type Disposition } from '../../ports/store/mails.ts';
import { undoOf } from './receipt-undo.ts';

test('every outcome of a mail says how to undo it or to go on, and offers to read only what can be read', () => {
  for (const disposition of Object.keys(DISPOSITIONS) as Disposition[]) {
    const reservations = ['rsv_1' as ReservationId];
    const can = undoOf({ disposition, reservations }, ASKABLE.includes(disposition));
    assert.match(can, /\.$/);
    assert.equal(/read after all/.test(can), ASKABLE.includes(disposition), disposition);
    assert.doesNotMatch(undoOf({ disposition, reservations }, false), /read after all/);
  }
  assert.match(undoOf({ disposition: 'imported', reservations: ['rsv_1' as ReservationId] }, false), /take .* out/);
  assert.doesNotMatch(undoOf({ disposition: 'imported', reservations: [] }, false), /take .* out/);
});
