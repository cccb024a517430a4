import type { AnyNewEvent, Event } from '../../contracts/event.ts';
import type { MailboxId, MailId, TenantId, TravellerId } from '../../domain/ids.ts';
import { decideByRules, describeRule, type RuleDecision } from '../../domain/rules.ts';
import { ack, type Handler } from '../../ports/handler.ts';
import type { ReceiptUpdate } from '../../ports/store/mails.ts';

/**
 * Decides on headers whether a mail may be read, and says so on its receipt. The rules are read in the transaction that
 * stores the decision, so a rule that is there when a mail is decided always counts.
 */
export function createCollectHandler(): Handler<'mail.seen'> {
  return async (event, context) =>
    ack(async (tx) => {
      const tenant = event.tenantid as TenantId;
      const traveller = event.travellerid as TravellerId;
      const mailId = event.data.mailId as MailId;
      const rules = await tx.accounts.listRules(tenant, traveller);
      const decision = decideByRules(rules, event.data.head);
      await tx.mails.update(tenant, mailId, receiptOf(decision), context.clock.now());
      return decision.read ? [collectedEvent(event, decision)] : [];
    });
}

function receiptOf(decision: RuleDecision): ReceiptUpdate {
  switch (decision.code) {
    case 'no-rule':
      return { disposition: 'collected', reasonCode: 'no-rule', reason: 'Waiting to be opened.' };
    case 'rule-allowed':
      return {
        disposition: 'collected',
        reasonCode: 'rule-allowed',
        reason: `Waiting to be opened; your rule “${describeRule(decision.rule)}” allows it.`,
      };
    case 'rule-denied':
      return {
        disposition: 'skipped',
        reasonCode: 'rule-denied',
        reason:
          `Not opened: your rule “${describeRule(decision.rule)}” (${decision.rule.id}) says so. ` +
          'To have it read, remove the rule and bring the mail again.',
      };
    case 'not-on-allow-list':
      return {
        disposition: 'skipped',
        reasonCode: 'not-on-allow-list',
        reason:
          'Not opened: you have allowing rules, and none of them covers this mail. ' +
          'To have it read, allow its sender or domain and bring the mail again.',
      };
  }
}

function collectedEvent(event: Event<'mail.seen'>, decision: RuleDecision): AnyNewEvent {
  const mailId = event.data.mailId as MailId;
  return {
    topic: 'mail.collected',
    tenant: event.tenantid,
    ...(event.travellerid === undefined ? {} : { traveller: event.travellerid }),
    // Same lines as in intake: opening one mail does not depend on another.
    key: `${event.travellerid ?? (event.data.mailboxId as MailboxId)}/${mailId.slice(-1)}`,
    subject: mailId,
    data: { ...event.data, reason: decision.code },
  };
}
