import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * What is stored of an IMAP mailbox beside its credentials. The user name goes with the credentials. `security`: `tls` from
 * the start (usual port 993), `starttls` (143), or `plain`, which is refused but on loopback and where the operator allows it.
 */
export const imapSettings = z.object({
  host: z
    .string()
    .trim()
    .min(1)
    .max(253)
    .refine((host) => isIP(host) !== 0 || /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?$/i.test(host), {
      error: 'is no host name or address',
    }),
  port: z.int().min(1).max(65_535).optional(),
  security: z.enum(['tls', 'starttls', 'plain']).default('tls'),
  /** Folders to watch by their full names. Absent: all but junk, trash and drafts; on Gmail, All Mail. */
  folders: z.array(z.string().min(1).max(1000)).min(1).max(500).optional(),
});
export type ImapSettings = z.infer<typeof imapSettings>;

export const portOf = ({ port, security }: ImapSettings): number => port ?? (security === 'tls' ? 993 : 143);
