/** What the listener tells senders: a code for their mail server, a sentence for the person who reads the bounce. */
export class SmtpReply extends Error {
  override readonly name = 'SmtpReply';
  readonly responseCode: number;

  constructor(responseCode: number, message: string) {
    super(message);
    this.responseCode = responseCode;
  }
}

export const REPLIES = {
  unknownAddress: (domain: string) =>
    new SmtpReply(
      550,
      `There is no such forwarding address here. Copy yours again from Tripwatch; it looks like plans+...@${domain}`,
    ),
  tooManyUnknown: () => new SmtpReply(421, 'Too many unknown recipients; closing'),
  paused: () => new SmtpReply(450, 'This forwarding address is paused by its owner; the mail can be sent again later'),
  overloaded: () => new SmtpReply(421, 'Too much is waiting to be read here; please try again in a minute'),
  closing: () => new SmtpReply(421, 'Tripwatch is shutting down; please try again in a minute'),
  tooManyConnections: () => new SmtpReply(421, 'Too many connections from your address; please try again in a minute'),
  tooManyMails: () => new SmtpReply(421, 'Too many mails from your address in a minute; please slow down'),
  tooLarge: (maxBytes: number) =>
    new SmtpReply(552, `The mail is larger than ${maxBytes} bytes; send it without its large attachments`),
  empty: () => new SmtpReply(554, 'The mail has no content; forward it again'),
  notStored: () => new SmtpReply(451, 'The mail could not be stored and was not accepted; please send it again later'),
  lookUpFailed: () => new SmtpReply(451, 'The address could not be looked up; please send the mail again later'),
} as const;
