import { z } from 'zod';

/** What is sealed with the watch of a connected mailbox. Its settings are checked by its connector. */
export const storedCredentialsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), user: z.string().min(1), password: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('oauth'),
    user: z.string().min(1),
    /** Which client of the configuration it was given to: its id and secret are there. */
    client: z.string().min(1),
    refreshToken: z.string().min(1),
    accessToken: z.string().optional(),
    /** Epoch ms. */
    expiresAt: z.int().optional(),
  }),
]);
export type StoredCredentials = z.infer<typeof storedCredentialsSchema>;
