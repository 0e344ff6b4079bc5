import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { ALICE, APP_A, APP_B, type Api, assertProblem, fieldsOf, newApi, newClient, newGrant } from './support.js';

const CLIENTS = [
  newClient('boss'),
  newClient('reader', { actions: ['status', 'token'] }),
  newClient('docs', { scopes: ['docs:read'] }),
  newClient('only-a', { apps: [APP_A] }),
  newClient('nowhere', { apps: ['cli_eeeeeeeeeeeeeeee'] }),
];

describe('POST /v1/sessions', () => {
  let api: Api;
  before(async () => {
    const apps = [APP_A, APP_B].map((appId) => ({ appId, authScopes: ['offline_access', 'mail:send'] }));
    api = await newApi({ clients: CLIENTS, apps });
  });
  after(() => api.close());

  const ask = (body: object, as = 'boss', headers = {}) =>
    api.call('POST', '/v1/sessions', { as, headers, body: { open_id: ALICE, app_id: APP_A, ...body } });
  const lastAsked = () => {
    const asked = api.world.asked.at(-1);
    assert.ok(asked !== undefined);
    return asked;
  };

  it('answers 201 with the session at top level and under session, and where to find it', async () => {
    const answer = await ask({});
    assert.equal(answer.status, 201, answer.text);
    const { already_authorized, session, ...fields } = answer.body;
    assert.equal(already_authorized, false);
    assert.deepEqual(session, fields);
    assert.deepEqual(Object.keys(fields), [
      ...['session_id', 'state', 'app_id', 'client_id', 'open_id', 'scopes', 'granted_scopes', 'missing_scopes'],
      ...['reason', 'message_id', 'created_at', 'expires_at', 'ended_at', 'failure_reason', 'failure_detail'],
      ...['next_session_id', 'metadata'],
    ]);
    assert.equal(fields['created_at'], '2026-03-02T08:00:00.000Z');
    assert.equal(answer.headers.get('location'), `/v1/sessions/${String(fields['session_id'])}`);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });

  it('passes on everything that was asked for', async () => {
    await ask({
      scopes: ['docs:read', 'docs:read'],
      reason: '  To file\u202e minutes  ',
      chat_id: 'oc_team',
      ttl_seconds: 600,
      metadata: { ticket: 'OPS-17' },
      force: true,
    });
    assert.deepEqual(lastAsked(), {
      clientId: 'boss',
      appId: APP_A,
      openId: ALICE,
      scopes: ['offline_access', 'docs:read'],
      reason: 'To file minutes',
      chatId: 'oc_team',
      ttlSeconds: 600,
      metadata: { ticket: 'OPS-17' },
      force: true,
      idempotency: null,
    });
  });

  it('fills in what was not said', async () => {
    await ask({});
    const { scopes, reason, chatId, ttlSeconds, metadata, force } = lastAsked();
    assert.deepEqual([scopes, reason, chatId], [['offline_access', 'mail:send'], null, null]);
    assert.deepEqual([ttlSeconds, metadata, force], [86_400, {}, false]);
  });

  it('answers 200 with the live session that covers the request', async () => {
    const usual = api.world.answer;
    api.world.answer = (request) => {
      const result = usual(request);
      return result.kind === 'created' ? { ...result, kind: 'live' } : result;
    };
    const answer = await ask({});
    api.world.answer = usual;
    assert.deepEqual([answer.status, answer.body['already_authorized']], [200, false]);
    assert.equal(answer.body['open_id'], ALICE);
    assert.equal(answer.headers.get('location'), null);
  });

  it('answers 200 with the status of the user when a grant covers the request', async () => {
    const usual = api.world.answer;
    api.world.answer = () => ({ kind: 'already_authorized', grant: newGrant() });
    const answer = await ask({});
    api.world.answer = usual;
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, {
      already_authorized: true,
      session: null,
      user: {
        status: 'active',
        scopes: ['offline_access', 'docs:read'],
        expires_at: '2026-03-02T10:00:00.000Z',
        refresh_expires_at: '2026-03-09T08:00:00.000Z',
        authorized_at: '2026-03-02T08:00:00.000Z',
        renewable: true,
      },
    });
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => `scope:${i}`);
  const refused: readonly (readonly [what: string, body: object, field: string])[] = [
    ['an unknown field', { colour: 'red' }, 'body:colour'],
    ['a field in camelCase', { ttlSeconds: 60 }, 'body:ttlSeconds'],
    ['no user', { open_id: undefined }, 'body:open_id'],
    ['a user that is a number', { open_id: 7 }, 'body:open_id'],
    ['a user that is null', { open_id: null }, 'body:open_id'],
    ['a union_id', { open_id: 'on_alice' }, 'body:open_id'],
    ['a user id that is too long', { open_id: `ou_${'a'.repeat(62)}` }, 'body:open_id'],
    ['a user id with a path in it', { open_id: 'ou_../admin' }, 'body:open_id'],
    ['a user id with a line break at its end', { open_id: 'ou_alice\n' }, 'body:open_id'],
    ['scopes as text', { scopes: 'docs:read mail:send' }, 'body:scopes'],
    ['a scope with a space', { scopes: ['docs:read mail:send'] }, 'body:scopes.0'],
    ['a scope with a quote', { scopes: ['docs:read', 'a"b'] }, 'body:scopes.1'],
    ['an empty scope', { scopes: [''] }, 'body:scopes.0'],
    ['a scope that is a number', { scopes: [1] }, 'body:scopes.0'],
    ['50 scopes besides offline_access', { scopes: many(50) }, 'body:scopes'],
    ['a reason of 201 characters', { reason: 'x'.repeat(201) }, 'body:reason'],
    ['a reason of four lines', { reason: 'a\nb\nc\nd' }, 'body:reason'],
    ['a reason that is a number', { reason: 1 }, 'body:reason'],
    ['a chat of another kind', { chat_id: 'ou_alice' }, 'body:chat_id'],
    ['a life of 9 seconds', { ttl_seconds: 9 }, 'body:ttl_seconds'],
    ['a life of more than a week', { ttl_seconds: 604_801 }, 'body:ttl_seconds'],
    ['a life with a fraction', { ttl_seconds: 60.5 }, 'body:ttl_seconds'],
    ['a life as text', { ttl_seconds: '60' }, 'body:ttl_seconds'],
    ['metadata that is a list', { metadata: ['a'] }, 'body:metadata'],
    ['metadata that is a number', { metadata: { a: 1 } }, 'body:metadata.a'],
    ['metadata of 257 characters', { metadata: { a: 'x'.repeat(257) } }, 'body:metadata.a'],
    ['17 metadata', { metadata: Object.fromEntries(many(17).map((key) => [key, ''])) }, 'body:metadata'],
    ['half a surrogate pair in metadata', { metadata: { a: '\ud800' } }, 'body:metadata'],
    ['force as text', { force: 'true' }, 'body:force'],
    ['force as a number', { force: 1 }, 'body:force'],
    ['an app that is empty', { app_id: '' }, 'body:app_id'],
  ];
  for (const [what, body, field] of refused) {
    it(`refuses ${what}, naming ${field}`, async () => {
      const asked = api.world.asked.length;
      const answer = await ask(body);
      assertProblem(answer, 400, 'invalid_request');
      assert.ok(fieldsOf(answer).includes(field), answer.text);
      assert.equal(api.world.asked.length, asked);
    });
  }

  it('accepts what is just within the limits', async () => {
    const metadata = Object.fromEntries(many(16).map((key) => [key, '字'.repeat(256)]));
    const body = { scopes: many(49), reason: `a\nb\n${'字'.repeat(196)}`, metadata, ttl_seconds: 604_800 };
    assert.equal((await ask({ ...body, open_id: `ou_${'a'.repeat(61)}` })).status, 201);
    assert.deepEqual([lastAsked().scopes.length, lastAsked().metadata], [50, metadata]);
    assert.equal((await ask({ ttl_seconds: 10, scopes: [], reason: '\u200b \n' })).status, 201);
    assert.deepEqual([lastAsked().scopes, lastAsked().reason], [['offline_access'], null]);
  });

  it('names all fields that are wrong, and repeats none of their values', async () => {
    const answer = await ask({ open_id: 'sentinel-1', ttl_seconds: 'sentinel-2', extra: 'sentinel-3' });
    assert.deepEqual(fieldsOf(answer).toSorted(), ['body:extra', 'body:open_id', 'body:ttl_seconds']);
    assert.ok(!answer.text.includes('sentinel'));
  });

  it('lists no more than 20 errors of a body that is all wrong', async () => {
    assert.equal(fieldsOf(await ask({ scopes: Array.from({ length: 100 }, () => ' ') })).length, 20);
  });

  describe('Idempotency-Key', () => {
    const digestOf = async (body: string) => {
      await api.call('POST', '/v1/sessions', { body, headers: { 'idempotency-key': 'key-1' } });
      return lastAsked().idempotency;
    };

    it('goes with a digest of the body in which the order of keys does not count', async () => {
      const canonical = `{"app_id":"${APP_A}","metadata":{"a":"1","b":"2"},"open_id":"ou_alice"}`;
      const shuffled = `{"open_id": "ou_alice",\n "metadata": {"b":"2", "a":"1"}, "app_id":"${APP_A}"}`;
      const bodyDigest = createHash('sha256').update(canonical).digest('hex');
      assert.deepEqual(await digestOf(canonical), { key: 'key-1', bodyDigest });
      assert.deepEqual(await digestOf(shuffled), { key: 'key-1', bodyDigest });
      assert.notEqual((await digestOf(canonical.replace('"2"', '"3"')))?.bodyDigest, bodyDigest);
    });

    it('tells the order in a list apart', async () => {
      const first = await digestOf(`{"open_id":"ou_alice","app_id":"${APP_A}","scopes":["a","b"]}`);
      const second = await digestOf(`{"open_id":"ou_alice","app_id":"${APP_A}","scopes":["b","a"]}`);
      assert.notEqual(first?.bodyDigest, second?.bodyDigest);
    });

    it('is 1 to 255 visible ASCII characters', async () => {
      assert.equal((await ask({}, 'boss', { 'idempotency-key': '~'.repeat(255) })).status, 201);
      for (const key of ['', 'x'.repeat(256), 'a b', 'é']) {
        const answer = await ask({}, 'boss', { 'idempotency-key': key });
        assertProblem(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), ['headers:idempotency-key']);
      }
    });

    it('answers 422 when the flow finds another body under the key', async () => {
      const usual = api.world.answer;
      api.world.answer = () => {
        throw new AuthdError('idempotency_conflict', 'The key was used with another body');
      };
      const answer = await ask({}, 'boss', { 'idempotency-key': 'key-1' });
      api.world.answer = usual;
      assertProblem(answer, 422, 'idempotency_conflict');
    });
  });

  describe('limits of the client', () => {
    it('need the action ask', async () => {
      assertProblem(await ask({}, 'reader'), 403, 'forbidden');
    });

    it('allow only its scopes, whether asked for or by default, and offline_access', async () => {
      assert.equal((await ask({ scopes: ['docs:read'] }, 'docs')).status, 201);
      assert.equal((await ask({ scopes: ['offline_access'] }, 'docs')).status, 201);
      const answer = await ask({ scopes: ['docs:read', 'mail:send'] }, 'docs');
      assertProblem(answer, 403, 'forbidden');
      assert.deepEqual(answer.body['forbidden_scopes'], ['mail:send']);
      assertProblem(await ask({}, 'docs'), 403, 'forbidden');
    });

    it('allow only its apps', async () => {
      assertProblem(await ask({ app_id: APP_B }, 'only-a'), 403, 'forbidden');
      assertProblem(await ask({ app_id: undefined }, 'nowhere'), 403, 'forbidden');
    });

    it('decide whether the app has to be named', async () => {
      const answer = await ask({ app_id: undefined });
      assertProblem(answer, 400, 'app_id_required');
      assert.deepEqual(answer.body['app_ids'], [APP_A, APP_B]);
      assert.equal((await ask({ app_id: undefined }, 'only-a')).status, 201);
      assert.equal(lastAsked().appId, APP_A);
    });

    it('have nothing to do with apps that are not configured', async () => {
      assertProblem(await ask({ app_id: 'cli_dddddddddddddddd' }), 404, 'app_not_found');
      assertProblem(await ask({ app_id: 'cli_eeeeeeeeeeeeeeee' }, 'nowhere'), 404, 'app_not_found');
    });
  });

  it('logs neither the reason nor the metadata', async () => {
    await ask({ reason: 'sentinel-reason', metadata: { a: 'sentinel-metadata' } });
    assert.ok(!api.logged().includes('sentinel'));
  });
});

describe('POST /v1/sessions with one app', () => {
  it('does not need its name', async () => {
    const api = await newApi();
    assert.equal((await api.call('POST', '/v1/sessions', { body: { open_id: ALICE } })).status, 201);
    await api.close();
  });
});
