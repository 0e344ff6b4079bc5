/**
 * What the command line needs to speak to the API of a daemon. These variables are the client's: the daemon neither
 * reads them nor complains about them.
 */
import { apiUrl } from './addresses.js';
import { integer, secretWord, tidy } from './formats.js';
import { createFindings, type Findings, throwIfAny } from './problems.js';
import { type Environment, type ReadFile, readSecretFile } from './sources.js';

export const CLIENT_VARIABLES = ['AUTHD_URL', 'AUTHD_API_KEY', 'AUTHD_API_KEY_FILE', 'AUTHD_TIMEOUT'] as const;

export const DEFAULT_URL = 'http://127.0.0.1:9780';
/** The daemon itself gives up after 15 s (a refresh), all else after 2.5 s. */
const DEFAULT_TIMEOUT_SECONDS = 20;
const timeoutSeconds = integer(1, 600, ' seconds');

export interface ClientSettings {
  /** Without trailing slash. */
  readonly url: string;
  /** Secret. */
  readonly apiKey: string;
  /** For one call; a long poll takes its waiting on top. */
  readonly timeoutSeconds: number;
  /** Sentences worth a line; hold nothing secret. */
  readonly warnings: readonly string[];
}

/** @throws AuthdError `config_invalid` that lists every problem (see describeConfigProblems) */
export function readClientSettings(env: Environment, readFile: ReadFile): ClientSettings {
  const findings = createFindings();
  const url = readUrl(env, findings);
  const apiKey = readApiKey(env, readFile, findings);
  const timeout = readTimeout(env, findings);
  throwIfAny(findings.problems);
  return { url, apiKey, timeoutSeconds: timeout, warnings: findings.warnings };
}

/** AUTHD_URL alone, for what needs no key; null: it is not set. @throws AuthdError `config_invalid` */
export function readClientUrl(env: Environment): string | null {
  if (tidy(env['AUTHD_URL'] ?? '') === '') return null;
  const findings = createFindings();
  const url = readUrl(env, findings);
  throwIfAny(findings.problems);
  return url;
}

function readUrl(env: Environment, findings: Findings): string {
  const parsed = apiUrl.parse(tidy(env['AUTHD_URL'] ?? '') || DEFAULT_URL);
  if (parsed.ok) return parsed.value;
  findings.problem('AUTHD_URL', parsed.problem, apiUrl.accepts);
  return '';
}

function readTimeout(env: Environment, findings: Findings): number {
  const parsed = timeoutSeconds.parse(tidy(env['AUTHD_TIMEOUT'] ?? '') || DEFAULT_TIMEOUT_SECONDS);
  if (parsed.ok) return parsed.value;
  findings.problem('AUTHD_TIMEOUT', parsed.problem, timeoutSeconds.accepts);
  return DEFAULT_TIMEOUT_SECONDS;
}

function readApiKey(env: Environment, readFile: ReadFile, findings: Findings): string {
  const inline = tidy(env['AUTHD_API_KEY'] ?? '');
  const path = tidy(env['AUTHD_API_KEY_FILE'] ?? '');
  if (inline !== '' && path !== '') {
    findings.problem('AUTHD_API_KEY_FILE', 'is set, and AUTHD_API_KEY too: set one of them');
    return '';
  }
  if (inline === '' && path === '') {
    findings.problem(
      'AUTHD_API_KEY',
      'is not set',
      'the secret of a client of the daemon; AUTHD_API_KEY_FILE may name its file',
    );
    return '';
  }
  const from = path === '' ? 'AUTHD_API_KEY' : 'AUTHD_API_KEY_FILE';
  const text = path === '' ? inline : readSecretFile(path, from, readFile, findings);
  if (text === undefined) return '';
  const parsed = secretWord.parse(text);
  if (parsed.ok) return parsed.value;
  findings.problem(from, parsed.problem, secretWord.accepts);
  return '';
}
