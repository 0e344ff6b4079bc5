/**
 * Words one push as the HTTP request Feishu makes of it: encrypted and signed when the app has an Encrypt Key. Pure, so
 * that a test can build requests of its own and alter them. Source: FEISHU.md §3.1, §9 no. 13; the checks of the
 * official SDK (EventDispatcher) accept what is made here.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { hex } from '../secret-book.js';

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  /** The raw body: what the signature covers. */
  body: string;
}

/** How a request differs from a genuine one. */
export interface WebhookChange {
  /** X-Lark-Request-Timestamp: epoch SECONDS as text. */
  timestamp?: string;
  /** X-Lark-Request-Nonce. */
  nonce?: string;
  /** X-Lark-Signature as given instead of the right one; null leaves it out. */
  signature?: string | null;
  /** This raw body instead of the push, signed like a genuine one. */
  body?: string;
  /** This request again, as it was, to the last byte; nothing else has an effect then. */
  replayOf?: WebhookRequest;
}

const IV_BYTES = 16;

/** `payload` is the JSON text of an envelope; `now` epoch milliseconds. */
export function webhookRequest(
  to: { url: string; encryptKey: string | undefined },
  payload: string,
  now: number,
  change: WebhookChange = {},
): WebhookRequest {
  if (change.replayOf) return { ...change.replayOf, url: to.url };
  const { encryptKey } = to;
  const body = change.body ?? (encryptKey ? JSON.stringify({ encrypt: encryptBody(encryptKey, payload) }) : payload);
  const timestamp = change.timestamp ?? String(Math.floor(now / 1000));
  const nonce = change.nonce ?? hex(8);
  const genuine = encryptKey ? signatureOf(timestamp, nonce, encryptKey, body) : undefined;
  const signature = change.signature === undefined ? genuine : change.signature;
  return {
    url: to.url,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': nonce,
      ...(signature === undefined || signature === null ? {} : { 'x-lark-signature': signature }),
    },
    body,
  };
}

/** base64 of a random IV and the AES-256-CBC of `plain` under the SHA-256 of the key. */
export function encryptBody(encryptKey: string, plain: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-cbc', createHash('sha256').update(encryptKey).digest(), iv);
  return Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final()]).toString('base64');
}

/** Lower-case hex SHA-256 of timestamp, nonce, key and raw body, one after the other. */
export function signatureOf(timestamp: string, nonce: string, encryptKey: string, body: string): string {
  return createHash('sha256').update(`${timestamp}${nonce}${encryptKey}${body}`).digest('hex');
}
