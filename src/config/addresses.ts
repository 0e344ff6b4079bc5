/** Formats of hosts and URLs, Feishu's hosts by brand, and how a URL is shown without its password. */
import { BlockList, isIP } from 'node:net';
import type { Brand } from './config.js';
import { bad, type Format, ok, type Parsed } from './formats.js';

export interface Hosts {
  readonly openBaseUrl: string;
  readonly accountsBaseUrl: string;
  readonly applinkBaseUrl: string;
}

/** FEISHU.md §1. One brand decides all hosts of an app: a mix of the two clouds never works. */
export const HOSTS_BY_BRAND: Readonly<Record<Brand, Hosts>> = {
  feishu: {
    openBaseUrl: 'https://open.feishu.cn',
    accountsBaseUrl: 'https://accounts.feishu.cn',
    applinkBaseUrl: 'https://applink.feishu.cn',
  },
  lark: {
    openBaseUrl: 'https://open.larksuite.com',
    accountsBaseUrl: 'https://accounts.larksuite.com',
    applinkBaseUrl: 'https://applink.larksuite.com',
  },
};

/** Whether nobody but this machine can reach that host. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare.toLowerCase() === 'localhost') return true;
  const version = isIP(bare);
  if (version === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

/** For URLs, of an address that is listened on: "every address" is none to call. */
export function callableHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === '0.0.0.0') return '127.0.0.1';
  if (bare === '::') return '[::1]';
  return bare.includes(':') ? `[${bare}]` : bare;
}

function parseUrl(raw: unknown, protocols: readonly string[]): Parsed<URL> {
  if (typeof raw !== 'string' || /[\s\p{Cc}]/u.test(raw)) return bad('is not a URL');
  // Node's own message would quote the URL, and with it a password.
  if (!URL.canParse(raw)) return bad('is not a URL');
  const url = new URL(raw);
  if (!protocols.includes(url.protocol)) return bad(`its scheme is not one of the accepted ones`);
  if (url.hostname === '') return bad('has no host');
  return ok(url);
}

/** Base of Feishu's APIs, without trailing slash. Plain http would give the app secret to the network. */
export const baseUrl: Format<string> = {
  accepts: 'https://host[:port][/path], or http:// on loopback',
  parse(raw) {
    const parsed = parseBase(raw);
    if (!parsed.ok) return parsed;
    const { protocol, hostname } = parsed.value;
    if (protocol === 'http:' && !isLoopback(hostname)) return bad('is http and not on loopback');
    return ok(baseText(parsed.value));
  },
};

/** Where the API of a daemon is; whether plain http is fine was decided there (HTTP_ALLOW_PLAINTEXT). */
export const apiUrl: Format<string> = {
  accepts: 'http://host[:port][/path] or https://…',
  parse(raw) {
    const parsed = parseBase(raw);
    return parsed.ok ? ok(baseText(parsed.value)) : parsed;
  },
};

function parseBase(raw: unknown): Parsed<URL> {
  const parsed = parseUrl(raw, ['https:', 'http:']);
  if (!parsed.ok) return parsed;
  const { username, password, search, hash } = parsed.value;
  if (username !== '' || password !== '') return bad('holds a user name or password');
  if (search !== '' || hash !== '') return bad('holds a query or fragment');
  return parsed;
}

const baseText = ({ origin, pathname }: URL): string => `${origin}${pathname}`.replace(/\/+$/, '');

export const redisUrl: Format<string> = {
  accepts: 'redis://[user:password@]host[:port][/database] or rediss://…',
  parse(raw) {
    const parsed = parseUrl(raw, ['redis:', 'rediss:']);
    if (!parsed.ok) return parsed;
    if (!/^(\/\d{0,4})?$/.test(parsed.value.pathname)) return bad('its path is not a database number');
    if (parsed.value.hash !== '') return bad('holds a "#": write that character of a password as %23');
    return ok(raw as string);
  },
};

/** A proxy without scheme, as curl takes it, is an http proxy. */
export const proxyUrl: Format<string> = {
  accepts: 'http://[user:password@]host[:port] or https://…',
  parse(raw) {
    const text = typeof raw === 'string' && !raw.includes('://') ? `http://${raw}` : raw;
    const parsed = parseUrl(text, ['http:', 'https:']);
    return parsed.ok ? ok(text as string) : parsed;
  },
};

/** Kept to the letter: Feishu compares it with the registered one as text. */
export const redirectUri: Format<string> = {
  accepts: 'https://host/path as registered in the developer console (http:// is taken, too)',
  parse(raw) {
    const parsed = parseUrl(raw, ['https:', 'http:']);
    if (!parsed.ok) return parsed;
    return parsed.value.hash === '' ? ok(raw as string) : bad('holds a fragment');
  },
};

export const host: Format<string> = {
  accepts: 'an IP address or host name',
  parse(raw) {
    if (typeof raw !== 'string') return bad('is not text');
    const bare = raw.replace(/^\[(.*)\]$/, '$1');
    if (isIP(bare) !== 0) return ok(bare);
    const looksLikeIp = /^[\d.]+$/.test(bare);
    const isName =
      bare.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(bare);
    return isName && !looksLikeIp ? ok(bare) : bad('is not an address or host name');
  },
};

/** IP addresses and networks, comma-separated; empty: none. */
export const addressList: Format<readonly string[]> = {
  accepts: 'IP addresses or networks such as 10.0.0.0/8, comma-separated',
  parse(raw) {
    const parts: unknown = typeof raw === 'string' ? raw.split(',').map((part) => part.trim()) : raw;
    if (!Array.isArray(parts)) return bad('is not a list');
    const addresses = parts.filter((part) => part !== '');
    const flaws = addresses.map(flawOf);
    const wrong = flaws.findIndex((flaw) => flaw !== null);
    return wrong === -1 ? ok(addresses) : bad(`entry ${wrong + 1} ${flaws[wrong]}`);
  },
};

const NO_NETWORK = 'is not an address or network';

/** What is wrong with an entry; null: nothing. All that passes, the HTTP server takes, too (@fastify/proxy-addr). */
function flawOf(entry: unknown): string | null {
  if (typeof entry !== 'string') return NO_NETWORK;
  const [, address = '', bits] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0 || (bits !== undefined && Number(bits) > (version === 4 ? 32 : 128))) return NO_NETWORK;
  // Whoever may write the header may call himself what he likes.
  if (bits !== undefined && Number(bits) === 0) return 'is every address there is: name the proxies';
  const [, zone = '0'] = address.split('%');
  return /^[0-9a-z]+$/i.test(zone) ? null : 'names a zone that is not letters and digits: leave it out';
}

/** A URL that may be logged: password replaced, query dropped (it may hold one, too). */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return '***';
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  const query = url.search === '' ? '' : '?***';
  url.search = '';
  return `${url.href}${query}`;
}

/** The password inside a URL, as written and decoded; for the scrubber. */
export function passwordsIn(text: string | null): string[] {
  if (text === null || !URL.canParse(text)) return [];
  const { password } = new URL(text);
  return [password, safeDecode(password)].filter((part) => part !== '');
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
