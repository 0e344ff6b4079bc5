/** The configured keyring beside what the store was written with (CONTRACT §9). Reads only. */
import type { Redis } from 'ioredis';
import type { EncryptionKey } from '../../config/config.js';
import { createEnvelope } from '../../store/envelope.js';
import type { StoreKeys } from '../../store/keys.js';
import { type Finding, fail, pass, text } from '../finding.js';

export interface EncryptionKeysCheck {
  readonly redis: Pick<Redis, 'hgetall'>;
  readonly keys: Pick<StoreKeys, 'keyChecks'>;
  readonly ring: readonly EncryptionKey[];
}

export async function checkEncryptionKeys({ keys, redis, ring }: EncryptionKeysCheck): Promise<readonly Finding[]> {
  const known = await redis.hgetall(keys.keyChecks);
  const envelope = createEnvelope(ring);
  const [first = ''] = envelope.keyIds;
  const gaps = Object.entries(known).flatMap(([id, value]) => {
    if (!envelope.keyIds.includes(id)) return [missing(id)];
    return envelope.checkValue(id) === value ? [] : [wrong(id)];
  });
  if (gaps.length > 0) return gaps;
  if (Object.keys(known).length === 0) {
    return [
      pass('encryption_keys', text(`The store is empty; key ${first} will seal`, `存储为空；将用密钥 ${first} 加密`)),
    ];
  }
  const ids = Object.keys(known).join(', ');
  const means = text(
    `Every key the store needs is configured (${ids}); ${first} seals`,
    `存储需要的密钥（${ids}）都已配置；用 ${first} 加密`,
  );
  return [pass('encryption_keys', means)];
}

const missing = (id: string): Finding =>
  fail(
    'encryption_keys',
    'configuration',
    text(`The store was written with key "${id}", which is not configured`, `存储是用密钥“${id}”写的，但没有配置它`),
    text(
      `Add key "${id}" to TOKEN_ENCRYPTION_KEYS again (it may stand behind the first). Without it the tokens it sealed are lost.`,
      `把密钥“${id}”加回 TOKEN_ENCRYPTION_KEYS（可以排在后面）。没有它，用它加密的 token 就丢了。`,
    ),
  );

const wrong = (id: string): Finding =>
  fail(
    'encryption_keys',
    'configuration',
    text(
      `Key "${id}" is not the key of that name that the store was written with`,
      `密钥“${id}”与写入存储时的同名密钥不同`,
    ),
    text(
      `Configure the former value of key "${id}", or give the new key another id.`,
      `恢复密钥“${id}”原来的值，或给新密钥换一个 id。`,
    ),
  );
