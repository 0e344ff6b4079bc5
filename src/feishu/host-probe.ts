/**
 * Whether one of Feishu's hosts can be reached the way the daemon goes there: DNS, TCP, TLS, through the proxy if one is
 * set. Any HTTP answer will do; what it says is not looked at, and no secret is sent.
 */
import { request } from 'undici';
import type { ProxyConfig } from '../config/config.js';
import { type ConnectFailure, failure } from './long-connection/failures.js';
import { networkFailure } from './long-connection/network-failure.js';
import { createDispatcher, proxyFor, proxyLabel } from './proxy.js';

export interface HostProbe {
  /** `scheme://host:port` of the proxy on the way; null: none. */
  readonly proxy: string | null;
  /** Until the head of the answer was there. */
  readonly ms: number;
  /** null: it can be reached. */
  readonly failure: ConnectFailure | null;
}

/** Asks once. Never rejects. */
export async function probeHost(url: string, proxy: ProxyConfig, timeoutMs: number): Promise<HostProbe> {
  const route = proxyFor(url, proxy);
  const label = route === null ? null : proxyLabel(route);
  const facts = { host: new URL(url).host, ...(label === null ? {} : { proxy: label }) };
  const dispatcher = createDispatcher(url, proxy, { connect: { timeout: timeoutMs } });
  const startedAt = performance.now();
  const ended = (why: ConnectFailure | null): HostProbe => ({
    proxy: label,
    ms: Math.round(performance.now() - startedAt),
    failure: why,
  });
  const ask = async (): Promise<HostProbe> => {
    try {
      const { body } = await request(`${url}/`, { method: 'HEAD', dispatcher });
      // Nothing is waited for; an error on the way out is of no interest.
      body.on('error', () => undefined).destroy();
      return ended(null);
    } catch (error) {
      return ended(networkFailure(error, facts));
    }
  };
  let timer: NodeJS.Timeout | undefined;
  // undici does not end a request on a signal while a proxy leaves its CONNECT unanswered.
  const late = new Promise<HostProbe>((resolve) => {
    timer = setTimeout(() => {
      const reason = label === null ? 'unreachable' : 'proxy';
      resolve(ended(failure(reason, { ...facts, errorCode: `no answer within ${timeoutMs / 1000} s` })));
    }, timeoutMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
    dispatcher.destroy().catch(() => undefined);
  }
}
