import { z } from 'zod';

/** What we read of Hotelbeds' bookings. A broken optional field counts as absent. */
const text = z.string().max(500).nullish().catch(undefined);
const part = <T extends z.ZodRawShape>(shape: T) => z.object(shape).nullish().catch(undefined);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(100).nullish().catch(undefined);
const person = part({ name: text, surname: text });

const bookingSchema = z.object({
  reference: text,
  status: text,
  cancellationReference: text,
  creationDate: text,
  holder: person,
  hotel: part({
    name: text,
    checkIn: text,
    checkOut: text,
    destinationName: text,
    rooms: list(z.object({ name: text, paxes: list(z.object({ name: text, surname: text })) })),
  }),
});
export type HotelbedsBooking = z.infer<typeof bookingSchema>;

const error = part({ code: text, message: text });
export type HotelbedsError = NonNullable<z.infer<typeof error>>;

export const bookingAnswerSchema = z.object({ booking: bookingSchema.nullish().catch(undefined), error });

/** The list holds summaries. What is not readable in it is not on it. */
export const listAnswerSchema = z.object({
  bookings: part({
    total: z.int().min(0).nullish().catch(undefined),
    bookings: z
      .array(z.unknown())
      .max(1000)
      .nullish()
      .catch(undefined)
      .transform((all) => (all ?? []).flatMap((one) => bookingSchema.safeParse(one).data ?? [])),
  }),
  error,
});
