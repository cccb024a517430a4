import type { Fact, FactValue, Kind } from '../facts.ts';
import type { ExtractionWarning } from './claim.ts';
import { evidence } from './node.ts';

/** Facts being gathered; the first value of a path stays. */
export type FactDraft = Record<string, Fact>;

/** One leg for one or more people, as one place in a document states it. */
export interface Draft {
  readonly kind: Kind;
  readonly extractor: string;
  readonly where: string;
  /** Drafts of one reservation node or calendar event belong together, even without a number. */
  readonly unit: string;
  readonly reference: string;
  readonly providerName: string;
  readonly status: Fact | undefined;
  /** ISO instants. */
  readonly modifiedAt: string | undefined;
  readonly mailDate: string | undefined;
  readonly booking: FactDraft;
  readonly leg: LegDraft | undefined;
}

export interface LegDraft {
  readonly kind: Kind;
  readonly keys: readonly string[];
  readonly facts: FactDraft;
  /** Facts under `passenger.<person>.`, kept apart so that legs can be compared without them. */
  readonly passengers: FactDraft;
}

/** Collects warnings, each only once per code and message. */
export class Warnings {
  readonly all: ExtractionWarning[] = [];
  private readonly seen = new Set<string>();

  add(code: string, message: string, where?: string, raw = ''): void {
    const key = `${code} ${message}`;
    if (this.seen.has(key) || this.all.length >= WARNINGS_MAX) return;
    this.seen.add(key);
    this.all.push({ code, message, ...(where === undefined ? {} : { evidence: evidence(where, raw) }) });
  }
}
const WARNINGS_MAX = 50;

/** Writes facts that come from one node. */
export class FactWriter {
  readonly facts: FactDraft = {};
  private readonly where: string;

  constructor(where: string) {
    this.where = where;
  }

  /** Records a value found at a property; nothing where it is empty or the path is taken. */
  set(path: string, value: FactValue | undefined, property: string, raw?: string): void {
    if (value === undefined || value === '' || value === null || this.facts[path] !== undefined) return;
    const at = property === '' ? this.where : `${this.where}, ${property}`;
    this.facts[path] = { value, evidence: evidence(at, raw ?? String(value)) };
  }

  /** Records a value that a table of ours adds to what the document says. */
  derive(path: string, value: FactValue | undefined, table: string): void {
    if (value === undefined || value === '' || value === null || this.facts[path] !== undefined) return;
    this.facts[path] = { value, evidence: { where: table } };
  }
}
