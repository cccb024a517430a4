import { GRACE_MS } from './expect.ts';
import type { Witness } from './folder.ts';
import type { JudgeInput, KnownReceipt, Report } from './judge-input.ts';
import { composeMail } from './mail/compose.ts';
import { MINUTE } from './scenario/types.ts';
import { instantMs, type ToldEvent } from './told.ts';

/** How a mail about a trip ends: it brings something, or what it says was known by then. */
const READ_AS_TRAVEL: readonly string[] = ['imported', 'merged', 'duplicate'];
const isTrip = ({ disposition }: KnownReceipt): boolean => READ_AS_TRAVEL.includes(disposition);

export const taken = (entry: Witness['sink'][number]): boolean => entry.answered >= 200 && entry.answered < 300;

/** Each event at the webhook, with a good signature; the retry after a failure comes within some minutes. */
export function judgeSink(events: readonly ToldEvent[], witness: Witness, now: number, report: Report): void {
  const arrived = new Set(witness.sink.filter(taken).map((entry) => entry.webhookId));
  const streamed = new Set(events.map((event) => event.id));
  for (const event of events) {
    if (event.publishedAt > now - 10 * MINUTE || arrived.has(event.id)) continue;
    report({
      kind: 'missing',
      what: 'an event of the stream never came to the webhook',
      reservation: event.reservation,
    });
  }
  for (const id of arrived)
    if (!streamed.has(id)) report({ kind: 'missing', what: `the webhook's event ${id} never came on the stream` });
  const forged = witness.sink.filter((entry) => !entry.genuine).length;
  if (forged > 0) report({ kind: 'wrong', what: `${forged} deliveries with a signature that does not verify` });
}

/** Every mail that was taken has one receipt, in a state that ends; advertisements are no trips. */
export function judgeReceipts({ scenario, witness, receipts, now }: JudgeInput, report: Report): void {
  const plans = new Map(scenario.mails.map((plan) => [plan.id, plan]));
  const personOf = new Map(witness.people.map((one) => [one.index, one.traveller]));
  const open = new Map<string, KnownReceipt[]>();
  for (const one of receipts) {
    const key = `${one.traveller}/${one.subject}`;
    open.set(key, [...(open.get(key) ?? []), one]);
  }
  const counted = new Set<string>();
  for (const played of witness.mails) {
    const plan = plans.get(played.mail);
    if (plan === undefined) continue;
    const traveller = personOf.get(plan.to) ?? '';
    const where = { traveller, booking: plan.booking ?? 'none' };
    if (played.refused !== undefined) {
      report({ kind: 'missing', what: `a mail was refused: ${played.refused}`, ...where });
      continue;
    }
    const original = plan.sameAs ?? plan.id;
    // The mail again, or sent again because the answer to the first time was lost: one receipt for equal bytes.
    if (counted.has(original) || played.at > now - GRACE_MS) continue;
    counted.add(original);
    const mine = open.get(`${traveller}/${composeMail(scenario, plan).subject}`) ?? [];
    const travel = plan.purpose !== 'promo';
    const at = mine.findIndex((one) => isTrip(one) === travel);
    const receipt = mine.splice(Math.max(0, at), 1)[0];
    if (receipt === undefined) report({ kind: 'missing', what: `no receipt for a mail (${plan.purpose})`, ...where });
    else if (['seen', 'collected', 'failed'].includes(receipt.disposition) || travel !== isTrip(receipt)) {
      report({
        kind: 'wrong',
        what: `a ${plan.purpose} (${plan.format}) ended as ${receipt.disposition}: ${receipt.reason}`,
        ...where,
      });
    }
  }
  for (const rest of open.values()) {
    for (const one of rest.filter((receipt) => !((instantMs(receipt.receivedAt) ?? 0) > now)))
      report({ kind: 'doubled', what: `a receipt without a mail: ${one.disposition}`, traveller: one.traveller });
  }
}
