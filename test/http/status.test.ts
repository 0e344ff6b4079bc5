/** `GET /v1/status`: for administrators, of their apps, of nobody in particular. And the shell of the page at `/`. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  APP_A,
  APP_B,
  type Api,
  assertProblem,
  HANGS,
  newApi,
  newClient,
  newStatusReport,
  sessionIdOf,
} from './support.js';

const APPS = [APP_A, APP_B].map((appId) => ({ appId, authScopes: ['offline_access'] }));

describe('GET /v1/status', () => {
  let api: Api;
  before(async () => {
    const usual = newClient('usual', { actions: ['ask', 'status', 'token', 'revoke'] });
    const ofA = newClient('of-a', { apps: [APP_A] });
    api = await newApi({ clients: [newClient('boss'), usual, ofA], apps: APPS, limits: { handlerTimeoutMs: 100 } });
  });
  after(() => api.close());

  it('is for administrators', async () => {
    assertProblem(await api.call('GET', '/v1/status', { as: null }), 401, 'unauthorized');
    assertProblem(await api.call('GET', '/v1/status', { as: 'usual' }), 403, 'forbidden');
  });

  it('tells verdict, processes, sessions, grants, budgets, queues and errors with their remedies', async () => {
    const { status, body, headers } = await api.call('GET', '/v1/status');
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'no-store');
    const { apps, errors, findings, processes, ...rest } = body as Record<string, Record<string, unknown>[]>;
    assert.deepEqual(rest, {
      at: '2026-03-02T08:00:00.000Z',
      version: '0.0.0',
      verdict: 'does_not_work',
      redis: { answers: true, persistence_ok: true },
      encryption_keys_missing: 0,
      queues: [{ queue: 'card-update', jobs: { waiting: 1 }, oldest_age_seconds: 0.5 }],
    });
    assert.deepEqual(findings?.[0], {
      name: 'app_not_connected',
      severity: 'broken',
      app_id: APP_A,
      subject: null,
      value: null,
      feishu_code: 403,
      log_id: 'log-1',
      cause: { en_us: 'not allowed', zh_cn: '中文：not allowed' },
      remedy: { en_us: 'publish it', zh_cn: '中文：publish it' },
    });
    assert.deepEqual(processes, [
      {
        process: 'one:7',
        answers: true,
        version: '0.0.0',
        roles: ['gateway', 'api'],
        started_at: '2026-03-02T07:59:00.000Z',
        silent_seconds: 1,
        connections: [APP_A, APP_B].map((appId) => ({
          app_id: appId,
          state: 'reconnecting',
          since: '2026-03-02T07:59:30.000Z',
          last_event_at: null,
          trouble: { cause: 'forbidden', feishu_code: 403, log_id: 'log-1' },
        })),
        stalled_queues: [],
        spool_entries: 0,
      },
    ]);
    assert.deepEqual(apps?.[0], {
      app_id: APP_A,
      callbacks: 'long_connection',
      sessions: {
        created: 3,
        counted: 3,
        by_state: { pending: 1, failed: 2 },
        failures: [
          {
            failure_reason: 'user_unreachable',
            count: 2,
            cause: { en_us: 'cannot be reached', zh_cn: '中文：cannot be reached' },
            remedy: { en_us: 'availability', zh_cn: '中文：availability' },
          },
        ],
        newest: [
          {
            session_id: sessionIdOf(APP_A, 1),
            state: 'failed',
            failure_reason: 'user_unreachable',
            client_id: 'boss',
            created_at: '2026-03-02T07:59:51.000Z',
            ended_at: '2026-03-02T07:59:52.000Z',
          },
        ],
      },
      grants: {
        active: 4,
        suspended: 1,
        reauthorization_required: 2,
        revoked: 3,
        expiring_within_1d: 0,
        expiring_within_7d: 1,
      },
      budgets: [{ api: 'im.message.create', used_ratio: 0.25 }],
    });
    assert.deepEqual(errors?.[1], {
      event: 'ws.connect_failed',
      level: 'error',
      app_id: null,
      code: 'forbidden',
      feishu_code: 403,
      log_id: 'log-1',
      message: 'Feishu does not allow this',
      cause: null,
      remedy: null,
      count: 2,
      first_at: '2026-03-02T07:59:40.000Z',
      last_at: '2026-03-02T07:59:50.000Z',
      processes: ['one:7'],
    });
  });

  it('leaves out what belongs to an app the client may not use', async () => {
    const answer = await api.call('GET', '/v1/status', { as: 'of-a' });
    assert.equal(answer.status, 200);
    assert.ok(answer.text.includes(APP_A) && !answer.text.includes(APP_B));
    assert.equal((answer.body['errors'] as unknown[]).length, 1, 'what belongs to no app is for everybody');
  });

  it('says what is not known as null, and answers in time when nothing answers', async () => {
    const apps = newStatusReport().apps.map((app) => ({ ...app, overview: null, grants: null, budgets: null }));
    api.world.status = newStatusReport({ redisAnswers: false, redisPersistenceOk: null, queues: null, apps });
    const { body } = await api.call('GET', '/v1/status');
    const [first] = body['apps'] as Record<string, unknown>[];
    assert.deepEqual(first, {
      app_id: APP_A,
      callbacks: 'long_connection',
      sessions: null,
      grants: null,
      budgets: null,
    });
    assert.equal(body['queues'], null);
    api.world.fault = HANGS;
    assertProblem(await api.call('GET', '/v1/status'), 503, 'upstream_unavailable');
  });
});

describe('GET /', () => {
  let api: Api;
  before(async () => {
    api = await newApi();
  });
  after(() => api.close());

  const fetched = async (path: string): Promise<Response> => await fetch(api.url + path, { redirect: 'error' });

  it('serves the shell without a key, and lets it load and call nothing but this server', async () => {
    const response = await fetched('/');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const policy = (response.headers.get('content-security-policy') ?? '').split('; ').toSorted();
    assert.deepEqual(policy, [
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    const others = ['referrer-policy', 'x-content-type-options', 'cache-control', 'x-frame-options'];
    assert.deepEqual(
      others.map((name) => response.headers.get(name)),
      ['no-referrer', 'nosniff', 'no-store', 'DENY'],
    );
  });

  it('serves each file the shell names, with its type', async () => {
    const shell = await (await fetched('/')).text();
    const named = [...shell.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    assert.ok(named.length >= 4 && named.every((path) => path.startsWith('status-page/')), named.join());
    const types: Record<string, string> = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
    for (const path of named) {
      const response = await fetched(`/${path}`);
      assert.equal(response.status, 200, path);
      assert.ok(response.headers.get('content-type')?.startsWith(types[path.split('.')[1] ?? ''] ?? '?'), path);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
    }
  });

  it('reaches no other file', async () => {
    for (const path of [
      '/status-page/',
      '/status-page/../package.json',
      '/status-page/%2e%2e%2fpackage.json',
      '/main.js',
    ]) {
      assert.equal((await fetched(path)).status, 404, path);
    }
  });
});
