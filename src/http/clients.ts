/**
 * Who may call: finds the client that a secret belongs to. What the client may do is permissions.ts.
 *
 * Only SHA-256 digests are kept and compared (FAILURES F-admin-token-compare): both sides have 32 bytes whatever was
 * sent, all candidates are compared, and the time taken says nothing about which one came close. No clients means
 * that nobody gets in.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ClientConfig } from '../config/config.js';
import { AuthdError } from '../errors.js';

export interface ClientRegistry {
  /** The client with this secret (its bytes as received), or null. */
  authenticate(secret: Buffer): ClientConfig | null;
}

const DIGEST = /^[0-9a-f]{64}$/;

export function createClientRegistry(clients: readonly ClientConfig[]): ClientRegistry {
  const candidates = clients.flatMap((client) =>
    client.secretSha256.map((digest) => {
      // A digest of another length would make timingSafeEqual throw at each call.
      if (!DIGEST.test(digest)) throw new AuthdError('config_invalid', `Client ${client.id} has a bad secret_sha256`);
      return { client, digest: Buffer.from(digest, 'hex') };
    }),
  );

  return {
    authenticate(secret) {
      const presented = createHash('sha256').update(secret).digest();
      let found: ClientConfig | null = null;
      for (const { client, digest } of candidates) {
        if (timingSafeEqual(digest, presented)) found = client;
      }
      return found;
    },
  };
}
