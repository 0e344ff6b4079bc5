/** `GET /v1/keys` for people: the keyring and how far the records have been sealed anew. */
import { type JsonObject, numberOf, objectOf, textOf } from '../domain/json-fields.js';
import { cell, record, table, timeCell } from './table.js';

const HEAD = ['KEY', 'SEALS', 'CONFIGURED', 'USES', 'REMOVABLE'];

export function keysText(status: JsonObject): string {
  const rows = keysOf(status).map((key) => [
    cell(key['id']),
    cell(key['seals']),
    cell(key['configured']),
    cell(key['uses']),
    cell(key['removable']),
  ]);
  return `${table(HEAD, rows)}\n${record([['re-sealing', resealText(objectOf(status['reseal']))]])}`;
}

/** Ids of keys that records need and the daemon does not have. */
export const missingKeys = (status: JsonObject): string[] =>
  keysOf(status)
    // `uses` is null until the records have been counted once.
    .filter((key) => key['configured'] === false && (key['seals'] === true || (numberOf(key['uses']) ?? 0) > 0))
    .map((key) => cell(key['id']));

const keysOf = (status: JsonObject): JsonObject[] => {
  const keys = status['keys'];
  return Array.isArray(keys) ? keys.map(objectOf) : [];
};

function resealText(reseal: JsonObject): string {
  const progress = `${cell(reseal['done'])} of ${cell(reseal['total'])} records under ${cell(reseal['target_key_id'])}`;
  if (reseal['running'] === true) return `${progress}, going on`;
  return textOf(reseal['finished_at']) === null
    ? 'not needed so far'
    : `${progress}, finished ${timeCell(reseal['finished_at'])}`;
}
