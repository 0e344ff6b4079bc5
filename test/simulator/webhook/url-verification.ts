/**
 * What the console does when somebody saves a request address: it sends a challenge and wants it back.
 * Encrypted like everything else, but without the headers of a signature (larksuite/oapi-sdk-python issue 79 shows one).
 * Source: FEISHU.md §9 no. 7 and 13; the official SDK's `generateChallenge`.
 */
import type { App } from '../directory.js';
import { asObject } from '../http/exchange.js';
import type { Settings } from '../options.js';
import { uuid } from '../secret-book.js';
import type { HttpPost } from './http-post.js';
import { webhookRequest } from './webhook-request.js';

export interface UrlVerification {
  /** The console would save the address. */
  ok: boolean;
  /** Why not. */
  reason?: string;
  tookMs: number;
}

export async function verifyUrl(
  deps: { settings: Settings; post: HttpPost },
  app: App,
  which: 'callbackUrl' | 'eventUrl',
): Promise<UrlVerification> {
  const url = app[which];
  if (!url) throw new Error(`${app.appId} has no ${which}`);
  const challenge = uuid();
  const payload = JSON.stringify({ challenge, token: app.verificationToken, type: 'url_verification' });
  const request = webhookRequest({ url, encryptKey: app.encryptKey }, payload, deps.settings.now());
  const outcome = await deps.post.send({ ...request, headers: withoutSignature(request.headers) });
  const { tookMs } = outcome;
  const refuse = (reason: string): UrlVerification => ({ ok: false, reason, tookMs });
  if (outcome.kind === 'no_answer') return refuse('no answer in time');
  if (outcome.kind === 'unreachable') return refuse(`${outcome.failure} failure`);
  const { code, body, broken } = outcome.ack;
  if (code !== 200) return refuse(`HTTP status ${code ?? 'unknown'}`);
  if (asObject(body)?.['challenge'] !== challenge) return refuse(broken ?? 'the answer is not the challenge');
  return { ok: true, tookMs };
}

const withoutSignature = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-lark-')));
