import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { AppConfig } from '../../src/config/config.js';
import { createAuthorizationServer, type DeviceAuthorizationAnswer } from '../../src/oauth/authorization-server.js';
import { createTokenEndpoint, type TokenAnswer } from '../../src/oauth/token-endpoint.js';
import type { App, User } from '../simulator/directory.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { startExchange, type TestExchange } from '../support/exchange.js';
import { appConfig } from '../support/feishu-app.js';

const SCOPES = ['offline_access', 'contact:user.base:readonly'];

let sim: Simulator;
let parts: TestExchange;
let feishuApp: App;
let app: AppConfig;
let user: User;
/** The simulator's clock; polls keep their interval by moving it. */
let nowMs = Date.now();

before(async () => {
  sim = await startSimulator({ now: () => nowMs });
  parts = await startExchange();
  user = sim.addUser({ name: 'Li Hua' });
});
after(async () => {
  await sim.close();
  await parts.stop();
});
beforeEach(() => {
  sim.faults.clear();
  feishuApp = sim.addApp();
  app = appConfig(sim.baseUrl, feishuApp);
});

async function authorize(scopes: readonly string[] = SCOPES): Promise<DeviceAuthorizationAnswer> {
  return await createAuthorizationServer(parts).requestDeviceCode({ app, scopes, timeoutMs: 2_000 });
}

async function link() {
  const answer = await authorize();
  assert.ok(answer.kind === 'ok', JSON.stringify(answer));
  return answer;
}

async function poll(deviceCode: string, timeoutMs = 2_000): Promise<TokenAnswer> {
  nowMs += 5_000;
  const endpoint = createTokenEndpoint({ exchange: parts.exchange });
  return await endpoint.pollDeviceToken({ app, deviceCode, askedScopes: SCOPES, timeoutMs, now: () => nowMs });
}

