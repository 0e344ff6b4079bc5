/** Sessions of the API as tables and records for people. Fields are read as found: a later daemon may send more. */
import { type JsonObject, objectOf } from '../domain/json-fields.js';
import { cell, record, table, timeCell } from './table.js';

const ROWS = [
  'session_id',
  'state',
  'app_id',
  'client_id',
  'open_id',
  'scopes',
  'granted_scopes',
  'missing_scopes',
  'reason',
  'message_id',
  'created_at',
  'expires_at',
  'ended_at',
  'failure_reason',
] as const;

/** Everything there is to say about one session; what it does not have is left out. */
export function sessionRecord(session: JsonObject): string {
  const detail = objectOf(session['failure_detail']);
  const pairs: (readonly [string, string])[] = [
    ...ROWS.map((name) => [name, show(name, session[name])] as const),
    ...Object.entries(detail).map(([name, value]) => [`failure_detail.${name}`, cell(value)] as const),
    ['next_session_id', cell(session['next_session_id'])],
    ...Object.entries(objectOf(session['metadata'])).map(
      ([name, value]) => [`metadata.${cell(name)}`, cell(value)] as const,
    ),
  ];
  return record(pairs.filter(([, value]) => value !== '-'));
}

const LIST_HEAD = ['SESSION', 'STATE', 'USER', 'CLIENT', 'CREATED', 'ENDS', 'WHY'];

/** One line a session; `ENDS` is when it ended or will end. */
export const sessionTable = (sessions: readonly JsonObject[]): string =>
  table(
    LIST_HEAD,
    sessions.map((session) => [
      cell(session['session_id']),
      cell(session['state']),
      cell(session['open_id']),
      cell(session['client_id']),
      timeCell(session['created_at']),
      timeCell(session['ended_at'] ?? session['expires_at']),
      cell(session['failure_reason']),
    ]),
  );

const show = (name: string, value: unknown): string => (name.endsWith('_at') ? timeCell(value) : cell(value));
