import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, type Scene, startScene } from '../support/scene.js';

const REDIRECT = 'https://auth.example.com/callback';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const S256 = {
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};
const TOKEN = '/open-apis/authen/v2/oauth/token';

describe('the authorization code grant', () => {
  let scene: Scene;
  let now: number;

  const login = (query: Record<string, string> = {}, scope = 'offline_access a b'): string => {
    const asked = { client_id: scene.app.appId, response_type: 'code', redirect_uri: REDIRECT, scope, ...query };
    const url = `${scene.simulator.baseUrl}/open-apis/authen/v1/authorize?${new URLSearchParams(asked).toString()}`;
    const { redirectTo, reason } = scene.simulator.authorize({ url, user: scene.user });
    return new URL(redirectTo ?? assert.fail(reason)).searchParams.get('code') ?? '';
  };
  const redeem = (code: string, fields: Record<string, string | undefined> = {}) =>
    ask(scene.simulator, 'POST', TOKEN, {
      grant_type: 'authorization_code',
      client_id: scene.app.appId,
      client_secret: scene.app.appSecret,
      redirect_uri: REDIRECT,
      code,
      ...fields,
    });
  const outcome = async (code: string, fields: Record<string, string | undefined> = {}) =>
    (await redeem(code, fields)).body['code'];
  const redemptions = () => scene.simulator.authorizationCodes().map(({ used, reused }) => [used, reused]);

  beforeEach(async () => {
    now = Date.now();
    scene = await startScene({ now: () => now });
    scene.simulator.changeApp(scene.app.appId, { redirectUris: [REDIRECT] });
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('gives tokens once, with everything the person ever granted', async () => {
    const code = login();
    const { status, body } = await redeem(code);
    assert.deepEqual(
      [status, body['code'], body['expires_in'], body['refresh_token_expires_in'], body['token_type'], body['scope']],
      [200, 0, 7200, 604_800, 'Bearer', 'offline_access a b'],
    );
    assert.equal(await outcome(code), 20065);
    assert.deepEqual(redemptions(), [[1, 1]]);
    assert.equal((await redeem(login({}, 'c'))).body['scope'], 'offline_access a b c');
    const refreshed = await redeem('', {
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
    });
    assert.equal(refreshed.body['code'], 0);
  });

  it('gives no refresh token without offline_access', async () => {
    const { body } = await redeem(login({}, 'a'));
    assert.deepEqual([body['code'], 'refresh_token' in body], [0, false]);
  });

  it('lives five minutes, or as long as it is told', async () => {
    const code = login();
    now += 300_000;
    assert.equal(await outcome(code), 20004);
    const aged = login();
    const [, issued] = scene.simulator.authorizationCodes();
    assert.ok(issued);
    issued.expiresAt = now;
    assert.equal(await outcome(aged), 20004);
    now -= 1;
    assert.equal(await outcome(aged), 0);
  });

  it('knows neither made-up codes nor device codes', async () => {
    const device = await ask(scene.simulator, 'POST', '/oauth/v1/device_authorization', {
      client_id: scene.app.appId,
      client_secret: scene.app.appSecret,
    });
    assert.equal(await outcome('made-up'), 20003);
    assert.equal(await outcome(String(device.body['device_code'])), 20003);
  });

  it('is bound to the client and the redirect URI it was made for', async () => {
    const other = scene.simulator.addApp();
    const code = login({ redirect_uri: `${REDIRECT}?a=1` });
    const redirect_uri = `${REDIRECT}?a=1`;
    const client = { client_id: other.appId, client_secret: other.appSecret };
    assert.equal(await outcome(code, { redirect_uri, ...client }), 20024);
    assert.equal(await outcome(code), 20071);
    assert.equal(await outcome(code, { redirect_uri: undefined }), 20071);
    scene.simulator.changeApp(scene.app.appId, { redirectUris: [`${REDIRECT}/`] });
    assert.equal(await outcome(code, { redirect_uri }), 20071);
    scene.simulator.changeApp(scene.app.appId, { redirectUris: [REDIRECT] });
    assert.equal(await outcome(code, { redirect_uri }), 0);
  });

  it('checks PKCE by S256 and plain, which is the default, and in both directions', async () => {
    const hashed = login(S256);
    assert.equal(await outcome(hashed), 20049);
    assert.equal(await outcome(hashed, { code_verifier: VERIFIER.replace('d', 'e') }), 20049);
    assert.equal(await outcome(hashed, { code_verifier: S256.code_challenge }), 20049);
    assert.equal(await outcome(hashed, { code_verifier: VERIFIER }), 0);
    const plain = login({ code_challenge: VERIFIER });
    assert.equal(await outcome(plain, { code_verifier: VERIFIER.slice(1) }), 20049);
    assert.equal(await outcome(plain, { code_verifier: VERIFIER }), 0);
    assert.equal(await outcome(login(), { code_verifier: VERIFIER }), 20049);
    assert.ok(scene.simulator.secrets(['code_verifier']).includes(VERIFIER));
  });

  it('narrows by scope, to what was granted and without repeats', async () => {
    const code = login();
    assert.equal(await outcome(code, { scope: 'a a' }), 20067);
    assert.equal(await outcome(code, { scope: 'a x' }), 20068);
    const { body } = await redeem(code, { scope: 'a offline_access' });
    assert.equal(body['scope'], 'a offline_access');
    const refreshed = await redeem('', {
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
    });
    assert.equal(refreshed.body['scope'], 'offline_access a b');
  });

  it('answers the codes all grants share, and keeps the code for when that is put right', async () => {
    const code = login();
    assert.equal(await outcome(code, { code: undefined }), 20001);
    assert.equal(await outcome(code, { client_secret: 'wrong' }), 20002);
    assert.equal(await outcome(code, { client_id: 'cli_0' }), 20048);
    scene.user.state = 'frozen';
    assert.equal(await outcome(code), 20066);
    scene.user.state = 'active';
    scene.simulator.changeApp(scene.app.appId, { available: [] });
    assert.equal(await outcome(code), 20010);
    scene.simulator.changeApp(scene.app.appId, { available: undefined, disabled: true });
    assert.equal(await outcome(code), 20069);
    scene.simulator.changeApp(scene.app.appId, { disabled: false });
    assert.deepEqual(redemptions(), [[0, 0]]);
    assert.equal(await outcome(code), 0);
  });

  it('breaks like every other grant: not consumed, consumed and hung up, rewritten, limited', async () => {
    const { faults } = scene.simulator;
    const aim = { on: 'api', api: 'token', grant: 'authorization_code', times: 1 } as const;
    const [kept, lost] = [login(), login()];
    faults.add({ ...aim, kind: 'code', code: 20050 });
    assert.deepEqual([await outcome(kept), redemptions()[0]], [20050, [0, 0]]);
    faults.add({ ...aim, kind: 'rewrite', remove: ['refresh_token_expires_in'], openId: scene.openId });
    assert.equal('refresh_token_expires_in' in (await redeem(kept)).body, false);
    faults.add({ ...aim, kind: 'reset', when: 'after' });
    await assert.rejects(redeem(lost), /fetch failed/);
    assert.deepEqual([await outcome(lost), redemptions()[1]], [20065, [1, 1]]);
    const hold = faults.add({ ...aim, kind: 'hold' });
    const answer = outcome(login());
    await scene.simulator.waitFor('call.held');
    hold.release();
    assert.equal(await answer, 0);
    const grants = scene.simulator.calls.map((call) => call.grant);
    assert.deepEqual(new Set(grants), new Set(['authorization_code']));
    const answers = await Promise.all(Array.from({ length: 50 }, () => redeem('made-up')));
    assert.ok(answers.some(({ status }) => status === 429));
  });
});
