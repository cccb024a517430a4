import { z } from 'zod';

/** What we read of Rapid's answers. A broken optional field counts as absent. */
const text = z.string().max(500).nullish().catch(undefined);

const roomSchema = z.object({
  id: text,
  confirmation_id: z.object({ expedia: text, property: text }).nullish().catch(undefined),
  checkin: text,
  checkout: text,
  given_name: text,
  family_name: text,
  status: z.enum(['pending', 'booked', 'canceled', 'unknown']).nullish().catch('unknown'),
});
export type Room = z.infer<typeof roomSchema>;

/** A booking of the last minutes may have its id and nothing else, and a part of an answer (206) may lack its rooms. */
export const itinerarySchema = z.object({
  itinerary_id: z.string().min(1).max(40),
  property_id: text,
  creation_date_time: text,
  affiliate_reference_id: text,
  rooms: z.array(roomSchema).max(50).nullish(),
});
export type Itinerary = z.infer<typeof itinerarySchema>;

export const itinerariesSchema = z.array(z.unknown()).max(200);

export const notificationSchema = z.object({
  event_id: z.string().min(1).max(200),
  itinerary_id: z.string().min(1).max(40),
});

const propertySchema = z.object({
  name: text,
  phone: text,
  address: z.object({ line_1: text, city: text, postal_code: text, country_code: text }).nullish().catch(undefined),
});
export type Property = z.infer<typeof propertySchema>;

/** By the id of the property. */
export const propertiesSchema = z.record(z.string(), propertySchema);
