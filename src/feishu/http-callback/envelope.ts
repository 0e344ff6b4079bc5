/**
 * From the body `{"encrypt": "…"}` of an HTTP callback to the envelope in it. AES-256-CBC by the SDK's own cipher; it
 * proves nothing about who has sent the body, that is the signature's work.
 */
import type { AESCipher } from '@larksuiteoapi/node-sdk';
import type { CallbackRefusal } from '../../domain/http-callback.js';
import { type JsonObject, objectOf, textOf } from '../../domain/json-fields.js';

export type EnvelopeReading =
  | { readonly ok: true; readonly envelope: JsonObject }
  | { readonly ok: false; readonly reason: Extract<CallbackRefusal, 'malformed' | 'unencrypted' | 'undecryptable'> };

export function readEnvelope(body: Buffer, cipher: Pick<AESCipher, 'decrypt'>): EnvelopeReading {
  const outer = jsonObject(body.toString('utf8'));
  if (outer === null) return { ok: false, reason: 'malformed' };
  const sealed = textOf(outer['encrypt']);
  if (sealed === null) return { ok: false, reason: 'unencrypted' };
  const envelope = jsonObject(decrypted(sealed, cipher));
  return envelope === null ? { ok: false, reason: 'undecryptable' } : { ok: true, envelope };
}

/** What a wrong key makes is noise, or an exception. */
function decrypted(sealed: string, cipher: Pick<AESCipher, 'decrypt'>): string {
  try {
    return cipher.decrypt(sealed);
  } catch {
    return '';
  }
}

function jsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? objectOf(value) : null;
  } catch {
    return null;
  }
}

/** The Verification Token: in the header of today's envelopes, at the top of old ones and of the console's question. */
export const tokenOf = (envelope: JsonObject): string | null =>
  textOf(objectOf(envelope['header'])['token']) ?? textOf(envelope['token']);

export const appIdOf = (envelope: JsonObject): string | null =>
  textOf(objectOf(envelope['header'])['app_id']) ?? textOf(objectOf(envelope['event'])['app_id']);
