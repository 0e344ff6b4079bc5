import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ApiAnswer, ask, type Scene, startScene } from '../support/scene.js';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPES = 'offline_access contact:user.base:readonly';

describe('the authorization server', () => {
  let scene: Scene;
  let now: number;

  const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask(scene.simulator, 'POST', path, new URLSearchParams(fields).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    });
  const client = () => ({ client_id: scene.app.appId, client_secret: scene.app.appSecret });
  const authorize = async (scope = SCOPES): Promise<Record<string, unknown>> =>
    (await form('/oauth/v1/device_authorization', { ...client(), scope })).body;
  const token = (fields: Record<string, string>) =>
    ask(scene.simulator, 'POST', '/open-apis/authen/v2/oauth/token', { ...client(), ...fields });
  const poll = (deviceCode: unknown) => token({ grant_type: DEVICE_GRANT, device_code: String(deviceCode) });
  const refresh = (refreshToken: unknown, more: Record<string, string> = {}) =>
    token({ grant_type: 'refresh_token', refresh_token: String(refreshToken), ...more });
  const userInfo = (accessToken: unknown) =>
    ask(scene.simulator, 'GET', '/open-apis/authen/v1/user_info', undefined, {
      authorization: `Bearer ${String(accessToken)}`,
    });
  const login = async (scope = SCOPES): Promise<Record<string, unknown>> => {
    const device = await authorize(scope);
    scene.simulator.consent({ userCode: String(device['user_code']), user: scene.user });
    return (await poll(device['device_code'])).body;
  };
  const outcome = ({ status, body }: ApiAnswer): unknown[] => [status, body['code'], body['error']];

  beforeEach(async () => {
    now = Date.now();
    scene = await startScene({ now: () => now });
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  describe('device authorization', () => {
    it('answers as RFC 8628 says, with secrets in the book', async () => {
      const device = await authorize();
      assert.deepEqual([device['expires_in'], device['interval']], [240, 5]);
      const link = String(device['verification_uri_complete']);
      assert.equal(link, `${String(device['verification_uri'])}?user_code=${String(device['user_code'])}`);
      const secrets = scene.simulator.secrets();
      for (const secret of [device['device_code'], device['user_code'], link])
        assert.ok(secrets.includes(String(secret)));
      assert.equal((await ask(scene.simulator, 'GET', new URL(link).pathname + new URL(link).search)).status, 200);
    });

    it('takes the secret by Basic header or in the body, and no wrong one', async () => {
      const path = '/oauth/v1/device_authorization';
      const header = (secret: string) => ({
        authorization: `Basic ${Buffer.from(`${scene.app.appId}:${secret}`).toString('base64')}`,
      });
      const fields = { client_id: scene.app.appId, scope: 'offline_access' };
      assert.equal((await form(path, fields, header(scene.app.appSecret))).status, 200);
      assert.deepEqual(outcome(await form(path, fields, header('wrong'))), [401, undefined, 'invalid_client']);
      assert.deepEqual(outcome(await form(path, fields)), [401, undefined, 'invalid_client']);
      assert.deepEqual(outcome(await form(path, { scope: 'x' })), [400, undefined, 'invalid_request']);
    });

    it('answers invalid_scope for scopes not enabled, by name, and for more than 50', async () => {
      scene.simulator.changeApp(scene.app.appId, { enabledScopes: ['offline_access'] });
      const refused = await authorize();
      assert.equal(refused['error'], 'invalid_scope');
      assert.match(String(refused['error_description']), /contact:user\.base:readonly/);
      scene.simulator.changeApp(scene.app.appId, { enabledScopes: undefined });
      const many = (count: number) =>
        authorize(Array.from({ length: count }, (_, index) => `scope:${index}`).join(' '));
      assert.equal((await many(51))['error'], 'invalid_scope');
      assert.equal((await many(50))['error'], undefined);
    });
  });

  describe('polling', () => {
    it('is pending, then gives the tokens once', async () => {
      const device = await authorize();
      assert.deepEqual(outcome(await poll(device['device_code'])), [400, 20094, 'authorization_pending']);
      scene.simulator.consent({ userCode: String(device['user_code']), openId: scene.openId });
      now += 5000;
      const { status, body } = await poll(device['device_code']);
      assert.deepEqual(
        [status, body['code'], body['expires_in'], body['refresh_token_expires_in'], body['token_type'], body['scope']],
        [200, 0, 7200, 604_800, 'Bearer', SCOPES],
      );
      assert.equal(String(body['access_token']).length, 1300);
      assert.deepEqual(outcome(await poll(device['device_code'])), [400, undefined, 'invalid_grant']);
    });

    it('says slow_down to polls closer together than the interval, and to no others', async () => {
      const device = await authorize();
      await poll(device['device_code']);
      now += 4000;
      assert.deepEqual(outcome(await poll(device['device_code'])), [400, 20095, 'slow_down']);
      now += 4900;
      assert.deepEqual(outcome(await poll(device['device_code'])), [400, 20094, 'authorization_pending']);
    });

    it('ends with access_denied, expired_token or invalid_grant', async () => {
      const denied = await authorize();
      assert.equal(scene.simulator.deny({ userCode: String(denied['user_code']) }), 'ok');
      assert.deepEqual(outcome(await poll(denied['device_code'])), [400, undefined, 'access_denied']);
      const expired = await authorize();
      now += 240_000;
      assert.deepEqual(outcome(await poll(expired['device_code'])), [400, undefined, 'expired_token']);
      assert.equal(scene.simulator.consent({ userCode: String(expired['user_code']), user: scene.user }), 'expired');
      assert.deepEqual(outcome(await poll('made-up')), [400, undefined, 'invalid_grant']);
    });

    it('takes one decision per code, from whoever comes', async () => {
      const device = await authorize();
      const other = scene.simulator.addUser({ name: '李雷' });
      const userCode = String(device['user_code']).toLowerCase().replace('-', '');
      assert.equal(scene.simulator.consent({ userCode, user: other }), 'ok');
      assert.equal(scene.simulator.consent({ userCode, user: scene.user }), 'settled');
      assert.equal(scene.simulator.deny({ userCode: 'AAAA-AAAA' }), 'unknown_code');
      const set = (await poll(device['device_code'])).body;
      const info = (await userInfo(set['access_token'])).body['data'] as { open_id: string; name: string };
      assert.deepEqual([info.open_id, info.name], [scene.simulator.openId(other, scene.app.appId), '李雷']);
    });

    it('lets people outside the availability not consent', async () => {
      scene.simulator.changeApp(scene.app.appId, { available: [] });
      const device = await authorize();
      assert.equal(
        scene.simulator.consent({ userCode: String(device['user_code']), user: scene.user }),
        'not_available',
      );
    });

    it('gives the ticked scopes and everything granted before, and no refresh token without offline_access', async () => {
      const first = await authorize('a b offline_access');
      scene.simulator.consent({ userCode: String(first['user_code']), user: scene.user, scopes: ['a'] });
      const narrow = (await poll(first['device_code'])).body;
      assert.deepEqual([narrow['scope'], narrow['refresh_token']], ['a', undefined]);
      assert.equal((await login('c'))['scope'], 'a c');
      scene.simulator.forgetGrant(scene.app.appId, { user: scene.user });
      assert.equal((await login('c'))['scope'], 'c');
    });
  });

  describe('refreshing', () => {
    it('rotates: the old refresh token dies at once, the old access token lives on', async () => {
      const first = await login();
      const second = (await refresh(first['refresh_token'])).body;
      assert.equal(second['code'], 0);
      assert.deepEqual(outcome(await refresh(first['refresh_token'])), [400, 20073, 'invalid_grant']);
      assert.equal((await userInfo(first['access_token'])).body['code'], 0);
      assert.equal((await userInfo(second['access_token'])).body['code'], 0);
      assert.deepEqual(
        scene.simulator.refreshLedger.map(({ generation, used, reused }) => [generation, used, reused]),
        [
          [1, 1, 1],
          [2, 0, 0],
        ],
      );
    });

    it('narrows one access token only', async () => {
      const first = await login('a b offline_access');
      const narrow = (await refresh(first['refresh_token'], { scope: 'a offline_access' })).body;
      assert.equal(narrow['scope'], 'a offline_access');
      assert.equal((await refresh(narrow['refresh_token'])).body['scope'], 'a b offline_access');
    });

    it('answers each code of the table it can come to by itself', async () => {
      const set = await login();
      const code = async (answer: Promise<ApiAnswer>) => (await answer).body['code'];
      assert.equal(await code(refresh('made-up')), 20026);
      assert.equal(await code(refresh(set['refresh_token'], { scope: 'x' })), 20068);
      assert.equal(await code(refresh(set['refresh_token'], { scope: 'offline_access offline_access' })), 20067);
      assert.equal(await code(token({ grant_type: 'refresh_token' })), 20001);
      assert.equal(await code(token({ grant_type: 'password', code: 'x' })), 20036);
      assert.equal(await code(token({})), 20001);
      assert.equal(await code(refresh(set['refresh_token'], { client_secret: 'wrong' })), 20002);
      assert.equal(await code(refresh(set['refresh_token'], { client_id: 'cli_0' })), 20048);
      assert.equal(
        await code(form('/open-apis/authen/v2/oauth/token', client(), { 'content-type': 'text/plain' })),
        20063,
      );
      const header = { authorization: 'Basic eA==' };
      assert.equal(
        await code(ask(scene.simulator, 'POST', '/open-apis/authen/v2/oauth/token', client(), header)),
        20070,
      );
      const other = scene.simulator.addApp();
      assert.equal(
        await code(refresh(set['refresh_token'], { client_id: other.appId, client_secret: other.appSecret })),
        20024,
      );
      scene.simulator.changeApp(scene.app.appId, { refreshAllowed: false });
      assert.equal(await code(refresh(set['refresh_token'])), 20074);
      scene.simulator.changeApp(scene.app.appId, { refreshAllowed: true, available: [] });
      assert.equal(await code(refresh(set['refresh_token'])), 20010);
      scene.simulator.changeApp(scene.app.appId, { available: undefined });
      scene.user.state = 'frozen';
      assert.equal(await code(refresh(set['refresh_token'])), 20066);
      scene.user.state = 'active';
      scene.simulator.changeApp(scene.app.appId, { disabled: true });
      assert.equal(await code(refresh(set['refresh_token'])), 20069);
      scene.simulator.changeApp(scene.app.appId, { disabled: false });
      now += 604_800_000;
      assert.equal(await code(refresh(set['refresh_token'])), 20037);
      const again = await login();
      scene.simulator.revokeUserTokens(scene.app.appId, { user: scene.user });
      assert.equal(await code(refresh(again['refresh_token'])), 20064);
      assert.equal(
        scene.simulator.refreshLedger.reduce((sum, entry) => sum + entry.used, 0),
        0,
      );
    });

    it('ends 365 days after consent however often it was refreshed', async () => {
      let set = await login();
      for (let week = 0; week < 60; week += 1) {
        now += 6.5 * 86_400_000;
        const answer = (await refresh(set['refresh_token'])).body;
        if (answer['code'] !== 0) {
          assert.equal(answer['code'], 20037);
          assert.equal(week, 56);
          return;
        }
        set = answer;
      }
      assert.fail('it never ended');
    });
  });

  describe('user_info and revoke', () => {
    it('tells bad tokens apart', async () => {
      const set = await login();
      const code = async (accessToken: unknown) => (await userInfo(accessToken)).body['code'];
      assert.equal(await code('t-tenant'), 99991663);
      assert.equal(await code('nonsense'), 99991671);
      assert.equal(await code('eyJunknown'), 20005);
      assert.equal(await code(set['access_token']), 0);
      scene.user.state = 'resigned';
      assert.equal(await code(set['access_token']), 20021);
      scene.user.state = 'active';
      now += 7_200_000;
      assert.equal(await code(set['access_token']), 99991677);
    });

    it('kills the token presented and only that one', async () => {
      const set = await login();
      const revoke = (value: unknown) =>
        form('/oauth/v1/revoke', { ...client(), token: String(value), token_type_hint: 'access_token' });
      assert.deepEqual((await revoke(set['access_token'])).body, { code: 0 });
      assert.deepEqual(outcome(await revoke(set['access_token'])), [400, undefined, 'invalid_token']);
      assert.equal((await userInfo(set['access_token'])).body['code'], 20005);
      assert.equal((await refresh(set['refresh_token'])).body['code'], 0);
    });
  });
});
