import type { ErrorKind } from '../../../domain/errors.ts';
import type { ExtractionResult } from '../../../domain/extract/claim.ts';
import type { DocumentInput } from '../../../domain/extract/document.ts';

/** What crosses between the pool and its threads. */
export interface Job {
  readonly id: number;
  readonly input: DocumentInput;
}

export type Answer =
  | { readonly id: number; readonly result: ExtractionResult }
  | {
      readonly id: number;
      readonly failure: { readonly kind: ErrorKind; readonly code: string; readonly message: string };
    };
