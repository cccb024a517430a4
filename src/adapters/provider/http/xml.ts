import { Parser } from 'htmlparser2';
import { unreadable } from './failed.ts';

/**
 * An XML element: name and attributes without their prefixes, declarations of namespaces left out. Entities of a document's
 * own are never expanded.
 */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Text in it and below, trimmed. */
  readonly text: string;
}

const ELEMENTS_MAX = 50_000;
const DEPTH_MAX = 60;

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** Errors: transient `provider-answered-unreadable` for what has no single root, or more in it than any honest one. */
export function parseXml(text: string): XmlElement {
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [root];
  let count = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++count > ELEMENTS_MAX || open.length > DEPTH_MAX) throw unreadable('it has too many elements');
        const told = Object.entries(attributes).filter(([key]) => !/^xmlns(:|$)/.test(key));
        const own = told.map(([key, value]) => [local(key), value]);
        open.push({ name: local(name), attributes: Object.fromEntries(own), children: [], text: '' });
      },
      ontext: (part) => {
        open.at(-1)!.text += part;
      },
      onclosetag: () => {
        const done = open.pop()!;
        const parent = open.at(-1);
        if (parent === undefined) throw unreadable('its elements do not close');
        parent.children.push({ ...done, text: done.text.trim() });
        parent.text += ` ${done.text}`;
      },
    },
    { xmlMode: true, decodeEntities: true, recognizeSelfClosing: true },
  );
  parser.write(text);
  parser.end();
  const [first, ...others] = root.children;
  if (first === undefined || others.length > 0) throw unreadable('it is no XML document');
  return first;
}

/** All elements of that name, wherever they are, in order. */
export function all(element: XmlElement, name: string): readonly XmlElement[] {
  const found: XmlElement[] = [];
  const walk = (at: XmlElement): void => {
    for (const child of at.children) {
      if (child.name === name) found.push(child);
      walk(child);
    }
  };
  walk(element);
  return found;
}

/** Text of the first element of that name. */
export function textAt(element: XmlElement | undefined, name: string): string | undefined {
  const text = element === undefined ? undefined : all(element, name)[0]?.text;
  return text === '' ? undefined : text;
}

/** For what is put into a document of ours. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (sign) => `&#${sign.charCodeAt(0)};`).replace(/[^\t\n\x20-\uffff]/g, '');
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
