import { InvalidArgumentError } from 'commander';

/** A whole number of an option, within bounds, with a message that says so. */
export function count(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`${option} takes a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
