import type { Facts } from '../facts.ts';
import { known } from '../reconcile/fields.ts';
import { sameLeg } from '../reconcile/questions.ts';
import type { Attribution, Fields, Leg } from '../reservation.ts';

/** What one of those who are asked about a reservation says now. */
export interface Word {
  readonly account: string;
  /** What is asked about: equal for all accounts that can answer it. */
  readonly thing: string;
  /** Two accounts at one vendor are one voice. */
  readonly vendor: string;
  /** It holds the booking or runs the journey. */
  readonly own: boolean;
  /** Epoch ms of its last answer. */
  readonly checkedAt: number | undefined;
  /** It does not answer at present. */
  readonly failing: boolean;
  /** It is to be asked at this time. */
  readonly asked: boolean;
  readonly facts: Facts;
  readonly legs: readonly { readonly keys: readonly string[]; readonly facts: Facts }[];
}

/** The provider's own word: of who runs the journey or holds the booking, or of the traveller. */
export function isOwnWord(by: Attribution | undefined): boolean {
  return by?.authority === 'booking' || by?.authority === 'mail-proven' || by?.authority === 'person';
}

/** Somebody vouches for it: all but mails that nothing proves. */
export function isVouched(by: Attribution | undefined): boolean {
  return by !== undefined && by.authority !== 'mail';
}

/** What someone says of grave news: that it is so, that it may be so (which confirms another's word, not itself), or not. */
export type Says = 'yes' | 'maybe' | 'no';

/**
 * Whether grave news may be told as certain: the provider's own word, or that of two who do not have it from each other,
 * of whom one at least is sure. `by`: whose word the state holds, and how sure that is. `says`: what someone says of the
 * leg (and of the booking). A mail that nothing proves never counts, however many there are.
 */
export function isCertain(
  { by, state }: { readonly by: Attribution | undefined; readonly state: Says },
  words: readonly Word[],
  leg: Pick<Leg, 'keys'> | undefined,
  says: (ofLeg: Facts, ofBooking: Facts) => Says,
): boolean {
  if (state === 'yes' && isOwnWord(by)) return true;
  const voices = new Set<string>();
  const sure = new Set<string>();
  const hear = (vendor: string, said: Says): void => {
    if (said !== 'no') voices.add(vendor);
    if (said === 'yes') sure.add(vendor);
  };
  if (by?.authority === 'status')
    hear(words.find((one) => one.account === by.source.account)?.vendor ?? by.source.label, state);
  for (const word of words) {
    const ofLeg = leg === undefined ? {} : (word.legs.find((one) => sameLeg(one.keys, leg.keys))?.facts ?? undefined);
    const said = ofLeg === undefined ? 'no' : says(ofLeg, word.facts);
    if (said === 'yes' && word.own) return true;
    hear(word.vendor, said);
  }
  return voices.size >= 2 && sure.size >= 1;
}

/** What is known of whether something takes place. */
export interface Cancelled {
  readonly state: Says;
  readonly by: Attribution | undefined;
}

/** From the fields of a leg or a booking; what only stands beside, unproven, is a `maybe`. */
export function cancelledBy(fields: Fields): Cancelled {
  const { status, operation } = fields;
  if (known(fields, 'status') === 'cancelled') return { state: 'yes', by: status?.by };
  if (known(fields, 'operation') === 'cancelled') return { state: 'yes', by: operation?.by };
  if (known(fields, 'operation') === 'cancelled-uncertain') return { state: 'maybe', by: operation?.by };
  if (status?.beside?.value === 'cancelled' && status.by.authority !== 'person')
    return { state: 'maybe', by: status.beside.by };
  return { state: 'no', by: status?.by ?? operation?.by };
}

/** Whether facts say that it does not take place. Who only sees that nothing moves any more says that it may be so. */
export function saysCancelled(ofLeg: Facts, ofBooking: Facts): Says {
  if ([ofLeg.status, ofLeg.operation, ofBooking.status].some((fact) => fact?.value === 'cancelled')) return 'yes';
  return ofLeg.operation?.value === 'cancelled-uncertain' ? 'maybe' : 'no';
}
