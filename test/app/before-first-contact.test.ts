/**
 * What comes in by HTTP while Redis answers already but has not been looked at: it might be the store of other keys, in
 * which nothing may change (CONTRACT §9). Here a first contact that is not allowed its keys keeps failing.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type App, createApp } from '../../src/app.js';
import { newSessionId } from '../../src/domain/session-id.js';
import { createConsentLinks } from '../../src/oauth/consent-links.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { storeKeys } from '../../src/store/keys.js';
import { createSessionStore, type SessionStore } from '../../src/store/session-store.js';
import { API_SECRET, loadWith } from '../config/load-support.js';
import { type CapturedLog, captureLog } from '../support/captured-log.js';
import { APP, clickEnvelope, header, KEY, type SignedCallback, signed, TOKEN } from '../support/card-callbacks.js';
import { newRedisServer, type RedisServer } from '../support/redis-server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const USER = 'ou_1';
const REDIRECT_URI = 'https://authd.example/callback';
/** Of the apps only: not the keyring. */
const DAEMON = ['--user', 'daemon', 'on', '>password', '~authd:{*', '&*', '+@all'];

describe('before Redis has been looked at', () => {
  let redis: RedisServer;
  let folder: string;
  let app: App;
  let started: Promise<void>;
  let log: CapturedLog;
  let api: string;
  let callback: string;
  let sessions: SessionStore;
  let sessionId: string;
  let state: string;

  before(async () => {
    redis = await newRedisServer(DAEMON);
    await redis.client.connect();
    folder = await mkdtemp(join(tmpdir(), 'authd-first-contact-'));
    const { config } = loadWith({
      FEISHU_APP_ID: APP,
      FEISHU_API_BASE_URL: 'http://127.0.0.1:9',
      FEISHU_ACCOUNTS_BASE_URL: 'http://127.0.0.1:9',
      REDIS_URL: `redis://daemon:password@127.0.0.1:${redis.port}`,
      ROLES: 'api',
      STATE_DIR: join(folder, 'state'),
      HTTP_PORT: '0',
      API_KEYS: `reports:${API_SECRET}`,
      CALLBACK_SERVER_ENABLED: 'true',
      CALLBACK_SERVER_HOST: '127.0.0.1',
      CALLBACK_SERVER_PORT: '0',
      CARD_CALLBACK: 'http',
      FEISHU_ENCRYPT_KEY: KEY,
      FEISHU_VERIFICATION_TOKEN: TOKEN,
      AUTH_GRANT: 'authorization_code',
      OAUTH_REDIRECT_URI: REDIRECT_URI,
    });
    sessions = createSessionStore({
      redis: redis.client,
      keys: storeKeys(config.redis.keyPrefix),
      envelope: createEnvelope(config.encryptionKeys),
    });
    sessionId = newSessionId(APP, Date.now());
    await sessions.create({
      sessionId,
      appId: APP,
      clientId: 'reports',
      openId: USER,
      scopes: ['offline_access'],
      reason: null,
      metadata: {},
      chatId: null,
      ttlMs: 600_000,
      cardLimitPerHour: 20,
    });
    const links = createConsentLinks({ keys: config.encryptionKeys, redirectUri: REDIRECT_URI });
    const session = await sessions.get(sessionId);
    assert.ok(session);
    state = new URL(links.urlFor(session, { accountsBaseUrl: 'https://a.example' })).searchParams.get('state') ?? '';

    log = captureLog();
    app = createApp({
      config,
      logger: log.logger,
      cardsDir: join(ROOT, 'cards'),
      statusPageDir: join(ROOT, 'status-page'),
      version: '0.0.0',
      troubles: () => [],
      explain: () => null,
      onServing: () => undefined,
    });
    started = app.start();
    const portOf = async (server: string) =>
      (await log.find((line) => line.event === 'http.listening' && line['server'] === server))['port'];
    api = `http://127.0.0.1:${await portOf('api')}`;
    callback = `http://127.0.0.1:${await portOf('callback')}`;
    // Redis has been asked, and has answered.
    await log.find((line) => line.event === 'redis.away');
  });
  after(async () => {
    await app.stop();
    await started;
    await redis.close();
    await rm(folder, { recursive: true });
  });

  const held = async () => {
    const keys = (await redis.client.keys('*')).toSorted();
    return [keys, await redis.client.hgetall(storeKeys('authd').session(APP, sessionId))];
  };
  const post = async ({ body, headers }: SignedCallback) => {
    const answer = await fetch(`${callback}/callback/cards/${APP}`, { method: 'POST', headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  const click = (action: string) => post(signed(clickEnvelope({ action, session_id: sessionId })));
  const left = () => {
    const about = header('contact.user.deleted_v3');
    return post(signed({ schema: '2.0', header: about, event: { object: { open_id: USER } } }));
  };
  const redirect = async (query: Readonly<Record<string, string>>) =>
    (await fetch(`${callback}/callback?${new URLSearchParams({ ...query, state })}`)).status;
  const call = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${API_SECRET}`, 'content-type': 'application/json' };
    return (await fetch(api + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })).status;
  };
  const toastOf = (text: string): string => JSON.parse(text).toast?.i18n?.en_us ?? JSON.parse(text).toast?.content;

  it('clicks get a toast, events and redirects come again, the API says 503, and nothing is changed', async () => {
    const before = await held();
    const clicks = ['decline', 'authorize', 'revoke'].map(async (action) => {
      const { status, text } = await click(action);
      assert.equal(status, 200);
      assert.match(toastOf(text), /soon/, action);
      assert.equal(JSON.parse(text).card, undefined);
    });
    const redirects = [{ error: 'access_denied' }, { code: 'a-code' }, { error: 'server_error' }].map(async (query) =>
      assert.equal(await redirect(query), 503, JSON.stringify(query)),
    );
    const calls = (
      [
        ['POST', '/v1/sessions', { open_id: USER }],
        ['GET', `/v1/sessions/${sessionId}`],
        ['POST', `/v1/sessions/${sessionId}/invalidate`],
        ['POST', '/v1/sessions/cleanup', { expiry_days: 1 }],
        ['GET', `/v1/users/${USER}/token`],
        ['DELETE', `/v1/users/${USER}/token`],
      ] as const
    ).map(async ([method, path, body]) => assert.equal(await call(method, path, body), 503, `${method} ${path}`));
    assert.equal((await left()).status, 500);
    await Promise.all([...clicks, ...redirects, ...calls]);
    // What follows an answer comes a moment after it.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await held(), before);
  });

  it('and afterwards all of it works, also for whoever came a moment before', async () => {
    const early = call('GET', `/v1/sessions/${sessionId}`);
    await redis.client.acl('SETUSER', 'daemon', '~*');
    await started;
    assert.equal(await early, 200);
    assert.equal((await left()).status, 200);
    assert.ok('card' in JSON.parse((await click('decline')).text));
    assert.equal((await sessions.get(sessionId))?.state, 'rejected');
    assert.equal(await redirect({ error: 'access_denied' }), 200);
  });
});
