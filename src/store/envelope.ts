/**
 * Sealing of everything secret that Redis or the spool holds: AES-256-GCM under a keyring that is not in Redis.
 *
 * Layout of a sealed value: 1 byte version (1), 1 byte length of the key id, key id (ASCII), 12 bytes nonce,
 * ciphertext, 16 bytes tag. The associated data bind it to app, owner, purpose and generation: a value moved to
 * another user, another purpose or an older generation does not open.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { EncryptionKey } from '../config/config.js';
import { AuthdError } from '../errors.js';

/** What a sealed value belongs to. */
export interface SealContext {
  readonly appId: string;
  /** open_id for grants, session id for what belongs to a session. */
  readonly owner: string;
  readonly purpose: 'grant' | 'session-text' | 'session-link' | 'session-tokens' | 'spool';
  /** Grants: generation; links and kept tokens: link number; otherwise 0. */
  readonly generation: number;
}

export interface Envelope {
  seal(plaintext: string, context: SealContext): Buffer;
  /** @throws AuthdError `key_mismatch` (key id unknown), `record_damaged` (does not open) */
  open(sealed: Buffer, context: SealContext): string;
  /** The key ids of the ring, first the one that seals. */
  readonly keyIds: readonly string[];
  /** A value that proves the possession of a key without telling it (HMAC-SHA-256 over a constant, 16 hex digits). */
  checkValue(keyId: string): string;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/** So many bytes of a sealed value tell its key id. */
export const SEAL_HEADER_BYTES = 34;

/** The id of the key a value was sealed with, by its first bytes; null: it is no sealed value (any more). */
export function keyIdOf(sealed: Buffer): string | null {
  const keyEnd = 2 + (sealed[1] ?? 0);
  if (sealed[0] !== VERSION || sealed.length < keyEnd) return null;
  const keyId = sealed.subarray(2, keyEnd).toString('ascii');
  return KEY_ID.test(keyId) ? keyId : null;
}

export function createEnvelope(keys: readonly EncryptionKey[]): Envelope {
  const first = keys[0];
  if (first === undefined) throw new AuthdError('key_mismatch', 'TOKEN_ENCRYPTION_KEYS holds no key');
  const ring = new Map(keys.map((key) => [key.id, key.key]));

  return {
    keyIds: keys.map((key) => key.id),

    seal(plaintext, context) {
      const id = Buffer.from(first.id, 'ascii');
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce);
      cipher.setAAD(associatedData(context));
      return Buffer.concat([
        Buffer.from([VERSION, id.length]),
        id,
        nonce,
        cipher.update(plaintext, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },

    open(sealed, context) {
      const keyId = keyIdOf(sealed);
      if (keyId === null) throw damaged(context);
      const keyEnd = 2 + keyId.length;
      if (sealed.length < keyEnd + NONCE_BYTES + TAG_BYTES) throw damaged(context);
      const key = ring.get(keyId);
      if (key === undefined) {
        throw new AuthdError('key_mismatch', `a record is sealed with key "${keyId}", which is not configured`, {
          remedy: `Add key "${keyId}" to TOKEN_ENCRYPTION_KEYS again.`,
          details: { key_id: keyId },
        });
      }
      const nonceEnd = keyEnd + NONCE_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(keyEnd, nonceEnd));
      decipher.setAAD(associatedData(context));
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      try {
        const opened = decipher.update(sealed.subarray(nonceEnd, sealed.length - TAG_BYTES));
        // GCM holds nothing back: this only checks the tag.
        decipher.final();
        return opened.toString('utf8');
      } catch {
        throw damaged(context);
      }
    },

    checkValue(keyId) {
      const key = ring.get(keyId);
      if (key === undefined) throw new AuthdError('key_mismatch', `key "${keyId}" is not configured`);
      return createHmac('sha256', key).update('feishu-authd key check value').digest('hex').slice(0, 16);
    },
  };
}

function associatedData(context: SealContext): Buffer {
  return Buffer.from(JSON.stringify([context.appId, context.owner, context.purpose, context.generation]), 'utf8');
}

const damaged = (context: SealContext): AuthdError =>
  new AuthdError('record_damaged', `a stored ${context.purpose} record does not open`, {
    remedy: 'The record was kept as it is. Restore it from a backup, or let the user authorize again.',
    details: { purpose: context.purpose, app_id: context.appId, owner: context.owner },
  });
