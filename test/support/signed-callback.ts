/**
 * An HTTP callback as Feishu words it: encrypted, and signed over the raw body; and every way to get that wrong.
 * Written from the platform's own description, without a look at what is tested with it.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';

export interface SignedCallback {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CallbackChange {
  /** The Encrypt Key that encrypts and signs. */
  readonly encryptKey?: string;
  /** This body instead, signed like a genuine one. */
  readonly body?: string;
  /** Seconds, as text. */
  readonly timestamp?: string;
  readonly nonce?: string;
  /** null: no X-Lark-… header at all, as the console asks. */
  readonly signature?: string | null;
}

export function signedCallback(encryptKey: string, envelope: unknown, change: CallbackChange = {}): SignedCallback {
  const key = change.encryptKey ?? encryptKey;
  const body = change.body ?? JSON.stringify({ encrypt: encrypted(key, JSON.stringify(envelope)) });
  const timestamp = change.timestamp ?? String(Math.floor(Date.now() / 1000));
  const nonce = change.nonce ?? randomBytes(8).toString('hex');
  const right = createHash('sha256').update(`${timestamp}${nonce}${key}${body}`).digest('hex');
  const signed = {
    'x-lark-request-timestamp': timestamp,
    'x-lark-request-nonce': nonce,
    'x-lark-signature': change.signature ?? right,
  };
  return {
    headers: { 'content-type': 'application/json;charset=utf-8', ...(change.signature === null ? {} : signed) },
    body,
  };
}

/** Base64 of the initialization vector and the AES-256-CBC of the text, under the SHA-256 of the Encrypt Key. */
function encrypted(key: string, text: string): string {
  const vector = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', createHash('sha256').update(key).digest(), vector);
  return Buffer.concat([vector, cipher.update(text), cipher.final()]).toString('base64');
}
