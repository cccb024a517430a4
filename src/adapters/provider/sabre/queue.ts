import { unreadable } from '../http/failed.ts';
import { FAILURES, type Failure } from '../http/failures.ts';
import { all, escapeXml, parseXml } from '../http/xml.ts';

/**
 * Queues of an agency: the airline's schedule changes land there. They are only looked at, nothing is ever taken off: that
 * is the agency's own work.
 */

/** SOAP of one queue's list. The token of the REST interface is good here too. */
export function queueRequest(token: string, pcc: string, queue: string, conversation: string): string {
  const [t, p, q, c] = [token, pcc, queue, conversation].map(escapeXml);
  return `<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>
<MessageHeader xmlns="http://www.ebxml.org/namespaces/messageHeader"><From><PartyId>Agency</PartyId></From>
<To><PartyId>Sabre_API</PartyId></To><CPAId>${p}</CPAId><ConversationId>${c}</ConversationId>
<Action>QueueAccessLLSRQ</Action></MessageHeader>
<Security xmlns="http://schemas.xmlsoap.org/ws/2002/12/secext"><BinarySecurityToken>${t}</BinarySecurityToken></Security>
</soap:Header><soap:Body>
<QueueAccessRQ Version="2.1.0" xmlns="http://webservices.sabre.com/sabreXML/2011/10">
<QueueIdentifier Number="${q}" PseudoCityCode="${p}"><List Ind="true" PrimaryPassenger="true"/></QueueIdentifier>
</QueueAccessRQ></soap:Body></soap:Envelope>`;
}

/** Locators on the queue, or the vendor's refusal. Errors: transient `provider-answered-unreadable`. */
export function locatorsOf(xml: string): readonly string[] | { readonly refused: Failure } {
  const root = parseXml(xml);
  const fault = all(root, 'faultcode')[0]?.text;
  if (fault !== undefined)
    return { refused: /security|authori[sz]|token/i.test(fault) ? FAILURES.unauthorised : FAILURES.failed };
  if (all(root, 'QueueAccessRS').length === 0) throw unreadable('it has no QueueAccessRS');
  const [state] = all(root, 'ApplicationResults');
  if (state?.attributes.status !== undefined && state.attributes.status !== 'Complete')
    return { refused: FAILURES.failed };
  const ids = all(root, 'Line').flatMap((line) => all(line, 'UniqueID').map((one) => one.attributes.ID ?? ''));
  return [...new Set(ids.filter((id) => /^[A-Z0-9]{6}$/.test(id)))].sort();
}
