import { pauseKindSchema, pauseListSchema, pauseViewSchema, pauseWorkSchema } from '../../contracts/http/control.ts';
import { UNATTENDED_MS } from '../../domain/limits.ts';
import { operatesInstallation } from '../auth.ts';
import { pauseWork, resumeWork } from '../commands/control.ts';
import type { CommandDeps } from '../deps.ts';
import { metricsText } from '../metrics.ts';
import { Problem } from '../problems.ts';
import { type Call, type RouteSpec, route } from '../route.ts';
import { pauseView, visiblePauses } from '../views/control.ts';

function commandDeps({ deps }: Pick<Call, 'deps'>): CommandDeps {
  return deps.consumers === undefined ? deps : { ...deps, stages: deps.consumers.map((one) => one.name) };
}

export const controlRoutes: readonly RouteSpec[] = [
  route({
    method: 'GET',
    path: '/v1/pauses',
    id: 'listPauses',
    tag: 'operations',
    summary: 'Work that operators have stopped, oldest first',
    scope: 'operate',
    response: pauseListSchema,
    handle: async ({ deps, caller }) => {
      const pauses = await deps.store.read((tx) => tx.control.pauses());
      return { items: visiblePauses(pauses, caller).map((pause) => pauseView(pause, caller)) };
    },
  }),
  route({
    method: 'POST',
    path: '/v1/pauses',
    id: 'pause',
    tag: 'operations',
    summary: 'Stop a stage, a provider account, a mailbox or a tenant until it is resumed',
    description:
      'Every process knows within two seconds; what runs may finish. Nothing is lost or given up meanwhile. ' +
      'What is paused already stays so with its first reason. ' +
      'Stages, provider accounts and other tenants are for the operator of the installation.',
    scope: 'operate',
    body: pauseWorkSchema,
    response: pauseViewSchema,
    handle: async (call) => {
      const { pause } = await pauseWork(commandDeps(call), call.caller, call.body);
      call.deps.onPauses?.();
      return pauseView(pause, call.caller);
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/pauses/:kind/:id',
    id: 'resume',
    tag: 'operations',
    summary: 'Let it go on: stages and provider accounts within two seconds, mailboxes and tenants within twenty',
    scope: 'operate',
    response: pauseViewSchema,
    handle: async (call) => {
      const kind = pauseKindSchema.safeParse(call.params.kind);
      if (!kind.success)
        throw new Problem(
          'not-found',
          `There is no kind "${call.params.kind}" of work to pause. There are ${pauseKindSchema.options.join(', ')}.`,
        );
      const ended = await resumeWork(commandDeps(call), call.caller, { kind: kind.data, id: call.params.id! });
      call.deps.onPauses?.();
      return pauseView(ended, call.caller);
    },
  }),
  route({
    method: 'GET',
    path: '/metrics',
    id: 'metrics',
    tag: 'operations',
    summary: 'Figures of this process and the balance of all events, for Prometheus',
    description: 'Text format 0.0.4. For the operator of the installation, as it speaks of all tenants.',
    scope: 'operate',
    responseType: 'text/plain',
    handle: async ({ deps, caller, reply }) => {
      if (!operatesInstallation(caller))
        throw new Problem(
          'scope-missing',
          'The figures are of all tenants: only the operator of the installation may see them.',
        );
      const overdueBefore = deps.clock.now() - UNATTENDED_MS * deps.clock.speed;
      const figures = await deps.figures?.();
      const text = await deps.store.read(async (tx) =>
        metricsText(figures, {
          balances: await tx.conservation.balances(),
          notifications: await tx.conservation.notifications(overdueBefore),
        }),
      );
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      return text;
    },
  }),
];
