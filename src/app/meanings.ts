/**
 * What a trouble or a failed session means and what to do, from the tables of `feishu-authd explain`, which the command
 * line passes in. Decides in which of them to look, as the same number means different things in different places.
 */
import type { Meaning, Trouble } from '../domain/fleet.js';

export type MeaningPlace =
  | 'failure_reason'
  | 'token_endpoint'
  | 'user_info'
  | 'messages'
  | 'long_connection'
  | 'any_api'
  | 'log';

/** null: no table knows the code there. */
export type Explain = (code: string, place: MeaningPlace) => Meaning | null;

/** Where a code of Feishu was met, by the beginning of the event's name; then in what all APIs answer. */
const PLACES: readonly (readonly [prefix: string, place: MeaningPlace])[] = [
  ['ws.', 'long_connection'],
  ['card.', 'messages'],
  ['notice.', 'messages'],
  ['grant.withdrawal', 'messages'],
  ['grant.not_verified', 'user_info'],
  ['session.confirming', 'user_info'],
  ['token.', 'token_endpoint'],
  ['grant.', 'token_endpoint'],
  ['link.', 'token_endpoint'],
  ['redirect.', 'token_endpoint'],
  ['session.', 'token_endpoint'],
];

type Known = Pick<Trouble, 'event' | 'cause' | 'feishuCode'>;

export function meaningOf(explain: Explain, { cause, event, feishuCode }: Known): Meaning | null {
  const place = PLACES.find(([prefix]) => event.startsWith(prefix))?.[1];
  if (feishuCode !== null) {
    const code = String(feishuCode);
    // A failed session: its card, its link or who consented.
    const elsewhere = event === 'session.failed' ? (['messages', 'user_info'] as const) : [];
    for (const each of [...(place === undefined ? [] : [place]), ...elsewhere, 'any_api'] as const) {
      const meaning = explain(code, each);
      if (meaning !== null) return meaning;
    }
  }
  const byCause =
    cause === null ? null : explain(cause, event === 'session.failed' ? 'failure_reason' : 'long_connection');
  return byCause ?? explain(event, 'log');
}
