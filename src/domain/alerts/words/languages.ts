import { de } from './de.ts';
import { en, type Words } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { it } from './it.ts';
import { nl } from './nl.ts';
import { pt } from './pt.ts';

/** The languages that alerts are written in, by the first part of a BCP 47 tag. */
export const LANGUAGES: Readonly<Record<string, Words>> = { en, de, fr, es, it, nl, pt };

/** `known`: there are words of it; else they are English. */
export function languageOf(locale: string): { readonly words: Words; readonly known: boolean } {
  const words = LANGUAGES[locale.split(/[-_]/)[0]!.toLowerCase()];
  return words === undefined ? { words: en, known: false } : { words, known: true };
}
