import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, type Scene, startScene } from './support/scene.js';
import { connectSdk, type SdkClient } from './support/sdk-client.js';

type Event = Record<string, unknown>;
const REVOKED = 'auth.user_access_token.revoked_v4';
const DELETED = 'contact.user.deleted_v3';

describe('what happens to people and their tokens, seen by the official WSClient', () => {
  let scene: Scene;
  let sdk: SdkClient;
  let seen: Event[];

  const start = async (options: Parameters<typeof startScene>[0] = {}): Promise<void> => {
    scene = await startScene(options);
    const note = (event: unknown): undefined => void seen.push(event as Event);
    sdk = await connectSdk(scene.simulator, scene.app, { [REVOKED]: note, [DELETED]: note });
  };
  const client = () => ({ client_id: scene.app.appId, client_secret: scene.app.appSecret });
  const form = (path: string, fields: Record<string, string>) =>
    ask(scene.simulator, 'POST', path, new URLSearchParams(fields).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
  const login = async (): Promise<Event> => {
    const scope = 'a offline_access';
    const device = (await form('/oauth/v1/device_authorization', { ...client(), scope })).body;
    scene.simulator.consent({ userCode: String(device['user_code']), user: scene.user });
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    const body = { ...client(), grant_type, device_code: device['device_code'] };
    return (await ask(scene.simulator, 'POST', '/open-apis/authen/v2/oauth/token', body)).body;
  };
  const revoke = (token: unknown) =>
    form('/oauth/v1/revoke', { ...client(), token: String(token), token_type_hint: 'refresh_token' });
  const dead = (): boolean[] =>
    [...scene.simulator.accessTokens(), ...scene.simulator.refreshLedger].map(({ revoked }) => revoked);

  beforeEach(() => {
    seen = [];
  });

  afterEach(async () => {
    sdk.close();
    await scene.simulator.close();
  });

  it('tells of revoked tokens as Feishu does: a space at the end, free text, milliseconds', async () => {
    await start();
    await login();
    const { delivered } = await scene.simulator.revokeGrant(scene.app.appId, { user: scene.user }).done;
    assert.equal(delivered, true);
    const [event] = seen;
    assert.deepEqual(
      [event?.['revoke_token_type'], event?.['revoke_reason'], event?.['open_id'], event?.['union_id']],
      ['user_access_token refresh_token ', 'user action', scene.openId, scene.user.unionId],
    );
    assert.match(String(event?.['create_time']), /^\d{13}$/);
    assert.deepEqual(dead(), [true, true]);
  });

  it('late, again after it was acked, about another time, and of one token only', async () => {
    await start();
    await login();
    const before = performance.now();
    const push = scene.simulator.revokeGrant(scene.app.appId, {
      user: scene.user,
      tokens: ['user_access_token'],
      tokenTypes: 'user_access_token ',
      createTime: 1_700_000_000_000,
      eventId: 'the-same',
      delayMs: 60,
      repeats: 1,
    });
    const { attempts } = await push.done;
    assert.ok(performance.now() - before >= 55);
    assert.equal(attempts.length, 2);
    const facts = seen.map((event) => [event['event_id'], event['create_time'], event['revoke_token_type']]);
    assert.deepEqual(facts, Array(2).fill(['the-same', '1700000000000', 'user_access_token ']));
    assert.deepEqual(dead(), [true, false]);
  });

  it('tells of somebody who leaves, and serves her no more', async () => {
    await start();
    const set = await login();
    await scene.simulator.leave(scene.app.appId, { user: scene.user }).done;
    assert.equal((seen[0]?.['object'] as Event | undefined)?.['open_id'], scene.openId);
    const info = await ask(scene.simulator, 'GET', '/open-apis/authen/v1/user_info', undefined, {
      authorization: `Bearer ${String(set['access_token'])}`,
    });
    assert.equal(info.body['code'], 20021);
  });

  it('may take the sibling, tell of it, and answer nothing when a token is revoked by the app', async () => {
    await start({ revoke: { sibling: 'dies', event: true, emptyAnswer: true } });
    const answer = await revoke((await login())['refresh_token']);
    assert.deepEqual([answer.status, answer.body], [200, { text: '' }]);
    assert.deepEqual(dead(), [true, true]);
    await scene.simulator.until(() => seen.length === 1);
    assert.equal(seen[0]?.['revoke_reason'], 'Revoked by unknown action.');
    assert.equal((await revoke('made-up')).body['error'], 'invalid_token');
  });

  it('is at hand for other processes too', async () => {
    await start();
    await login();
    const who = { app_id: scene.app.appId, user_id: scene.user.userId };
    assert.equal((await ask(scene.simulator, 'POST', '/sim/revoke', { ...who, reason: 'x' })).body['ok'], true);
    await scene.simulator.until(() => seen.length === 1);
    assert.equal((await ask(scene.simulator, 'POST', '/sim/leave', who)).body['ok'], true);
    await scene.simulator.until(() => seen.length === 2);
    assert.equal(scene.user.state, 'resigned');
    assert.equal((await ask(scene.simulator, 'POST', '/sim/leave', {})).status, 400);
  });
});
