import { userInfo } from 'node:os';
import type { Caller } from '../../api/auth.ts';
import type { CommandDeps } from '../../api/deps.ts';
import { STAGES } from '../../stages/stages.ts';
import { type Core, OPERATOR } from '../core.ts';

/** The operator as the audit trail names them: who of this machine typed it. */
export function operatorHere(): Caller {
  return { ...OPERATOR, ref: `cli:${userName()}` };
}

/** What an operator's commands need: the names of all stages too. */
export function operatorDeps(core: Core): CommandDeps {
  return { ...core.commands, stages: STAGES.map((stage) => stage.name) };
}

/** A user without an entry in the password file (a container) has only a number. */
function userName(): string {
  try {
    return userInfo().username.slice(0, 60);
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
