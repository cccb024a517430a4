import type { Intake } from '../ports/intake.ts';
import type { Mailbox } from '../ports/store/accounts.ts';
import { composeMail } from '../sandbox/mail/compose.ts';
import type { Rng } from '../sandbox/random.ts';
import { MINUTE, type Scenario } from '../sandbox/scenario/types.ts';
import type { History } from './history.ts';
import type { Life } from './life.ts';
import { KILLER, POISON } from './model-extractor.ts';
import type { Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** One mail on its way: what is sent, to whom, when first. */
interface Parcel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly at: number;
}

/** The mails of the day, with the plan's disorder: repeats, delays beyond other mails, junk, and some that kill parsers. */
export function parcelsOf(scenario: Scenario, plan: Plan, draw: Rng): readonly Parcel[] {
  const last = scenario.options.startAt + plan.hours * 3_600_000 - 5 * MINUTE;
  const parcels: Parcel[] = [];
  for (const mail of scenario.mails) {
    const { raw } = composeMail(scenario, mail);
    const late = draw.chance(plan.mail.late) ? draw.int(1, 180) * MINUTE : 0;
    const poison = draw.chance(plan.extractor.poison);
    const killer = draw.chance(plan.extractor.killer);
    const mark = poison ? POISON : killer ? KILLER : undefined;
    const bytes = mark === undefined ? raw : Buffer.concat([Buffer.from(`${mark}\r\n`), raw]);
    const at = Math.min(last, mail.at + late);
    parcels.push({ name: `${mail.id}${mark === undefined ? '' : ` (${mark})`}`, bytes, to: mail.to, at });
    if (draw.chance(plan.mail.repeat)) {
      const again = Math.min(last, at + draw.int(0, 60) * MINUTE);
      parcels.push({ name: `${mail.id} (repeated)`, bytes, to: mail.to, at: again });
    }
    if (draw.chance(plan.mail.junk)) {
      const junk = `Subject: ${draw.text(8, 'abc')}\r\n\r\n${draw.text(200, 'ab<>{}"=\\\n')}`;
      parcels.push({ name: `junk beside ${mail.id}`, bytes: Buffer.from(junk), to: mail.to, at });
    }
  }
  return parcels;
}

export interface Mailers {
  /** Mails that nobody has accepted yet. */
  readonly waiting: number;
}

/** Where mails are taken: one process that listens. */
export interface Door {
  readonly intake: Intake;
  readonly life: Life;
}

/** A sender that hears nothing for so long hangs up, and tries again later, perhaps elsewhere. */
const PATIENCE_MS = 20 * MINUTE;

/** Senders of mails: each hands its mail in until it is told "accepted", as a mail server does. */
export function startMailers(options: {
  readonly parcels: readonly Parcel[];
  readonly mailboxes: readonly Mailbox[];
  readonly scheduler: Scheduler;
  readonly draw: Rng;
  readonly history: History;
  /** Takes a mail to a mailbox where its traveller has connected one; false: it is forwarded. */
  readonly deliver: (to: number, bytes: Uint8Array) => boolean;
  /** All places where mails are taken at present. */
  readonly doors: () => readonly Door[];
}): Mailers {
  const { scheduler, draw, history } = options;
  let waiting = options.parcels.length;

  async function tryOnce(parcel: Parcel): Promise<boolean> {
    const doors = options.doors();
    if (doors.length === 0) return false;
    const { intake, life } = draw.pick(doors);
    const mailbox = options.mailboxes[parcel.to]!;
    const taken = life.turn().then(async () => {
      try {
        return await intake.accept({ mailbox, bytes: parcel.bytes, via: 'smtp' });
      } catch {
        return undefined;
      }
    });
    let hangUp = (): void => {};
    const gone = new Promise<undefined>((resolve) => {
      hangUp = () => resolve(undefined);
      life.ended.addEventListener('abort', hangUp, { once: true });
    });
    const calledOff = scheduler.after(PATIENCE_MS, 'sender hangs up', hangUp);
    const accepted = await Promise.race([taken, gone]);
    calledOff();
    life.ended.removeEventListener('abort', hangUp);
    if (accepted === undefined) return false;
    history.accepted.push({ mailId: accepted.mailId, at: scheduler.now });
    return true;
  }

  const send = async (parcel: Parcel): Promise<void> => {
    const accepted = await tryOnce(parcel);
    scheduler.note(`mail: ${parcel.name} ${accepted ? 'accepted' : 'refused, later again'}`);
    if (accepted) waiting--;
    else scheduler.after(draw.int(10, 600) * 1000, 'mail again', () => void send(parcel));
  };
  const bring = (parcel: Parcel): void => {
    if (!options.deliver(parcel.to, parcel.bytes)) {
      void send(parcel);
      return;
    }
    waiting--;
    scheduler.note(`mail: ${parcel.name} is in the mailbox`);
  };
  for (const parcel of options.parcels) scheduler.after(parcel.at - scheduler.startAt, 'mail', () => bring(parcel));
  return {
    get waiting() {
      return waiting;
    },
  };
}
