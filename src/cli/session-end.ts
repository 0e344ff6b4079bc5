/** What the end of a session means for the command that waited for it: done, or why not and whose turn it is. */
import { type JsonObject, numberOf, objectOf, textOf } from '../domain/json-fields.js';
import type { FailureReason, SessionState } from '../domain/session.js';
import { CommandFailure, type ExitCode } from './command-failure.js';
import { EXIT } from './exit-codes.js';
import { cell } from './table.js';

const ASK_AGAIN = 'The same command asks her again.';

/** Live states do not come here; a state that a later daemon may know counts as refused. */
const ENDS: Readonly<Record<string, readonly [code: ExitCode, sentence: string, advice: readonly string[]]>> = {
  rejected: [EXIT.notAuthorized, 'She declined', []],
  expired: [EXIT.notAuthorized, 'She did not answer in time', [ASK_AGAIN]],
  superseded: [EXIT.refused, 'Another request has replaced the session', []],
  invalidated: [EXIT.refused, 'The session was ended by an operator or its client', []],
} satisfies Partial<Record<SessionState, readonly [ExitCode, string, readonly string[]]>>;

/** She consented wrongly or not in time; everything else is Feishu's refusal or a fault. */
const HER_TURN: ReadonlySet<string> = new Set<FailureReason>([
  'identity_mismatch',
  'insufficient_scope',
  'code_expired',
]);

/** null: she has authorized. */
export function failureOfEnd(session: JsonObject): CommandFailure | null {
  const state = cell(session['state']);
  if (state === 'completed') return null;
  if (state === 'failed') return failed(session);
  const [code, sentence, advice] = ENDS[state] ?? [EXIT.refused, `The session is ${state}`, []];
  return new CommandFailure(code, sentence, advice);
}

function failed(session: JsonObject): CommandFailure {
  const reason = cell(session['failure_reason']);
  const detail = objectOf(session['failure_detail']);
  const remedy = textOf(detail['remedy']);
  const feishuCode = numberOf(detail['feishu_code']);
  const advice = [
    ...(remedy === null ? [] : [cell(remedy)]),
    feishuCode === null
      ? `feishu-authd explain ${reason}`
      : `Feishu's code is ${feishuCode}: feishu-authd explain ${feishuCode}`,
  ];
  return new CommandFailure(exitCodeOf(reason), `The session failed: ${reason}`, advice);
}

function exitCodeOf(reason: string): ExitCode {
  if (HER_TURN.has(reason)) return EXIT.notAuthorized;
  return reason === 'internal_error' ? EXIT.internal : EXIT.refused;
}
