import { rng } from '../random.ts';
import { instantOf, localDayOf } from './time.ts';
import { MINUTE, type Scenario } from './types.ts';

/**
 * Trains of the day. A timetable beside the airports' day, drawn from streams of its own: nothing of the rest depends
 * on it, and whoever has no use for trains pays nothing for them.
 */
export interface Station {
  readonly id: string;
  /** As the timetable has it. */
  readonly name: string;
  /** As tickets print it. */
  readonly printed: string;
  readonly zone: string;
}

export interface Call {
  readonly station: Station;
  readonly arrival?: number;
  readonly departure?: number;
  readonly track: string;
}

export type TrainScript =
  | 'plain'
  | 'delay'
  | 'delay-recovers'
  | 'track-change'
  | 'cancelled'
  | 'reinstated'
  | 'cut-short'
  | 'moved';

export interface TrainState {
  readonly delayMs: number;
  readonly cancelled: boolean;
  /** The call that has another track, and the track. */
  readonly track?: { readonly call: number; readonly to: string };
  /** Calls from this one on are cancelled. */
  readonly endsBefore?: number;
  /** The timetable itself is later by so much. */
  readonly movedMs: number;
}

export interface Train {
  readonly id: string;
  /** `ICE`. */
  readonly kind: string;
  readonly number: string;
  readonly agency: string;
  readonly calls: readonly Call[];
  readonly script: TrainScript;
  readonly steps: readonly { readonly at: number; readonly set: Partial<TrainState> }[];
}

const station = (id: string, name: string, zone: string, printed = name): Station => ({ id, name, printed, zone });
const DE = 'Europe/Berlin';
const HAMBURG = station('de_1', 'Hamburg Hbf', DE);
const BERLIN = station('de_2', 'S+U Berlin Hauptbahnhof', DE, 'Berlin Hbf');
const SUEDKREUZ = station('de_3', 'Berlin Südkreuz', DE);
const LEIPZIG = station('de_4', 'Leipzig Hbf', DE);
const FRANKFURT = station('de_5', 'Frankfurt (Main) Hauptbahnhof', DE, 'Frankfurt(Main)Hbf');
const COLOGNE = station('de_6', 'Köln Hbf', DE);
const UTRECHT = station('nl_1', 'Utrecht Centraal', 'Europe/Amsterdam');
const AMSTERDAM = station('nl_2', 'Amsterdam Centraal', 'Europe/Amsterdam', 'Amsterdam Central');
const LYON = station('fr_1', 'Lyon Part Dieu', 'Europe/Paris', 'Lyon Part-Dieu');
const PARIS = station('fr_2', 'Paris Gare de Lyon Hall 1 - 2', 'Europe/Paris', 'Paris Gare de Lyon');
const ST_PANCRAS = station('gb_1', 'London St Pancras International', 'Europe/London', 'London St Pancras Intl');
const LISBON = station('pt_1', 'Lisboa Oriente', 'Europe/Lisbon');
const PORTO = station('pt_2', 'Porto Campanhã', 'Europe/Lisbon');

/** Minutes from the first stop. */
const LINES: readonly { kind: string; agency: string; stops: readonly (readonly [Station, number])[] }[] = [
  {
    kind: 'ICE',
    agency: 'DB Fernverkehr AG',
    stops: [
      [HAMBURG, 0],
      [BERLIN, 102],
      [SUEDKREUZ, 108],
      [LEIPZIG, 175],
      [FRANKFURT, 370],
    ],
  },
  {
    kind: 'ICE',
    agency: 'DB Fernverkehr AG',
    stops: [
      [FRANKFURT, 0],
      [COLOGNE, 65],
      [UTRECHT, 200],
      [AMSTERDAM, 232],
    ],
  },
  {
    kind: 'TGV INOUI',
    agency: 'SNCF',
    stops: [
      [PARIS, 0],
      [LYON, 118],
    ],
  },
  {
    kind: 'EST',
    agency: 'Eurostar',
    stops: [
      [ST_PANCRAS, 0],
      [AMSTERDAM, 237],
    ],
  },
  {
    kind: 'AP',
    agency: 'CP',
    stops: [
      [PORTO, 0],
      [LISBON, 165],
    ],
  },
];

const SCRIPTS: readonly TrainScript[] = [
  'delay',
  'plain',
  'track-change',
  'cancelled',
  'cut-short',
  'delay-recovers',
  'reinstated',
  'moved',
];
const PER_LINE = 5;

const made = new WeakMap<Scenario, readonly Train[]>();

export function trainsOf(scenario: Scenario): readonly Train[] {
  const known = made.get(scenario);
  if (known !== undefined) return known;
  const trains = LINES.flatMap((line, l) =>
    Array.from({ length: PER_LINE }, (_, n) => {
      const draw = rng(scenario.options.seed, 'train', l, n);
      const [{ zone }] = line.stops[0]!;
      const day = localDayOf(scenario.options.startAt, zone);
      const hour = String(5 + n * 3).padStart(2, '0');
      const start = instantOf(day, `${hour}:${String(draw.int(0, 59)).padStart(2, '0')}`, zone);
      const number = String(draw.int(20, 9899));
      const script = SCRIPTS[(l * PER_LINE + n) % SCRIPTS.length]!;
      const calls = line.stops.map(([at, minutes], i): Call => {
        const time = start + minutes * MINUTE;
        return {
          station: at,
          track: String(draw.int(1, 24)),
          ...(i === 0 ? {} : { arrival: time - 2 * MINUTE }),
          ...(i === line.stops.length - 1 ? {} : { departure: time }),
        };
      });
      const kind = line.kind;
      const id = `${kind} ${number}/${day}`;
      return { id, kind, number, agency: line.agency, calls, script, steps: stepsOf(script, start, draw.int(6, 90)) };
    }),
  );
  made.set(scenario, trains);
  return trains;
}

function stepsOf(script: TrainScript, start: number, minutes: number): Train['steps'] {
  const at = (before: number) => start - before * MINUTE;
  const delay = { at: at(50), set: { delayMs: minutes * MINUTE } };
  switch (script) {
    case 'plain':
      return [];
    case 'delay':
      return [delay];
    case 'delay-recovers':
      return [delay, { at: at(10), set: { delayMs: 0 } }];
    case 'track-change':
      return [{ at: at(25), set: { track: { call: 0, to: '99' } } }];
    case 'cancelled':
      return [delay, { at: at(30), set: { cancelled: true } }];
    case 'reinstated':
      return [
        { at: at(120), set: { cancelled: true } },
        { at: at(40), set: { cancelled: false } },
      ];
    case 'cut-short':
      return [{ at: at(20), set: { endsBefore: 1 } }];
    case 'moved':
      return [{ at: at(300), set: { movedMs: 25 * MINUTE } }];
  }
}

export function trainAt(train: Train, at: number): TrainState {
  let state: TrainState = { delayMs: 0, cancelled: false, movedMs: 0 };
  for (const step of train.steps) if (step.at <= at) state = { ...state, ...step.set };
  return state;
}
