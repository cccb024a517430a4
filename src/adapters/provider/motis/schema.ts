import { z } from 'zod';

/** What we read of MOTIS (API v6). Unknown fields are passed over; a broken optional field counts as absent. */
const text = z.string().max(300).nullish().catch(undefined);
const flag = z.boolean().nullish().catch(undefined);

const stopSchema = z.object({
  name: z.string().max(300),
  stopId: text,
  tz: text,
  scheduledDeparture: text,
  departure: text,
  scheduledArrival: text,
  arrival: text,
  scheduledTrack: text,
  track: text,
  cancelled: flag,
});
export type Stop = z.infer<typeof stopSchema>;

/** What is printed on a train, wherever it stands. */
const printed = { displayName: text, tripShortName: text, routeShortName: text };

export const stopTimeSchema = z.object({
  place: stopSchema,
  tripId: z.string().min(1).max(500),
  realTime: flag,
  ...printed,
});
export type StopTime = z.infer<typeof stopTimeSchema>;

/** Entries are checked one by one: a broken one beside ours must not hide ours. */
export const boardSchema = z.object({ stopTimes: z.array(z.unknown()).max(5000) });

const legSchema = z.object({
  from: stopSchema,
  to: stopSchema,
  intermediateStops: z.array(stopSchema).max(500).nullish(),
  realTime: flag,
  cancelled: flag,
  ...printed,
});
export type TripLeg = z.infer<typeof legSchema>;

export const tripSchema = z.object({ legs: z.array(legSchema).min(1).max(50) });
export type Trip = z.infer<typeof tripSchema>;

export const matchSchema = z.object({
  type: text,
  name: z.string().max(300),
  id: z.string().min(1).max(500),
  tz: text,
});
export type Match = z.infer<typeof matchSchema>;
export const matchesSchema = z.array(z.unknown()).max(500);
