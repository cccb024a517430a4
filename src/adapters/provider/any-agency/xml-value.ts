import { TripwatchError } from '../../../domain/errors.ts';
import { unreadable } from '../http/failed.ts';
import { parseXml, type XmlElement } from '../http/xml.ts';

/**
 * A document of XML as the plain object that expressions and simple paths go through: `{root: …}`. An element with text
 * alone is that text; one that stands several times is a list; attributes are fields like any other (an element of that
 * name goes first), and the text beside them is `text`. Prefixes are left out, and so is an envelope of SOAP around it.
 *
 * Errors, all transient: `provider-answered-html`; `provider-answered-garbage` for what is no XML at all;
 * `provider-answered-unreadable`, also for a document type, because nothing honest needs one here.
 */
export function xmlValue(text: string): Readonly<Record<string, unknown>> {
  if (/^\s*<(!doctype\s+html|html)\b/i.test(text))
    throw new TripwatchError(
      'transient',
      'provider-answered-html',
      'The provider answered with a web page, not with XML.',
    );
  if (!/^\ufeff?\s*</.test(text))
    throw new TripwatchError(
      'transient',
      'provider-answered-garbage',
      "The provider's answer is no XML. It is asked again.",
    );
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw unreadable('it brings a document type');
  const root = inEnvelope(parseXml(text));
  return Object.fromEntries([[root.name, valueOfElement(root)]]);
}

function inEnvelope(root: XmlElement): XmlElement {
  if (root.name !== 'Envelope') return root;
  return root.children.find((one) => one.name === 'Body')?.children[0] ?? root;
}

function valueOfElement({ attributes, children, text }: XmlElement): unknown {
  const named = Object.entries(attributes);
  if (named.length === 0 && children.length === 0) return text;
  const fields = new Map<string, unknown>(children.length === 0 && text !== '' ? [['text', text], ...named] : named);
  const lists = Map.groupBy(children, (child) => child.name);
  for (const [name, items] of lists) {
    const values = items.map(valueOfElement);
    fields.set(name, values.length === 1 ? values[0] : values);
  }
  // Own fields, whatever they are called.
  return Object.fromEntries(fields);
}
