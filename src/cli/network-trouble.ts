/** The API was not reached, or something else answered in its place: one sentence and what to look at. */
import { isDnsCode, isTlsCode } from '../domain/network-codes.js';
import { CommandFailure } from './command-failure.js';
import { EXIT } from './exit-codes.js';

const CHECK_URL = 'Is the daemon running there (feishu-authd start), and is AUTHD_URL right?';

/** @param timedOutMs the deadline, when it was that which ended the call */
export function noAnswer(url: string, error: unknown, timedOutMs: number | null): CommandFailure {
  if (timedOutMs !== null) return trouble(`${url} did not answer within ${Math.round(timedOutMs / 1000)} s`, CHECK_URL);
  const code = codeOf(error) ?? 'unknown error';
  if (code === 'ECONNREFUSED') return trouble(`Nothing listens at ${url}`, CHECK_URL);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return trouble(`${url} cannot be reached: no connection in time`, CHECK_URL);
  if (isDnsCode(code)) return trouble(`The host name of ${url} cannot be resolved (${code})`, 'Check AUTHD_URL.');
  if (isTlsCode(code)) {
    return trouble(
      `No secure connection to ${url} (${code})`,
      'Name the authority that signed its certificate in NODE_EXTRA_CA_CERTS; or should AUTHD_URL read http://?',
    );
  }
  if (error instanceof Error && error.name === 'HTTPParserError') {
    return trouble(`What listens at ${url} does not speak HTTP`, CHECK_URL);
  }
  return trouble(`The connection to ${url} failed (${code})`, CHECK_URL);
}

/** An answer that is none of the API. Its text is not shown: anybody may have written it. */
export const noApi = (url: string, status: number): CommandFailure =>
  trouble(
    `${url} answered HTTP ${status} with something that does not come from feishu-authd`,
    'Is AUTHD_URL right, and does no portal or proxy answer in place of the daemon?',
  );

const trouble = (message: string, advice: string): CommandFailure =>
  new CommandFailure(EXIT.network, message, [advice]);

/** The system's code: messages of Node and undici quote addresses and headers. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  return typeof code === 'string' ? code.slice(0, 64) : codeOf(cause);
}
