/**
 * One HTTP request, directly (a user's browser and Feishu do not take our proxy), without following redirects, bounded in
 * time and size; and who has answered. Sends nothing secret.
 */
import { Agent, request } from 'undici';
import { isDnsCode, isTlsCode } from '../domain/network-codes.js';
import { cleanName } from '../domain/plain-text.js';

export interface Question {
  readonly url: string;
  readonly timeoutMs: number;
  /** JSON to POST; GET without. */
  readonly body?: string;
  /** Of a call to this machine, whose certificate is made for the name that others use. */
  readonly anyCertificate?: boolean;
}

export type Reply =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** Said by our own callback server. */
      readonly isOurs: boolean;
      /** Scheme, host and path only: the rest may be a login's. */
      readonly location: string | null;
      /** What calls itself the server. */
      readonly server: string | null;
      /** Empty when it is longer than any answer of ours. */
      readonly body: string;
    }
  | { readonly kind: 'none'; readonly reason: NoReply; readonly code: string };

export type NoReply = 'dns' | 'tls' | 'refused' | 'timeout' | 'unreachable';

const MAX_BODY = 65_536;
const MAX_SHOWN = 200;

/** Never rejects. */
export async function askOnce({ anyCertificate = false, body, timeoutMs, url }: Question): Promise<Reply> {
  const agent = new Agent({ connect: { timeout: timeoutMs, rejectUnauthorized: !anyCertificate } });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const posted = body === undefined ? {} : { method: 'POST' as const, body };
    const headers = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'feishu-authd doctor' };
    const answer = await request(url, { dispatcher: agent, signal, headers, ...posted });
    const header = (name: string): string | null => {
      const value = answer.headers[name];
      return typeof value === 'string' ? value : null;
    };
    const server = header('server');
    return {
      kind: 'answer',
      status: answer.statusCode,
      isOurs: header('x-feishu-authd') === 'callback',
      location: locationOf(header('location'), url),
      server: server === null ? null : cleanName(server, MAX_SHOWN),
      body: await readShort(answer.body),
    };
  } catch (error) {
    return noReply(error);
  } finally {
    agent.destroy().catch(() => undefined);
  }
}

/** A body that breaks off or is too long says nothing, and who has answered is known already. */
async function readShort(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_BODY) return '';
      chunks.push(chunk);
    }
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString('utf8');
}

function locationOf(location: string | null, base: string): string | null {
  if (location === null || !URL.canParse(location, base)) return null;
  const { host, pathname, protocol } = new URL(location, base);
  return cleanName(`${protocol}//${host}${pathname}`, MAX_SHOWN);
}

function noReply(error: unknown): Reply {
  const code = codeOf(error);
  return { kind: 'none', reason: reasonOf(code), code };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return 'timeout';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function reasonOf(code: string): NoReply {
  if (isDnsCode(code)) return 'dns';
  if (isTlsCode(code)) return 'tls';
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'timeout' || code === 'ETIMEDOUT' || /TIMEOUT$/.test(code) ? 'timeout' : 'unreachable';
}
