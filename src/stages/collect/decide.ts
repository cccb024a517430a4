import type { Event } from '../../contracts/event.ts';
import { forwardingHost } from '../../domain/mail/forwarding/confirmation.ts';
import { type ScoredHead, type ScoredPart, scoreMail } from '../../domain/mail/score.ts';
import { decideByRules, describeRule, type MailRule } from '../../domain/rules.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/** Whether a mail is read, with the receipt that says so and why. */
export interface Decision {
  readonly read: boolean;
  readonly code: string;
  readonly receipt: ReceiptUpdate;
}

/**
 * On headers alone. What its owner asked for is read. Then the owner's rules. Then, where no rule speaks and the mail was
 * only listed, the score: whoever connects a mailbox has not chosen each mail of it, as one who forwards or imports has.
 */
export function decide(data: Event<'mail.seen'>['data'], rules: readonly MailRule[]): Decision {
  if (data.asked === true) return reading('asked', 'you asked for it');
  const decision = decideByRules(rules, { ...data.head, folder: data.folder });
  // No rule was made with the question in mind that comes before the first mail; only a word against its sender counts.
  const host = data.via === 'smtp' && decision.code !== 'rule-denied' ? forwardingHost(data.head) : undefined;
  if (host !== undefined) return reading('forwarding-question', `${host} asks whether it may forward mails here`);
  switch (decision.code) {
    case 'rule-allowed':
      return reading('rule-allowed', `your rule “${describeRule(decision.rule)}” allows it`);
    case 'rule-denied':
      return skipping(
        'rule-denied',
        `your rule “${describeRule(decision.rule)}” (${decision.rule.id}) says so. ` +
          `To have it read, remove the rule and ${again(data)}.`,
      );
    case 'not-on-allow-list':
      return skipping(
        'not-on-allow-list',
        'you have allowing rules, and none of them covers this mail. ' +
          `To have it read, allow its sender or domain and ${again(data)}.`,
      );
    case 'no-rule': {
      if (data.ref === undefined) return reading('no-rule');
      const { read, code, reason } = scoreMail(
        data.head as ScoredHead,
        data.parts as readonly ScoredPart[] | undefined,
      );
      if (read) return reading(code, reason);
      return skipping(code, `${reason} To have it read, ask for it, or allow its sender by a rule.`);
    }
  }
}

/** The same bytes brought again are decided anew; what lies in a mailbox of yours has to be asked for. */
const again = ({ ref }: Event<'mail.seen'>['data']): string =>
  ref === undefined ? 'bring the mail again' : 'ask for the mail';

function reading(code: string, why?: string): Decision {
  const reason = why === undefined ? 'Waiting to be opened.' : `Waiting to be opened; ${sentence(why)}`;
  return { read: true, code, receipt: { disposition: 'collected', reasonCode: code, reason } };
}

function skipping(code: string, why: string): Decision {
  return {
    read: false,
    code,
    receipt: { disposition: 'skipped', reasonCode: code, reason: `Not opened: ${sentence(why)}` },
  };
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
