import { z } from 'zod';

/**
 * What we read of Duffel's objects (API v2). Unknown fields are passed over; an optional field that is broken counts as
 * absent; unknown enum values become `unknown`.
 */
const text = z.string().max(500).nullish().catch(undefined);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(200);

const placeSchema = z
  .object({ iata_code: text, name: text, city_name: text, iata_country_code: text, time_zone: text })
  .nullish()
  .catch(undefined);
export type AirPlace = z.infer<typeof placeSchema>;
const carrierSchema = z.object({ iata_code: text, name: text }).nullish().catch(undefined);

const segmentSchema = z.object({
  departing_at: z.string().max(40),
  arriving_at: text,
  origin: placeSchema,
  destination: placeSchema,
  origin_terminal: text,
  destination_terminal: text,
  marketing_carrier: carrierSchema,
  marketing_carrier_flight_number: text,
  operating_carrier: carrierSchema,
  operating_carrier_flight_number: text,
  aircraft: z.object({ name: text }).nullish().catch(undefined),
  passengers: list(
    z.object({
      passenger_id: text,
      cabin_class: text,
      cabin_class_marketing_name: text,
      seat: z.object({ designator: text }).nullish().catch(undefined),
    }),
  )
    .nullish()
    .catch(undefined),
});
export type Segment = z.infer<typeof segmentSchema>;
const sliceSchema = z.object({ segments: list(segmentSchema) });
export type Slice = z.infer<typeof sliceSchema>;

export const changeSchema = z.object({
  id: z.string(),
  order_id: text,
  created_at: text,
  updated_at: text,
  action_taken: z.enum(['accepted', 'changed', 'unknown', 'cancelled']).nullish().catch('unknown'),
  added: list(sliceSchema),
  removed: list(sliceSchema),
});
export type AirlineChange = z.infer<typeof changeSchema>;

export const orderSchema = z.object({
  id: z.string(),
  booking_reference: text,
  synced_at: text,
  created_at: text,
  cancelled_at: text,
  payment_status: z
    .object({ awaiting_payment: z.boolean().optional().catch(undefined) })
    .nullish()
    .catch(undefined),
  owner: carrierSchema,
  total_amount: text,
  total_currency: text,
  passengers: list(z.object({ id: text, given_name: text, family_name: text }))
    .nullish()
    .catch(undefined),
  documents: list(
    z.object({ type: text, unique_identifier: text, passenger_ids: list(z.string()).nullish().catch(undefined) }),
  )
    .nullish()
    .catch(undefined),
  slices: list(sliceSchema),
  /** Each is checked by itself: short ones send us to the list of changes. */
  airline_initiated_changes: list(z.unknown()).nullish().catch(undefined),
});
export type Order = z.infer<typeof orderSchema>;

const addressSchema = z
  .object({ line_one: text, city_name: text, postal_code: text, region: text, country_code: text })
  .nullish()
  .catch(undefined);
export type Address = z.infer<typeof addressSchema>;
const status = z.enum(['confirmed', 'pending', 'unknown', 'cancelled']).catch('unknown');

export const staySchema = z.object({
  id: z.string(),
  reference: text,
  status,
  confirmed_at: text,
  cancelled_at: text,
  check_in_date: z.string().max(40),
  check_out_date: text,
  guests: list(z.object({ given_name: text, family_name: text }))
    .nullish()
    .catch(undefined),
  accommodation: z.object({
    name: text,
    phone_number: text,
    location: z.object({ address: addressSchema }).nullish().catch(undefined),
    check_in_information: z
      .object({ check_in_after_time: text, check_out_before_time: text })
      .nullish()
      .catch(undefined),
  }),
});
export type Stay = z.infer<typeof staySchema>;

const locationSchema = z.object({ name: text, phone_number: text, address: addressSchema }).nullish().catch(undefined);
export type CarPlace = z.infer<typeof locationSchema>;
export const carSchema = z.object({
  id: z.string(),
  reference: text,
  status,
  confirmed_at: text,
  cancelled_at: text,
  pickup_date: z.string().max(40),
  pickup_time: text,
  dropoff_date: text,
  dropoff_time: text,
  pickup_location: locationSchema,
  dropoff_location: locationSchema,
  supplier: z.object({ name: text }).nullish().catch(undefined),
  car: z.object({ name: text, category: text }).nullish().catch(undefined),
  driver: z.object({ given_name: text, family_name: text }).nullish().catch(undefined),
  total_amount: text,
  total_currency: text,
});
export type Car = z.infer<typeof carSchema>;

export const oneSchema = z.object({ data: z.unknown() });
export const pageSchema = z.object({
  data: z.array(z.unknown()).max(200),
  meta: z.object({ after: text }).nullish().catch(undefined),
});

export const webhookSchema = z.object({
  id: z.string().min(1).max(200),
  type: z.string().max(200),
  idempotency_key: text,
  data: z
    .object({ id: text, object: z.record(z.string(), z.unknown()).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

/** A webhook as it is registered there. */
export const registeredSchema = z.object({ id: z.string().max(200), url: z.string().max(2000), active: z.boolean() });
