import { isObject, type JsonValue } from './json-repair.ts';
import { firstText, list, text } from './node.ts';

export interface Money {
  /** Decimal number as string, `1234.56`. */
  readonly amount: string;
  /** ISO 4217, where it is known. */
  readonly currency?: string;
}

const SYMBOLS: readonly (readonly [RegExp, string])[] = [
  [/€/, 'EUR'],
  [/£/, 'GBP'],
  [/US\$/, 'USD'],
  [/\bCHF\b|\bFr\./, 'CHF'],
  [/zł/, 'PLN'],
  [/Kč/, 'CZK'],
];

/** A price as text, number or PriceSpecification. Undefined where there is no single amount in it. */
export function readMoney(value: JsonValue | undefined, currency: string): Money | undefined {
  for (const one of list(value)) {
    if (isObject(one)) {
      const inner = readMoney(
        one.price ?? one.value ?? one['@value'],
        firstText(one, 'priceCurrency', 'currency') || currency,
      );
      if (inner !== undefined) return inner;
      continue;
    }
    const printed = text(one);
    const amount = parseAmount(printed);
    if (amount === undefined) continue;
    const code = (
      currency ||
      (/\b([A-Z]{3})\b/.exec(printed)?.[1] ?? SYMBOLS.find(([sign]) => sign.test(printed))?.[1] ?? '')
    ).toUpperCase();
    return /^[A-Z]{3}$/.test(code) ? { amount, currency: code } : { amount };
  }
  return undefined;
}

/** `1.234,56`, `1,234.56`, `1 234.56 €`, `12'345.00` as a plain decimal number. A lone group of three is thousands. */
export function parseAmount(printed: string): string | undefined {
  const found = printed.match(/\d[\d.,'’\u00a0\u202f ]*/g);
  if (found?.length !== 1) return undefined;
  const digits = (found[0] ?? '').replace(/['’\u00a0\u202f ]/g, '').replace(/[.,]+$/, '');
  const lastDot = digits.lastIndexOf('.');
  const lastComma = digits.lastIndexOf(',');
  const decimalAt = Math.max(lastDot, lastComma);
  let plain: string;
  if (decimalAt === -1) plain = digits;
  else {
    const fraction = digits.slice(decimalAt + 1);
    const mark = digits[decimalAt] ?? '';
    const repeated = digits.indexOf(mark) !== decimalAt;
    const both = lastDot !== -1 && lastComma !== -1;
    const thousands = !both && fraction.length === 3 && (repeated || mark === ',');
    plain =
      thousands || repeated
        ? digits.replace(/[.,]/g, '')
        : `${digits.slice(0, decimalAt).replace(/[.,]/g, '')}.${fraction}`;
  }
  if (!/^\d{1,12}(\.\d{1,6})?$/.test(plain)) return undefined;
  return plain
    .replace(/^0+(?=\d)/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}
