import { textOf } from '../../../domain/leg-points.ts';
import type { Reservation } from '../../../domain/reservation.ts';
import type { SubjectSpec } from '../../../ports/provider.ts';
import { bookingSubjectId, bookingSubjects } from '../booking/subjects.ts';

/** An itinerary, as it is printed on confirmations. */
export const ITINERARY = /^\d{12,14}$/;
/** Registered: the itinerary, and after `~` the e-mail address or the token that opens it. */
const REGISTERED = /^\d{6,20}(~[^\s~]{3,300})?$/;

export interface FollowRules {
  readonly account: string;
  /** The address that the agency books with. Without it, only itineraries registered with their own are asked about. */
  readonly email?: string | undefined;
  /** How the agency's own booking numbers begin: letters, digits and dashes. */
  readonly affiliatePrefix?: string | undefined;
}

/** What to ask: itineraries by id; numbers in mails that are itineraries or the agency's own. */
export function subjectsOf(reservation: Reservation, rules: FollowRules): readonly SubjectSpec[] {
  const { account, email, affiliatePrefix } = rules;
  // 28 characters is the longest that the vendor takes. No other company's numbers are ever told to it.
  const own = affiliatePrefix === undefined ? '' : `|^${affiliatePrefix}[A-Z0-9-]{1,27}$`;
  const lookUp = { kinds: ['stay'], reference: new RegExp(`${ITINERARY.source}${own}`, 'i') } as const;
  const specs = bookingSubjects(reservation, {
    account,
    label: 'Expedia itinerary',
    id: REGISTERED,
    ...(email === undefined ? {} : { lookUp }),
    more: nameOf,
  });
  return specs.flatMap((spec): SubjectSpec[] => {
    const { id: registeredAs, ...more } = spec.query;
    if (registeredAs === undefined) return [spec];
    const [id = '', access] = registeredAs.split('~');
    if (access === undefined) return email === undefined ? [] : [spec];
    return [{ ...spec, id: bookingSubjectId(id), query: { ...more, id, access, registeredAs } }];
  });
}

/** The house as the reservation calls it, where it is only one. */
function nameOf({ legs }: Reservation): Readonly<Record<string, string>> {
  const names = legs.flatMap((leg) =>
    leg.kind === 'stay' ? (textOf(leg.fields, 'name') ?? textOf(leg.fields, 'start.name') ?? []) : [],
  );
  return names.length === 1 ? { name: names[0]! } : {};
}
