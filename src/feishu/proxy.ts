/**
 * Which proxy a request to Feishu takes, and the undici dispatcher or socket agent that takes it.
 *
 * Owns the meaning of HTTPS_PROXY, HTTP_PROXY and NO_PROXY for every client, so that HTTP calls and the long
 * connection never take different routes (axios reads these variables, undici and ws do not). Does not read the
 * environment: src/config does. Every target is reached by CONNECT, `http:` and `ws:` too, so that a proxy sees host
 * and port only. Proxy credentials are used, never shown: lines name a proxy by `proxyLabel`.
 */
import type { Agent as HttpAgent } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { ProxyConfig } from '../config/config.js';
import { AuthdError } from '../errors.js';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'ws:': '80', 'https:': '443', 'wss:': '443' };
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * The proxy for a URL (`http:`, `https:`, `ws:`, `wss:`), or null for a direct connection. `https:` and `wss:` take
 * HTTPS_PROXY, `http:` and `ws:` HTTP_PROXY; a host covered by NO_PROXY takes none. Loopback is no exception unless
 * NO_PROXY names it. The answer may hold credentials: never log it.
 */
export function proxyFor(url: string, proxy: ProxyConfig): string | null {
  const target = new URL(url);
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const chosen = (secure ? proxy.httpsProxy : proxy.httpProxy)?.trim();
  if (!chosen || isBypassed(target, proxy.noProxy)) return null;
  return parseProxy(chosen).href;
}

/** `scheme://host:port` of a proxy: safe to log. */
export function proxyLabel(proxyUrl: string): string {
  const { protocol, host } = parseProxy(proxyUrl);
  return `${protocol}//${host}`;
}

/**
 * A dispatcher for requests to this URL's origin. The caller closes it. `options` are undici's, for the direct and
 * the proxied kind alike.
 */
export function createDispatcher(url: string, proxy: ProxyConfig, options: Agent.Options = {}): Dispatcher {
  const route = proxyFor(url, proxy);
  if (route === null) return new Agent(options);
  const { origin, username, password } = new URL(route);
  const token = username === '' && password === '' ? {} : { token: basic(username, password) };
  return new ProxyAgent({ ...options, uri: origin, proxyTunnel: true, ...token });
}

/**
 * The agent for a WebSocket to this URL, or undefined for a direct connection. `signal` destroys the connection to
 * the proxy: a proxy that never answers CONNECT would otherwise keep it after the socket has been given up.
 */
export function createWsAgent(url: string, proxy: ProxyConfig, signal?: AbortSignal): HttpAgent | undefined {
  const route = proxyFor(url, proxy);
  if (route === null) return undefined;
  return new HttpsProxyAgent(route, { keepAlive: false, ...(signal === undefined ? {} : { signal }) });
}

function parseProxy(value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AuthdError('config_invalid', 'A proxy must be an http:// or https:// URL', {
      remedy: 'Set HTTPS_PROXY and HTTP_PROXY to http://host:port.',
    });
  }
  return url;
}

function basic(username: string, password: string): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

function isBypassed(target: URL, noProxy: string | null): boolean {
  const host = bareHost(target.hostname);
  const port = target.port || DEFAULT_PORTS[target.protocol] || '';
  return (noProxy ?? '').split(/[\s,]+/).some((entry) => entry !== '' && entryCovers(entry.toLowerCase(), host, port));
}

/** One entry: `*`, `host`, `.suffix`, `*.suffix`, an address, `[::1]`, `10.0.0.0/8`; each but the last with `:port`. */
function entryCovers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return subnetHolds(entry, host);
  const withPort = /^(.*[^:]|\[.*\]):(\d+)$/.exec(entry);
  const splits = withPort !== null && (isIP(entry) === 0 || entry.startsWith('['));
  if (splits && withPort[2] !== port) return false;
  const name = bareHost(splits ? (withPort[1] ?? '') : entry).replace(/^\*/, '');
  if (name === 'localhost') return LOOPBACK_NAMES.has(host);
  if (host === name.replace(/^\./, '')) return true;
  return isIP(host) === 0 && host.endsWith(name.startsWith('.') ? name : `.${name}`);
}

function subnetHolds(entry: string, host: string): boolean {
  const [network = '', bits = ''] = entry.split('/');
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    return false;
  }
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Number(bits), kind);
  return list.check(host, kind);
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}
