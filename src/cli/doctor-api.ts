/** The running daemon as the round trip of `doctor` needs it: the calls of `send`, `sessions` and `users`. */

import type { Blame } from '../doctor/finding.js';
import type { ApiTrouble, RoundTripApi } from '../doctor/round-trip.js';
import { objectOf } from '../domain/json-fields.js';
import type { ApiClient } from './api-client.js';
import { pathTo } from './api-path.js';
import { ApiRefusal } from './api-problem.js';
import { CommandFailure, type ExitCode } from './command-failure.js';
import { EXIT } from './exit-codes.js';
import { followSession } from './follow-session.js';

export interface RoundTripApiDeps {
  readonly api: ApiClient;
  readonly note: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export const createRoundTripApi = ({ api, note, now }: RoundTripApiDeps): RoundTripApi => ({
  ask: async (body) => objectOf(await api.call({ method: 'POST', path: '/v1/sessions', body })),
  follow: (session, onState, signal) =>
    followSession(session, { api, note, now, onSession: () => undefined, onState, signal }),
  show: async (sessionId) => objectOf(await api.call({ method: 'GET', path: pathTo('/v1/sessions/', sessionId) })),
  invalidate: (sessionId) => api.call({ method: 'POST', path: pathTo('/v1/sessions/', sessionId, '/invalidate') }),
  user: async (openId, appId) =>
    objectOf(
      await api.call({ method: 'GET', path: pathTo('/v1/users/', openId), query: { app_id: appId ?? undefined } }),
    ),
  troubleOf,
});

/** null: no answer and no absence of one, but a fault. */
function troubleOf(error: unknown): ApiTrouble | null {
  if (!(error instanceof CommandFailure)) return null;
  const refusal = error instanceof ApiRefusal ? error : null;
  return {
    blame: BLAME[error.exitCode] ?? 'refused',
    code: refusal?.code ?? null,
    message: error.message,
    advice: error.advice.join(' '),
    feishuCode: refusal?.feishuCode ?? null,
    logId: refusal?.logId ?? null,
  };
}

/** A key the API does not take is a setting of this command. */
const BLAME: Readonly<Partial<Record<ExitCode, Blame>>> = {
  [EXIT.usage]: 'configuration',
  [EXIT.notAuthorized]: 'configuration',
  [EXIT.network]: 'network',
};
