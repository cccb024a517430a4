import { CALM_MAILBOXES, type Plan } from './plan.ts';

/** A day with little in it and nothing that goes wrong: for trying a kill at each of its calls to the outside. */
export function smallDay(drawn: Plan): Plan {
  return {
    ...drawn,
    speed: 960,
    travellers: 1,
    flights: 1,
    freshSeconds: 3600,
    rule: false,
    store: { busy: 0, refused: 0, lost: 0, answerMsMax: 20, slow: 0 },
    notice: { lost: 0, msMax: 100 },
    delivery: { duplicate: 0, loseAck: 0, reorderKeys: false },
    crashAtCall: 0,
    crashes: [],
    restarts: [],
    powerLosses: [],
    pauses: [],
    skew: { offsetMsMax: 0, driftPpmMax: 0 },
    provider: { ...drawn.provider, walls: [], outages: [], slow: 0, fail: 0, other: 0, garbage: 0, stale: 0 },
    receiver: { fail: 0, busy: 0, hang: 0, lost: 0, outages: [] },
    extractor: { busy: 0, hang: 0, poison: 0, killer: 0 },
    mail: { repeat: 0, late: 0, junk: 0 },
    mailboxes: CALM_MAILBOXES,
    pushes: undefined,
  };
}
