import { TripwatchError } from '../../src/domain/errors.ts';
import type {
  BatchResult,
  ChangedList,
  ProviderBoard,
  ProviderCapabilities,
  ReadResult,
  SubjectSpec,
  Unchanged,
} from '../../src/ports/provider.ts';
import type { ManualClock } from '../contract/broker/manual-clock.ts';
import { FakeProvider } from './track.testing.ts';

interface Can {
  readonly readManyMax?: number;
  /** What stands before the first dash is asked in calls of its own. */
  readonly batches?: true;
  /** Calls that a board costs; `fra-1` and `fra-2` stand on the board `fra`. */
  readonly board?: number;
  readonly token?: boolean;
  readonly listEveryMs?: number;
}

/** A provider with what it can do besides `readOne`. Each call is counted once, whatever it brings. */
export class CapableProvider extends FakeProvider {
  override readonly capabilities: ProviderCapabilities;
  readonly readMany?: (subjects: readonly SubjectSpec[]) => Promise<readonly BatchResult[]>;
  readonly batchOf?: (subject: SubjectSpec) => string;
  readonly board?: ProviderBoard;
  readonly readIfChanged?: (subject: SubjectSpec, token: string) => Promise<ReadResult | Unchanged>;
  readonly listChanged?: (cursor: string | undefined) => Promise<ChangedList>;
  /** Every call: `one`, `many`, `board`, `if`, `list`, with what it was about. */
  readonly log: { readonly how: string; readonly about: readonly string[]; readonly at: number }[] = [];
  /** A call as a whole fails. */
  fails: (how: string) => Error | undefined = () => undefined;
  /** What is on the list of changes since a cursor (its length). */
  listed: string[] = [];
  /** Who does not stand on its board. */
  isMissing: (id: string) => boolean = () => false;
  readonly #now: () => number;

  constructor(clock: ManualClock, can: Can) {
    super(clock);
    this.#now = () => clock.now();
    const { batches, board, listEveryMs, readManyMax, token } = can;
    if (batches === true) this.batchOf = ({ id }) => id.split('-')[0]!;
    this.capabilities = {
      covers: ['booking'],
      readOne: true,
      push: 'signed',
      ...(readManyMax === undefined ? {} : { readManyMax }),
      ...(board === undefined ? {} : { board: { calls: board } }),
      ...(token === true ? { equalityToken: true } : {}),
      ...(listEveryMs === undefined ? {} : { listChanged: true, listEveryMs }),
    };
    if (readManyMax !== undefined)
      this.readMany = async (subjects) => {
        this.#call('many', subjects);
        return subjects.map((one) => this.#among(one));
      };
    if (board !== undefined)
      this.board = {
        keyOf: ({ id }) => id.split('-')[0],
        read: async (_key, subjects) => {
          this.#call('board', subjects);
          return subjects.map((one) => (this.isMissing(one.id) ? { kind: 'unanswered' } : this.#among(one)));
        },
      };
    if (token === true)
      this.readIfChanged = async (subject, known) => {
        this.#call('if', [subject]);
        const answer = this.answerOn(subject);
        if (answer.kind === 'absent') return answer;
        return answer.digest === known ? { kind: 'unchanged' } : { ...answer, token: answer.digest };
      };
    if (listEveryMs !== undefined)
      this.listChanged = async (cursor) => {
        this.#call('list', []);
        const from = Number(cursor ?? 0);
        const wakes = this.listed.slice(from, from + 2);
        return { cursor: String(from + wakes.length), wakes, more: from + wakes.length < this.listed.length };
      };
  }

  override async readOne(subject: SubjectSpec): Promise<ReadResult> {
    this.#call('one', [subject]);
    const answer = await super.readOne(subject);
    return answer.kind === 'found' && this.readIfChanged !== undefined ? { ...answer, token: answer.digest } : answer;
  }

  counted(how: string, since = 0): number {
    return this.log.filter((call) => call.how === how && call.at >= since).length;
  }

  #call(how: string, subjects: readonly SubjectSpec[]): void {
    this.log.push({ how, about: subjects.map(({ id }) => id), at: this.#now() });
    const failure = this.fails(how);
    if (failure !== undefined) throw failure;
  }

  #among(subject: SubjectSpec): BatchResult {
    try {
      return this.answerOn(subject);
    } catch (error) {
      if (error instanceof TripwatchError) return { kind: 'failed', error };
      throw error;
    }
  }
}