describe('device grant on the wire', () => {
  it('goes from link to tokens', async () => {
    const { deviceCode, expiresInSeconds, intervalSeconds, userCode, verificationUriComplete } = await link();
    assert.equal(expiresInSeconds, 240);
    assert.equal(intervalSeconds, 5);
    assert.ok(verificationUriComplete.endsWith(`user_code=${userCode}`));
    assert.equal((await poll(deviceCode)).kind, 'pending');
    assert.equal(sim.consent({ userCode, user }), 'ok');
    const answer = await poll(deviceCode);
    assert.ok(answer.kind === 'tokens');
    const { accessToken, expiresAt, refreshToken, scopes } = answer.tokenSet;
    assert.ok(sim.secrets(['access_token']).includes(accessToken));
    assert.ok(refreshToken !== null && sim.secrets(['refresh_token']).includes(refreshToken));
    assert.equal(expiresAt, nowMs + 7_200_000);
    assert.deepEqual(scopes, SCOPES);
    assert.equal((await poll(deviceCode)).kind, 'expired', 'a device code works once');
  });

  it('hears slow_down, denied and expired', async () => {
    const first = await link();
    await poll(first.deviceCode);
    nowMs -= 5_000;
    assert.equal((await poll(first.deviceCode)).kind, 'slow_down');
    sim.deny({ userCode: first.userCode, user });
    assert.equal((await poll(first.deviceCode)).kind, 'denied');
    const second = await link();
    sim.expireDeviceCode(second.userCode);
    assert.equal((await poll(second.deviceCode)).kind, 'expired');
  });

  const faults = [
    { kind: 'code', code: 20050 },
    { kind: 'code', code: 20072 },
    { kind: 'code', code: 99991400, resetSeconds: 1 },
    { kind: 'html' },
    { kind: 'status', status: 500 },
    { kind: 'reset' },
    { kind: 'hang' },
  ] as const;
  for (const fault of faults) {
    it(`takes ${JSON.stringify(fault)} as no news and gets the tokens later`, async () => {
      const { deviceCode, userCode } = await link();
      sim.consent({ userCode, user });
      sim.faults.add({ on: 'api', api: 'token', appId: app.appId, ...fault });
      const answer = await poll(deviceCode, 200);
      assert.equal(answer.kind, 'transient', JSON.stringify(answer));
      sim.faults.clear();
      await new Promise((resolve) => setTimeout(resolve, answer.kind === 'transient' ? (answer.retryAfterMs ?? 0) : 0));
      assert.equal((await poll(deviceCode)).kind, 'tokens');
    });
  }

  it('survives an answer without code, scope and refresh token, and with numbers in quotes', async () => {
    const { deviceCode, userCode } = await link();
    sim.consent({ userCode, user });
    const remove = ['code', 'scope', 'refresh_token', 'refresh_token_expires_in'];
    sim.faults.add({ on: 'api', api: 'token', kind: 'rewrite', set: { expires_in: '3600' }, remove });
    const answer = await poll(deviceCode);
    assert.ok(answer.kind === 'tokens');
    assert.equal(answer.tokenSet.expiresIn, 3_600);
    assert.equal(answer.tokenSet.refreshToken, null);
    assert.deepEqual(answer.tokenSet.scopes, SCOPES);
  });

  it('says what is wrong with the app', async () => {
    const { deviceCode } = await link();
    app = { ...app, appSecret: 'x'.repeat(32) };
    const refused = await poll(deviceCode);
    assert.ok(refused.kind === 'refused');
    assert.equal(refused.detail.feishu_code, 20002);
    assert.match(refused.detail.remedy, /FEISHU_APP_SECRET/);
    const link2 = await authorize();
    assert.ok(link2.kind === 'misconfigured');
    assert.match(link2.detail.remedy, /FEISHU_APP_SECRET/);
    app = appConfig(sim.baseUrl, feishuApp);
    sim.changeApp(app.appId, { disabled: true });
    assert.equal((await poll(deviceCode)).kind, 'refused');
    assert.equal((await authorize()).kind, 'misconfigured');
  });

  it('says which setting to look at when a scope is not enabled, after one request', async () => {
    sim.changeApp(app.appId, { enabledScopes: ['offline_access'] });
    const answer = await authorize();
    assert.ok(answer.kind === 'misconfigured');
    assert.match(answer.detail.remedy, /AUTH_SCOPES/);
    const asked = sim.calls.filter((call) => call.api === 'device_authorization' && call.appId === app.appId);
    assert.equal(asked.length, 1);
  });

  for (const fault of faults) {
    it(`takes ${JSON.stringify(fault)} at the authorization server as passing`, async () => {
      sim.faults.add({ on: 'api', api: 'device_authorization', appId: app.appId, ...fault });
      const answer = await createAuthorizationServer(parts).requestDeviceCode({ app, scopes: SCOPES, timeoutMs: 200 });
      assert.equal(answer.kind, 'transient', JSON.stringify(answer));
    });
  }

  it('keeps 120 polls at once under 50 a second, none lost', async (test) => {
    // Here the simulator counts by the real clock.
    const own = await startSimulator();
    test.after(() => own.close());
    app = appConfig(own.baseUrl, own.addApp());
    const { deviceCode } = await link();
    const endpoint = createTokenEndpoint({ exchange: parts.exchange });
    const request = { app, deviceCode, askedScopes: SCOPES, timeoutMs: 5_000, maxWaitMs: 5_000, now: Date.now };
    const answers = await Promise.all(Array.from({ length: 120 }, () => endpoint.pollDeviceToken(request)));
    assert.ok(answers.every((answer) => answer.kind === 'pending' || answer.kind === 'slow_down'));
    assert.equal(own.calls.filter((call) => call.api === 'token').length, 120);
    assert.equal(own.overLimit, 0);
  });

  it('has logged nothing secret', () => {
    assert.ok(parts.log.of('feishu.call').length > 10);
    const text = parts.log.text();
    const leaked = sim.secretsByKind().filter((secret) => text.includes(secret.value));
    assert.deepEqual(leaked, []);
  });
});
