import { z } from 'zod';

/**
 * What we read of Booking.com's orders. A broken optional field counts as absent. The PIN of an order opens it to anyone:
 * it is not read at all.
 */
const text = z.string().max(500).nullish().catch(undefined);
const id = z
  .union([z.string().min(1).max(60), z.int()])
  .transform(String)
  .nullish()
  .catch(undefined);
const part = <T extends z.ZodRawShape>(shape: T) => z.object(shape).nullish().catch(undefined);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(100).nullish().catch(undefined);

const place = part({
  name: text,
  address: text,
  // A number of theirs in some versions, a name in others.
  city: text,
  country: text,
  post_code: text,
  iata: text,
});
const named = part({ first_name: text, last_name: text });

const staySchema = z.object({
  id,
  reservation: id,
  status: text,
  checkin: text,
  checkout: text,
  accommodation_details: part({ name: text, location: place, telephone: text }),
  products: list(z.object({ guests: list(z.object({ name: text })) })),
});
export type BookingStay = z.infer<typeof staySchema>;

const carEnd = part({ datetime: text, date: text, time: text, location: place });
const carSchema = z.object({
  id,
  reservation: id,
  status: text,
  pickup: carEnd,
  dropoff: carEnd,
  supplier: part({ name: text }),
  car: part({ name: text, supplier: part({ name: text }) }),
  driver: part({ name: named }),
});
export type BookingCar = z.infer<typeof carSchema>;

/** `data` must be there: its absence is no "nothing found". An item of another form is one that we cannot identify. */
const answerOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item).max(1000) });
export const staysAnswer = answerOf(staySchema);
export const carsAnswer = answerOf(carSchema);
