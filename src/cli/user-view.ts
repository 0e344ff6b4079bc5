/** What the API says about a user's grant, as a record for people; and that without any token. */
import { type JsonObject, objectOf } from '../domain/json-fields.js';
import { cell, record, timeCell } from './table.js';

/** Members of a grant or of a token answer that may be shown. The access token is not among them. */
const SHOWN = [
  'status',
  'token_type',
  'scopes',
  'authorized_at',
  'expires_at',
  'expires_in',
  'refresh_expires_at',
  'renewable',
] as const;

/** Only what may be shown. */
export function withoutTokens(answer: unknown): JsonObject {
  const fields = objectOf(answer);
  return Object.fromEntries(SHOWN.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]));
}

export const userRecord = (answer: unknown): string =>
  record(
    Object.entries(withoutTokens(answer)).map(([name, value]) => [
      name,
      name.endsWith('_at') ? timeCell(value) : cell(value),
    ]),
  );
