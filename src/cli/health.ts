/**
 * `feishu-authd health`: asks the daemon of this very configuration on this machine, for container and process
 * managers (slim images have no curl). Reads the same variables and CONFIG_FILE as `start`; opens nothing but one
 * connection at a time. `--ready` asks `/readyz` instead of `/healthz`, `--wait` repeats until the answer is 200.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { callableHost } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { throwIfAny } from '../config/problems.js';
import type { Environment } from '../config/sources.js';
import { EXIT } from './exit-codes.js';

export interface HealthOptions {
  readonly ready: boolean;
  /** Longest time to repeat the question, seconds; 0 asks once. */
  readonly waitSeconds: number;
}

export interface HealthAnswer {
  /** 0 answered 200, 1 answered otherwise, 4 no answer. */
  readonly exitCode: typeof EXIT.done | typeof EXIT.refused | typeof EXIT.network;
  /** The body as it came; empty when there was no answer. */
  readonly body: string;
  /** One sentence; empty when all is well. */
  readonly problem: string;
}

/** Below the time limits of container health checks, so that they see our sentence and not their own timeout. */
const ANSWER_MS = 3_000;
const AGAIN_MS = 250;
const MAX_BODY = 65_536;

/** @throws AuthdError `config_invalid` when the daemon could not even start with this configuration */
export async function health(env: Environment, { ready, waitSeconds }: HealthOptions): Promise<HealthAnswer> {
  const address = healthAddress(loadConfig({ env }).config, ready ? '/readyz' : '/healthz');
  const deadline = Date.now() + waitSeconds * 1000;
  for (;;) {
    const answer = await ask(address);
    if (answer.exitCode === EXIT.done || Date.now() + AGAIN_MS > deadline) return answer;
    await sleep(AGAIN_MS);
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
  url.hostname = callableHost(config.http.host);
  url.port = String(port);
  return url;
}

/** Never rejects. */
function ask(url: URL): Promise<HealthAnswer> {
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

function noAnswer(url: URL, error: Error): HealthAnswer {
  const late = error.name === 'AbortError' || error.name === 'TimeoutError';
  const code = 'code' in error ? String(error.code) : error.message;
  const why = late ? `nothing within ${ANSWER_MS / 1000} s` : code;
  return { exitCode: EXIT.network, body: '', problem: `${url.href} does not answer (${why})` };
}
