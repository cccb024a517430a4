/**
 * Structured lines: a constant message, values in fields. Never mail bodies, names, locators or tokens.
 * Expected outcomes are debug; what an operator must act on is error.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;
