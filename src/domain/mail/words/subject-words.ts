import { ACCOUNT_WORDS, MARKETING_WORDS, OTHER_WORDS } from './counter-words.ts';
import { BOOKING_WORDS, DOCUMENT_WORDS, PROCESS_WORDS, THING_WORDS } from './travel-words.ts';

/**
 * Which groups of words a subject holds. The words are data (travel-words.ts, counter-words.ts), parted by bars, each in
 * the form that `foldSubject` gives and compared with whole words, unless a star says that the word goes on (`flug*`) or
 * that it may be any part of one (`*buchung*`: German, Dutch and the Nordic languages join words, Turkish adds endings).
 * Chinese and Japanese write no blanks: any part counts.
 *
 * A word that means something else in another of the languages stands only in a form that does not: Polish `lot` (a flight)
 * is an English word, French `vol` a German and a Spanish one.
 */
export const SUBJECT_LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'sv', 'tr', 'ja', 'zh'] as const;
export type SubjectLanguage = (typeof SUBJECT_LANGUAGES)[number];

export const SUBJECT_WORDS = {
  document: DOCUMENT_WORDS,
  booking: BOOKING_WORDS,
  thing: THING_WORDS,
  process: PROCESS_WORDS,
  marketing: MARKETING_WORDS,
  account: ACCOUNT_WORDS,
  other: OTHER_WORDS,
} as const;
export type WordGroup = keyof typeof SUBJECT_WORDS;

/** The words of a group and language. */
export function wordsOf(group: WordGroup, language: SubjectLanguage): readonly string[] {
  return SUBJECT_WORDS[group][language].split(/[|\n]/);
}

/**
 * Lower case, without accents and punctuation, one blank between words: `Ihr Flug – bestätigt!` → `ihr flug bestatigt`.
 * The same on every machine: no locale is asked, and the dotted and dotless i of Turkish are both `i`, so that
 * `UÇUŞ İPTALİ`, `uçuş iptali` and `Uçuş Iptalı` are one text.
 */
export function foldSubject(text: string): string {
  return (
    text
      .slice(0, SUBJECT_CHARS_MAX)
      .normalize('NFKD')
      // Only accents of Latin letters: Japanese voicing marks make another letter.
      .replace(/[\u0300-\u036f]/g, '')
      .normalize('NFC')
      .toLowerCase()
      .replace(/[ıßøæœłđðþ]/g, (letter) => LETTERS[letter] ?? letter)
      .replace(/[^\p{L}\p{N}%]+/gu, ' ')
      .trim()
  );
}

const SUBJECT_CHARS_MAX = 300;
const LETTERS: Readonly<Record<string, string>> = {
  ı: 'i',
  ß: 'ss',
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
};

/** The first word of each group that a folded subject holds. */
export function findWords(folded: string): Readonly<Partial<Record<WordGroup, string>>> {
  const text = ` ${folded} `;
  const found: Partial<Record<WordGroup, string>> = {};
  for (const { group, pattern } of PATTERNS) {
    const match = pattern.exec(text);
    if (match !== null) found[group] = match[0].trim();
  }
  return found;
}

/** One alternation a group: plain words only, no repetition, so the time is linear in the subject. */
const PATTERNS = (Object.keys(SUBJECT_WORDS) as WordGroup[]).map((group) => {
  const words = new Set(SUBJECT_LANGUAGES.flatMap((language) => wordsOf(group, language)));
  // The longest first, because the first that fits is the one that is named to people.
  const sources = [...words].sort((a, b) => b.length - a.length).map(sourceOf);
  return { group, pattern: new RegExp(sources.join('|')) };
});

function sourceOf(word: string): string {
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(word)) return word;
  const before = word.startsWith('*') ? '' : ' ';
  const after = word.endsWith('*') ? '' : '(?= )';
  return before + word.replaceAll('*', '') + after;
}
