/**
 * Tells Feishu's HTTP callbacks from everything else that reaches the port, and opens them. Signature over the raw
 * bytes, then time, then decryption, token, app, and last the memory of what was accepted before. What an envelope
 * means is not known here: it goes the way of those from the long connection.
 *
 * Of the SDK it uses what the SDK does rightly, `AESCipher` and `generateChallenge`; neither `adaptDefault` nor
 * `EventDispatcher.invoke`, which on the long connection is replaced too. Both check a signature over re-serialised
 * JSON, let everything pass without an Encrypt Key, and know neither age nor repetition nor a limit of size. `invoke`
 * moreover lays fields from outside the encryption over those inside, takes a body it cannot decrypt for an empty one,
 * and merges header and event, so that the token of the card hides the Verification Token; `adaptDefault` does not
 * answer at all when a handler throws.
 *
 * The console's question (`url_verification`) comes without signature headers (larksuite/oapi-sdk-python issue 79), so
 * it is answered without, when our key opens it; it changes nothing. Feishu wants the answer within a second.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config/config.js';
import type { CallbackRefusal, OpenedCallback, RawCallback } from '../../domain/http-callback.js';
import type { JsonObject } from '../../domain/json-fields.js';
import { loadSdk, type Sdk } from '../sdk.js';
import { appIdOf, readEnvelope, tokenOf } from './envelope.js';
import { type RightSignature, readSignature } from './signature.js';

/** What was accepted, by all processes together. */
export interface ReplayMemory {
  /** Remembers it for `ttlMs`; true: it was remembered already. */
  seenBefore(appId: string, fingerprint: string, ttlMs: number): Promise<boolean>;
  forget(appId: string, fingerprint: string): Promise<void>;
}

export interface HttpCallbacksDeps {
  /** Apps whose clicks and events come by HTTP. */
  readonly apps: readonly Pick<AppConfig, 'appId' | 'encryptKey' | 'verificationToken'>[];
  readonly memory: ReplayMemory;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

export interface HttpCallbacks {
  /** Whether callbacks of this app are taken here. */
  has(appId: string): boolean;
  /** Never rejects. @param appId one that `has` knows */
  open(appId: string, call: RawCallback): Promise<OpenedCallback>;
}

/** How far its time may be from ours. A later delivery of the same event is a new request with a time of its own. */
export const WINDOW_MS = 300_000;
/** Whatever the clocks of two processes make of one request. */
const REMEMBERED_MS = 2 * WINDOW_MS;
/** Of the time for an answer, no more than this is spent on the memory. */
const MEMORY_BUDGET_MS = 150;
/** The console's question has some 200 bytes. */
const MAX_UNSIGNED_BYTES = 4_096;
const MAX_CHALLENGE = 1_024;

interface Taken {
  readonly encryptKey: string;
  readonly verificationToken: string | null;
  readonly cipher: InstanceType<Sdk['AESCipher']>;
}

export function createHttpCallbacks(deps: HttpCallbacksDeps): HttpCallbacks {
  const { logger, memory, now } = deps;
  const sdk = loadSdk();
  const apps = new Map<string, Taken>();
  for (const { appId, encryptKey, verificationToken } of deps.apps) {
    // The configuration makes sure of it; without a key nothing could be told from a forgery.
    if (encryptKey === null) continue;
    apps.set(appId, { encryptKey, verificationToken, cipher: new sdk.AESCipher(encryptKey) });
  }

  const challengeIn = (envelope: JsonObject): string | null => {
    // It would open an `encrypt` inside the encrypted once more.
    if ('encrypt' in envelope) return null;
    const { challenge, isChallenge } = sdk.generateChallenge(envelope, { encryptKey: '' });
    const text: unknown = challenge.challenge;
    return isChallenge && typeof text === 'string' && text.length <= MAX_CHALLENGE ? text : null;
  };

  const openUnsigned = (taken: Taken, body: Buffer): OpenedCallback => {
    if (body.length > MAX_UNSIGNED_BYTES) return refused('unsigned');
    const reading = readEnvelope(body, taken.cipher);
    if (!reading.ok) return refused(reading.reason);
    const challenge = challengeIn(reading.envelope);
    if (challenge === null) return refused('unsigned');
    return isOurToken(taken, reading.envelope) ? { kind: 'challenge', challenge } : refused('bad_token');
  };

  /** A memory that does not answer keeps nobody waiting: it is the store, and without it no click changes anything. */
  const wasSeen = async (appId: string, fingerprint: string): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), MEMORY_BUDGET_MS);
    });
    const seen = memory.seenBefore(appId, fingerprint, REMEMBERED_MS).catch((error: unknown) => {
      logger.debug(
        { event: 'callback.replay_unchecked', app_id: appId, err: error },
        'Not known whether it is a replay',
      );
      return false;
    });
    try {
      return await Promise.race([seen, late]);
    } finally {
      clearTimeout(timer);
    }
  };

  const openSigned = async (
    appId: string,
    taken: Taken,
    body: Buffer,
    { fingerprint, sentAt }: RightSignature,
  ): Promise<OpenedCallback> => {
    if (Math.abs(now() - sentAt) > WINDOW_MS) return refused('stale');
    const reading = readEnvelope(body, taken.cipher);
    if (!reading.ok) return refused(reading.reason);
    const { envelope } = reading;
    if (!isOurToken(taken, envelope)) return refused('bad_token');
    const challenge = challengeIn(envelope);
    if (challenge !== null) return { kind: 'challenge', challenge };
    if ((appIdOf(envelope) ?? appId) !== appId) return refused('wrong_app');
    if (await wasSeen(appId, fingerprint)) return refused('replayed');
    return { kind: 'envelope', envelope, release: () => memory.forget(appId, fingerprint).catch(() => undefined) };
  };

  return {
    has: (appId) => apps.has(appId),
    async open(appId, call) {
      const taken = apps.get(appId);
      if (taken === undefined) return refused('wrong_app');
      if (call.signature === null) return openUnsigned(taken, call.body);
      const right = readSignature(call, taken.encryptKey);
      return right === null ? refused('bad_signature') : await openSigned(appId, taken, call.body, right);
    },
  };
}

const refused = (reason: CallbackRefusal): OpenedCallback => ({ kind: 'refused', reason });

/** In constant time, whatever the lengths. */
function isOurToken({ verificationToken }: Taken, envelope: JsonObject): boolean {
  if (verificationToken === null) return true;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(tokenOf(envelope) ?? ''), digest(verificationToken));
}
