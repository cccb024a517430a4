import type { TopicData } from '../../contracts/topics.ts';
import type { Alert } from '../../domain/alerts/alert.ts';
import { describeError, TripwatchError } from '../../domain/errors.ts';
import { reservationTitle } from '../../domain/leg-points.ts';
import type { Reservation } from '../../domain/reservation.ts';
import { type Clock, isoInstant } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { DueLook } from '../../ports/store/alerts.ts';
import type { Store, Tx } from '../../ports/store.ts';
import { accountsAway, alertsData, tellOf, type VendorOf } from './tell.ts';

/**
 * Alerts that no change brings about: check-in opens, "may be cancelled" becomes certain or not, nobody who could confirm a
 * near journey answers, and they answer again. Looks at the reservations whose time has come, and publishes what there is
 * to tell as `itinerary.updated` of the version that stands, without changes. One process at a time does it; what a crash
 * leaves is due still.
 */
export interface Alerter {
  start(): void;
  stop(): Promise<void>;
  /** One round now. Returns how many reservations were looked at. */
  look(): Promise<number>;
}

export interface AlerterOptions {
  readonly store: Pick<Store, 'read' | 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly vendorOf: VendorOf;
  /** All provider accounts: one that is away answers nobody, also those who were not asked about yet. */
  readonly accounts: readonly string[];
}

/** Real time between two rounds. */
const ROUND_REAL_MS = 2000;
/** Reservations looked at side by side, each in a transaction of its own, and in one round. */
const AT_ONCE = 50;
const ROUND_MAX = 2000;
/** Who is not answered for so long is looked at; the rules of the traveller decide whether it is told. */
const UNANSWERED_MS = 60_000;
const UNANSWERED_EVERY_MS = 60_000;
const NEAR_MS = 12 * 3_600_000;
/** What could not be told is tried again so much later. */
const POSTPONED_MS = 3_600_000;

export function createAlerter(options: AlerterOptions): Alerter {
  const { store, clock, logger, vendorOf, accounts } = options;
  const ending = new AbortController();
  let running: Promise<void> | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;

  /** One that cannot be told must not keep the others waiting: it is said in the log, and tried again later. */
  async function tell(look: DueLook): Promise<void> {
    try {
      await store.transact((tx) => tellDue(tx, look, clock.now(), vendorOf));
    } catch (error) {
      // The store's own: what was lost is due still.
      if (error instanceof TripwatchError && error.kind !== 'defect') throw error;
      logger.error(
        { reservation: look.reservation, ...describeError(error) },
        'alerts of a reservation could not be told',
      );
      await store.transact(async (tx) => {
        const told = (await tx.alerts.told(look.tenant, look.traveller, [look.reservation])).get(look.reservation);
        const later = clock.now() + POSTPONED_MS;
        if (told !== undefined) await tx.alerts.put(look.tenant, look.traveller, look.reservation, told, later);
      });
    }
  }

  async function lookAt(looks: readonly DueLook[]): Promise<void> {
    for (let from = 0; from < looks.length && !ending.signal.aborted; from += AT_ONCE)
      await Promise.all(looks.slice(from, from + AT_ONCE).map(tell));
  }

  /**
   * Those that are due; and, now and then, near journeys about which nobody answers: no record says when to look at them.
   * Both are asked for at once, because mostly there is neither.
   */
  async function look(): Promise<number> {
    const now = clock.now();
    const sweeps = now - sweptAt >= UNANSWERED_EVERY_MS;
    const { due, silent, query } = await store.read(async (tx) => {
      const due = await tx.alerts.due(now, ROUND_MAX);
      if (!sweeps) return { due, silent: [], query: undefined };
      const away = [...(await accountsAway(tx, accounts, now))];
      const query = { now, since: now - UNANSWERED_MS, until: now + NEAR_MS, away };
      return { due, query, silent: await tx.alerts.unanswered(query, AT_ONCE) };
    });
    if (sweeps) sweptAt = now;
    await lookAt(due);
    if (query === undefined) return due.length;
    const looked = new Set(due.map(({ reservation }) => reservation));
    for (let page = silent; ; ) {
      await lookAt(page.filter(({ reservation }) => !looked.has(reservation)));
      for (const { reservation } of page) looked.add(reservation);
      const after = page.at(-1)?.cursor;
      if (page.length < AT_ONCE || ending.signal.aborted) return looked.size;
      page = await store.read((tx) => tx.alerts.unanswered({ ...query, after }, AT_ONCE));
    }
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const looked = await look().catch((error: unknown) => {
        if (!ending.signal.aborted) logger.warn({ ...describeError(error) }, 'alerts that are due could not be told');
        return 0;
      });
      if (looked < ROUND_MAX) await clock.sleep(ROUND_REAL_MS * clock.speed, ending.signal).catch(() => {});
    }
  }

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      ending.abort();
      await running;
    },
    look,
  };
}

async function tellDue(tx: Tx, look: DueLook, now: number, vendorOf: VendorOf): Promise<void> {
  const reservation = await tx.reservations.get(look.tenant, look.reservation);
  // Joined into another one, or gone: nothing is left to look at.
  if (reservation === undefined || reservation.id !== look.reservation) {
    await tx.alerts.remove(look.tenant, look.reservation);
    return;
  }
  const alerts = await tellOf(tx, reservation, { now, vendorOf });
  if (alerts.length === 0) return;
  const [published] = await tx.append(
    [
      {
        topic: 'itinerary.updated',
        tenant: reservation.tenant,
        traveller: reservation.traveller,
        key: reservation.traveller,
        subject: reservation.id,
        data: alertUpdate(reservation, alerts, now),
      },
    ],
    { source: 'alerts', correlation: reservation.id, seed: `${reservation.id}/${now}`, at: now },
  );
  await tx.itineraries.appendFeed(reservation.tenant, reservation.traveller, published!);
}

/** A version told again for its alerts alone. */
function alertUpdate(reservation: Reservation, alerts: readonly Alert[], now: number): TopicData<'itinerary.updated'> {
  return {
    reservationId: reservation.id,
    version: reservation.version,
    title: reservationTitle(reservation),
    sentences: [],
    changes: [],
    alerts: alertsData(alerts),
    changedAt: isoInstant(now),
    publishedAt: isoInstant(now),
  };
}
