import { z } from 'zod';

/** What we read of FlightAware's AeroAPI (v4). A broken optional field counts as absent. */
const text = z.string().max(300).nullish().catch(undefined);
const airport = z.object({ code_iata: text, name: text, timezone: text }).nullish().catch(undefined);
export type AeroAirport = z.infer<typeof airport>;

export const flightSchema = z.object({
  fa_flight_id: z.string().min(1).max(200),
  ident: text,
  ident_iata: text,
  codeshares_iata: z.array(z.string()).max(100).nullish().catch(undefined),
  origin: airport,
  destination: airport,
  scheduled_out: text,
  estimated_out: text,
  actual_out: text,
  scheduled_off: text,
  estimated_off: text,
  actual_off: text,
  scheduled_on: text,
  estimated_on: text,
  actual_on: text,
  scheduled_in: text,
  estimated_in: text,
  actual_in: text,
  departure_delay: z.number().nullish().catch(undefined),
  terminal_origin: text,
  gate_origin: text,
  terminal_destination: text,
  gate_destination: text,
  baggage_claim: text,
  aircraft_type: text,
  cancelled: z.boolean().nullish().catch(undefined),
  diverted: z.boolean().nullish().catch(undefined),
});
export type AeroFlight = z.infer<typeof flightSchema>;

/** Items are checked one by one: a broken one beside ours must not hide ours. */
export const answerSchema = z.object({ flights: z.array(z.unknown()).max(500) });
