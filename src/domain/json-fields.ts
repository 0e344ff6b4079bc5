/**
 * Reads fields out of JSON somebody else wrote: the value when it has the right shape, else null. Feishu sends numbers
 * as strings here and there, and leaves fields out.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** An object that is no array; anything else reads as an empty one. */
export const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** A string that is not empty. */
export const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** A finite number, also written as a string of decimal digits. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || !/^\s*-?\d{1,15}(\.\d{1,15})?\s*$/.test(value)) return null;
  return Number(value);
}

/** A number above zero, cut to whole units and held within the bounds; null when there is none. */
export function positiveWithin(value: unknown, least: number, most: number): number | null {
  const number = numberOf(value);
  if (number === null || number <= 0) return null;
  return Math.min(most, Math.max(least, Math.trunc(number)));
}
