import type { Disposition, MailReceipt } from '../../ports/store/mails.ts';

const READ = 'It can be read after all.';
const FORWARD = 'Forward the mail, or add the reservation by hand.';

/**
 * What its owner can do to undo what became of a mail, or to go on, in words for the page, REST and the command line.
 *
 * @param askable it can be read after all
 */
export function undoOf(
  { disposition, reservations }: Pick<MailReceipt, 'disposition' | 'reservations'>,
  askable: boolean,
): string {
  const again = askable ? READ : FORWARD;
  const words: Readonly<Record<Disposition, string>> = {
    imported:
      reservations.length === 0
        ? 'What it brought is no longer here, so there is nothing to undo.'
        : 'To undo it, take the reservation out of the trips, which can be taken back; or correct it by hand.',
    merged:
      'It changed nothing, so there is nothing to undo. Where it was joined to the wrong reservation, correct that by ' +
      'hand or take it out.',
    duplicate:
      'It changed nothing, so there is nothing to undo: what the mail before it brought is undone on the receipt of ' +
      'that one.',
    'nothing-found': 'If there is a reservation in it, add that by hand.',
    skipped: again,
    'needs-you': 'Do what it asks, or not; then say that it is done.',
    'too-large': 'Forward the mail without its large attachments, or add the reservation by hand.',
    vanished: `It is read when it comes back to a folder that is watched. ${again}`,
    quarantined: askable ? `If you know better: ${READ.toLowerCase()}` : `If you know better: ${FORWARD.toLowerCase()}`,
    failed: 'The operator can have it read again (dead letters). Until then, add the reservation by hand.',
    seen: 'Nothing to do: it is read in a moment.',
    collected: 'Nothing to do: it is being read.',
  };
  return words[disposition];
}
