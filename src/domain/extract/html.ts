import { Tokenizer } from 'htmlparser2';
import type { JsonObject, JsonValue } from './json-repair.ts';
import type { ExtractLimits } from './limits.ts';

/**
 * Finds structured data in HTML: the texts of JSON-LD scripts, and microdata items as JSON-LD-like objects. It works on
 * tokens with a stack of its own and closes nothing that the mail does not close: mails put `div` in `p` and `meta` in
 * `head`, and a tree built by the rules of HTML would tear their items apart. Time is linear in the length.
 */
export interface HtmlData {
  readonly scripts: readonly string[];
  /** Top-level microdata items of schema.org types. */
  readonly items: readonly JsonObject[];
  /** Some data was left out because of a limit. */
  readonly truncated: boolean;
}

interface Item {
  readonly value: Record<string, JsonValue>;
  readonly depth: number;
}
interface Property {
  readonly names: readonly string[];
  readonly item: Item;
  text: string;
  /** Taken where the element has no text. */
  readonly fallback: string | undefined;
}
interface OpenElement {
  readonly name: string;
  readonly item: Item | undefined;
  readonly property: Property | undefined;
  readonly script: boolean;
}

const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const VALUE_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  meta: ['content', 'value'],
  link: ['href', 'content'],
  img: ['src', 'content'],
  time: ['datetime', 'content'],
  data: ['value', 'content'],
  meter: ['value', 'content'],
};
/** Deeper nesting is parsed but opens no further scopes: a close tag is looked for only this far up. */
const OPEN_MAX = 4096;
const TEXT_MAX = 2000;

export function readHtml(html: string, limits: ExtractLimits): HtmlData {
  const scripts: string[] = [];
  const items: JsonObject[] = [];
  const open: OpenElement[] = [];
  const openCounts = new Map<string, number>();
  const itemStack: Item[] = [];
  const textProperties: Property[] = [];
  let truncated = false;
  let values = 0;
  let tag = '';
  let attributes = new Map<string, string>();
  let attributeName = '';
  let attributeText = '';
  let scriptText: string[] | undefined;

  function add(item: Item, names: readonly string[], value: JsonValue): void {
    for (const name of names) {
      if (++values > limits.microdataValuesMax) {
        truncated = true;
        return;
      }
      const before = item.value[name];
      if (before === undefined) item.value[name] = value;
      else if (Array.isArray(before)) (before as JsonValue[]).push(value);
      else item.value[name] = [before, value];
    }
  }

  function openTag(selfClosing: boolean): void {
    const names = (attributes.get('itemprop') ?? '')
      .split(/\s+/)
      .filter((name) => /^[\w:./-]{1,80}$/.test(name) && name !== '__proto__');
    const owner = itemStack.at(-1);
    let item: Item | undefined;
    let property: Property | undefined;
    if (attributes.has('itemscope') || (attributes.has('itemtype') && names.length > 0)) {
      const type = (attributes.get('itemtype') ?? '').trim().split(/\s+/)[0] ?? '';
      item = { value: Object.create(null) as Record<string, JsonValue>, depth: (owner?.depth ?? 0) + 1 };
      if (type !== '') item.value['@type'] = type.slice(0, 200);
      if (item.depth > limits.nodeDepthMax) truncated = true;
      else if (owner !== undefined && names.length > 0) add(owner, names, item.value);
      else if (/schema\.org/i.test(type)) {
        if (++values > limits.microdataValuesMax) truncated = true;
        else items.push(item.value);
      }
    } else if (names.length > 0 && owner !== undefined) {
      const direct = (VALUE_ATTRIBUTES[tag] ?? ['content'])
        .map((name) => attributes.get(name))
        .find((text) => text !== undefined);
      if (direct !== undefined) add(owner, names, direct.slice(0, TEXT_MAX));
      else property = { names, item: owner, text: '', fallback: attributes.get('href') ?? attributes.get('src') };
    }
    if (VOID.has(tag) || selfClosing) {
      if (property?.fallback !== undefined) add(property.item, property.names, property.fallback.slice(0, TEXT_MAX));
      return;
    }
    const script = tag === 'script';
    if (script && /ld\+json/i.test(attributes.get('type') ?? '')) scriptText = [];
    if (open.length >= OPEN_MAX) {
      if (item !== undefined || property !== undefined) truncated = true;
      return;
    }
    open.push({ name: tag, item, property, script });
    openCounts.set(tag, (openCounts.get(tag) ?? 0) + 1);
    if (item !== undefined) itemStack.push(item);
    if (property !== undefined) textProperties.push(property);
  }

  function shut(element: OpenElement): void {
    openCounts.set(element.name, (openCounts.get(element.name) ?? 1) - 1);
    if (element.item !== undefined) itemStack.pop();
    if (element.property !== undefined) {
      textProperties.pop();
      const text = element.property.text.replace(/\s+/g, ' ').trim() || element.property.fallback?.slice(0, TEXT_MAX);
      if (text) add(element.property.item, element.property.names, text);
    }
    if (element.script && scriptText !== undefined) {
      scripts.push(scriptText.join(''));
      scriptText = undefined;
    }
  }

  function closeTag(name: string): void {
    // A close tag that nothing opened is passed over; counting makes that cheap for a million of them.
    if ((openCounts.get(name) ?? 0) === 0) return;
    let index = open.length - 1;
    while (index >= 0 && open[index]?.name !== name) {
      // A stray `</p>` of an outer paragraph must not end the item inside it.
      if (name === 'p' && open[index]?.item !== undefined) return;
      index--;
    }
    while (open.length > index) {
      const element = open.pop();
      if (element !== undefined) shut(element);
    }
  }

  function text(piece: string): void {
    if (scriptText !== undefined) {
      scriptText.push(piece);
      return;
    }
    for (const property of textProperties) {
      if (property.text.length < TEXT_MAX) property.text += piece.slice(0, TEXT_MAX - property.text.length);
    }
  }

  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) => {
        tag = html.slice(start, end).toLowerCase();
        attributes = new Map();
      },
      onattribname: (start, end) => {
        attributeName = html.slice(start, end).toLowerCase();
        attributeText = '';
      },
      onattribdata: (start, end) => {
        if (wanted(attributeName)) attributeText += html.slice(start, end);
      },
      onattribentity: (codepoint) => {
        if (wanted(attributeName)) attributeText += String.fromCodePoint(codepoint);
      },
      onattribend: () => {
        if (wanted(attributeName) && !attributes.has(attributeName)) attributes.set(attributeName, attributeText);
      },
      onopentagend: () => openTag(false),
      onselfclosingtag: () => openTag(true),
      onclosetag: (start, end) => closeTag(html.slice(start, end).trim().toLowerCase()),
      ontext: (start, end) => {
        if (scriptText !== undefined || textProperties.length > 0) text(html.slice(start, end));
      },
      ontextentity: (codepoint) => {
        if (scriptText !== undefined || textProperties.length > 0) text(String.fromCodePoint(codepoint));
      },
      oncdata: (start, end, offset) => {
        if (scriptText !== undefined) text(html.slice(start, end - offset));
      },
      oncomment: () => {},
      ondeclaration: () => {},
      onprocessinginstruction: () => {},
      onend: () => {},
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  while (open.length > 0) {
    const element = open.pop();
    if (element !== undefined) shut(element);
  }
  return { scripts, items, truncated };
}

const WANTED_ATTRIBUTES = new Set('itemscope itemtype itemprop content value href src datetime type'.split(' '));
function wanted(name: string): boolean {
  return WANTED_ATTRIBUTES.has(name);
}
