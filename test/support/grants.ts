/** A user who has authorized, and what tests want to know of her grant: at Feishu (the ledger) and here (the API). */
import assert from 'node:assert/strict';
import type { Grant } from '../../src/domain/grant.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { createGrantVault } from '../../src/store/grant-vault.js';
import { storeKeys } from '../../src/store/keys.js';
import type { Answer } from './daemon.js';
import { tokenCall } from './either-grant.js';
import type { Scene } from './scene.js';
import { authorize, ended, type PersonInScene } from './steps.js';

export interface GrantOptions {
  /** Somebody else than the user of the scene. */
  readonly person?: PersonInScene;
  readonly scopes?: readonly string[];
  /** What Feishu says about the first access token's life; a token of 2 s must be refreshed after one. */
  readonly expiresIn?: number;
  /** Members of the first token answer, replaced. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
}

/** Goes through card, link and consent; resolves when the session is completed. */
export async function grant(scene: Scene, options: GrantOptions = {}): Promise<{ openId: string; messageId: string }> {
  const { sim } = scene;
  const { person, remove, scopes = ['docx:document:readonly'] } = options;
  const openId = person?.openId ?? scene.openId;
  const set = { ...(options.expiresIn !== undefined && { expires_in: options.expiresIn }), ...options.set };
  const asked = await (person ?? scene).ask({ scopes, force: true });
  const link = await authorize(scene, asked, person);
  const odd = sim.faults.add({
    ...tokenCall(scene, { link, openId }),
    kind: 'rewrite',
    set,
    ...(remove !== undefined && { remove: [...remove] }),
  });
  scene.consent({ link, user: person?.user ?? scene.user });
  const session = await ended(scene, asked.sessionId);
  odd.clear();
  assert.equal(session.state, 'completed', JSON.stringify(session));
  return { openId, messageId: asked.messageId };
}

export const readToken = (scene: Scene, openId = scene.openId, query = ''): Promise<Answer> =>
  scene.daemon.call('GET', `/v1/users/${openId}/token${query}`);

export const refreshNow = (scene: Scene, openId = scene.openId, body: object = {}): Promise<Answer> =>
  scene.daemon.call('POST', `/v1/users/${openId}/token/refresh`, body);

export async function statusOf(scene: Scene, openId = scene.openId): Promise<string> {
  return String((await scene.daemon.call('GET', `/v1/users/${openId}`)).body.status);
}

/** Calls to the token endpoint that presented a refresh token. */
export const refreshCalls = (scene: Scene, openId?: string) =>
  scene.sim.calls.filter(
    (call) =>
      call.api === 'token' && call.grant === 'refresh_token' && (openId === undefined || call.openId === openId),
  );

/** How often refresh tokens were presented after Feishu had answered them with success. */
export const reuses = (scene: Scene): number => scene.sim.refreshLedger.reduce((sum, token) => sum + token.reused, 0);

/** The newest generation of a user's refresh tokens at Feishu. */
export const generationAtFeishu = (scene: Scene, openId = scene.openId): number =>
  Math.max(0, ...scene.sim.refreshLedger.filter((token) => token.openId === openId).map((token) => token.generation));

/** Changes the stored grant behind the daemon's back, as if it had been made so: for times that no test can wait for. */
export async function rewriteGrant(
  scene: Scene,
  change: (grant: Grant) => Grant,
  openId = scene.openId,
): Promise<void> {
  const { client } = scene.redis;
  const keys = storeKeys('authd');
  const envelope = createEnvelope([{ id: 'k1', key: Buffer.from(scene.daemon.encryptionKey, 'base64') }]);
  const vault = createGrantVault({ redis: client, keys, envelope, onDamaged: (error) => assert.fail(error) });
  const { appId } = scene.app;
  const stored = await vault.read(appId, openId);
  assert.ok(stored);
  const value = vault.seal(appId, openId, stored.generation, change(stored.grant));
  await client.set(keys.grant(appId, openId), value);
}
