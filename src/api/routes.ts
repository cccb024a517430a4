import type { RouteSpec } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { alertRoutes } from './routes/alerts.ts';
import { changeRoutes } from './routes/changes.ts';
import { controlRoutes } from './routes/control.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { endpointRoutes } from './routes/endpoints.ts';
import { mailboxRoutes } from './routes/mailboxes.ts';
import { operationRoutes } from './routes/operations.ts';
import { publicRoutes } from './routes/public.ts';
import { reservationRoutes } from './routes/reservations.ts';
import type { ChangeStream } from './sse.ts';

/** The whole route table: what is served, and what the OpenAPI document is made of. */
export function routeTable(stream: () => ChangeStream): readonly RouteSpec[] {
  return [
    ...accountRoutes,
    ...alertRoutes,
    ...mailboxRoutes,
    ...reservationRoutes,
    ...changeRoutes(stream),
    ...endpointRoutes,
    ...operationRoutes,
    ...controlRoutes,
    ...deadLetterRoutes,
    ...publicRoutes,
  ];
}
