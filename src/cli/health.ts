/**
 * `feishu-authd health`: asks the daemon of this very configuration on this machine, for container and process
 * managers (slim images have no curl). Reads the same variables and CONFIG_FILE as `start`; opens nothing but one
 * connection at a time. `--ready` asks `/readyz` instead of `/healthz`, `--wait` repeats until the answer is 200.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { describeConfigProblems, throwIfAny } from '../config/problems.js';
import { AuthdError } from '../errors.js';
import { EXIT } from './exit-codes.js';

export interface HealthDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface HealthOptions {
  readonly ready: boolean;
  /** Longest time to repeat the question, seconds; 0 asks once. */
  readonly waitSeconds: number;
}

interface Answer {
  readonly exitCode: number;
  /** The body as it came; empty when there was no answer. */
  readonly body: string;
  /** One sentence; empty when all is well. */
  readonly problem: string;
}

/** Below the time limits of container health checks, so that they see our sentence and not their own timeout. */
const ANSWER_MS = 3_000;
const AGAIN_MS = 250;
const MAX_BODY = 65_536;

/** Resolves with the exit code: 0 answered 200, 1 answered otherwise, 2 configuration, 4 no answer. */
export async function health(deps: HealthDeps, options: HealthOptions): Promise<number> {
  const address = addressOf(deps, options.ready ? '/readyz' : '/healthz');
  if (address === null) return EXIT.usage;
  const deadline = Date.now() + options.waitSeconds * 1000;
  for (;;) {
    const answer = await ask(address);
    if (answer.exitCode === EXIT.done || Date.now() + AGAIN_MS > deadline) {
      if (answer.body !== '') deps.stdout.write(`${answer.body}\n`);
      if (answer.problem !== '') deps.stderr.write(`feishu-authd: ${answer.problem}\n`);
      return answer.exitCode;
    }
    await sleep(AGAIN_MS);
  }
}

function addressOf(deps: HealthDeps, path: string): URL | null {
  try {
    return healthAddress(loadConfig({ env: deps.env }).config, path);
  } catch (error) {
    if (!(error instanceof AuthdError)) throw error;
    deps.stderr.write(`feishu-authd: ${describeConfigProblems(error)}\n`);
    return null;
  }
}

/** Where the daemon answers on this machine. @throws AuthdError `config_invalid` when only the daemon itself knows */
export function healthAddress(config: Pick<Config, 'http' | 'metricsPort'>, path: string): URL {
  const port = config.metricsPort || config.http.port;
  if (port === 0) {
    const problem = 'is 0: only the daemon itself knows which port it has taken';
    throwIfAny([{ variable: 'HTTP_PORT', problem, accepted: 'a number, here or in METRICS_PORT' }]);
  }
  const url = new URL(`${config.http.tls === null ? 'http' : 'https'}://127.0.0.1${path}`);
  url.hostname = reachable(config.http.host);
  url.port = String(port);
  return url;
}

/** "Every address" is one to listen on, not one to call. */
function reachable(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === '0.0.0.0') return '127.0.0.1';
  if (bare === '::') return '[::1]';
  return bare.includes(':') ? `[${bare}]` : bare;
}

/** Never rejects. */
function ask(url: URL): Promise<Answer> {
  return new Promise((resolve) => {
    const options: RequestOptions = {
      signal: AbortSignal.timeout(ANSWER_MS),
      agent: false,
      // The certificate is made for the name clients use, not for this address; no secret is sent and none comes back.
      rejectUnauthorized: false,
    };
    const call = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    call.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < MAX_BODY) body += chunk;
      });
      response.once('error', (error) => resolve(noAnswer(url, error)));
      response.once('end', () => {
        const ok = response.statusCode === 200;
        const problem = ok ? '' : `${url.href} answered ${response.statusCode}`;
        resolve({ exitCode: ok ? EXIT.done : EXIT.refused, body: body.trim(), problem });
      });
    });
    call.once('error', (error) => resolve(noAnswer(url, error)));
    call.end();
  });
}

function noAnswer(url: URL, error: Error): Answer {
  const late = error.name === 'AbortError' || error.name === 'TimeoutError';
  const code = 'code' in error ? String(error.code) : error.message;
  const why = late ? `nothing within ${ANSWER_MS / 1000} s` : code;
  return { exitCode: EXIT.network, body: '', problem: `${url.href} does not answer (${why})` };
}
