/**
 * The signature of an HTTP callback: SHA-256, hex, over timestamp, nonce, Encrypt Key and the raw body, one after the
 * other (FEISHU.md §3; the doc "receive and handle callbacks"). Over the bytes as they came: the SDK signs its own
 * re-serialised JSON, which differs as soon as Feishu writes a number or an escape in another way, and compares with
 * `===`. Pure.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RawCallback } from '../../domain/http-callback.js';

export interface RightSignature {
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** Of the whole request: another one has another. */
  readonly fingerprint: string;
}

/** Ten digits: seconds from 2001 to 2286. */
const SECONDS = /^\d{10}$/;
const MAX_NONCE = 256;

/** null: it is not right. */
export function readSignature(call: RawCallback, encryptKey: string): RightSignature | null {
  const { body, nonce, signature, timestamp } = call;
  if (timestamp === null || nonce === null || signature === null) return null;
  if (!SECONDS.test(timestamp) || nonce.length > MAX_NONCE) return null;
  const right = createHash('sha256').update(timestamp).update(nonce).update(encryptKey).update(body).digest('hex');
  const given = Buffer.from(signature);
  if (given.length !== right.length || !timingSafeEqual(given, Buffer.from(right))) return null;
  // Not the headers: digits may be moved from the end of the timestamp to the nonce without a change to the signature.
  return { sentAt: Number(timestamp) * 1000, fingerprint: right };
}
