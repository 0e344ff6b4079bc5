import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bodyOf, rawGet, sendRaw, statusOf } from './raw.js';
import { ALICE, type Api, assertProblem, newApi, newClient, newSession, secretOf } from './support.js';

const GUARDED = [
  ['POST', '/v1/sessions'],
  ['GET', '/v1/sessions'],
  ['GET', `/v1/sessions/${newSession().sessionId}`],
  ['POST', `/v1/sessions/${newSession().sessionId}/invalidate`],
  ['POST', '/v1/sessions/cleanup'],
  ['GET', `/v1/users/${ALICE}`],
  ['GET', `/v1/users/${ALICE}/token`],
  ['DELETE', `/v1/users/${ALICE}/token`],
] as const;

describe('authentication', () => {
  let api: Api;
  before(async () => {
    api = await newApi({ limits: { failedAuthPerAddress: { max: 1_000, windowMs: 60_000 } } });
    api.world.add(newSession());
  });
  after(() => api.close());

  it('refuses every call of the API without a key, with a wrong one and with an empty one', async () => {
    for (const [method, path] of GUARDED) {
      for (const authorization of [undefined, 'Bearer wrong', 'Bearer ']) {
        const headers = authorization === undefined ? {} : { authorization };
        const answer = await api.call(method, path, { as: null, headers });
        assertProblem(answer, 401, 'unauthorized');
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm=/);
      }
    }
    assert.deepEqual([api.world.asked, api.world.cleaned, api.world.forgotten], [[], [], []]);
  });

  it('refuses before it looks at the body', async () => {
    const answer = await api.call('POST', '/v1/sessions', { as: null, body: `{"x": ${'1'.repeat(100_000)}` });
    assertProblem(answer, 401, 'unauthorized');
  });

  it('answers 401, never 500, to mangled Authorization headers', async () => {
    const right = secretOf('boss');
    const mangled = [
      ['Authorization:'],
      ['Authorization: x'],
      ['Authorization: Bearer'],
      ['Authorization: Bearer '],
      [`Authorization: Bearer ${'a'.repeat(10_240)}`],
      [`Authorization: ${'\u00ff'.repeat(50)}`],
      ['Authorization: Bearer \u00e5\u00af\u0086\u00e7\u00a0\u0081'],
      [`Authorization: Basic ${Buffer.from(`boss:${right}`).toString('base64')}`],
      [`Authorization: Bearer ${right} ${right}`],
      [`Authorization: Bearer "${right}"`],
      [`Authorization: ${right}`],
      [`X-Api-Key: ${right}`],
      [`Cookie: authorization=${right}`],
      ['Authorization: Bearer wrong', `Authorization: Bearer ${right}`],
      [`Authorization: Bearer ${right}`, 'Authorization: Bearer wrong'],
      [`Authorization: Bearer ${right}`, `Authorization: Bearer ${right}`],
    ];
    for (const lines of mangled) {
      const response = await sendRaw(api.port, rawGet('/v1/sessions', lines));
      assert.equal(statusOf(response), 401, lines.join('\n'));
      assert.equal(bodyOf(response)['code'], 'unauthorized');
    }
  });

  it('takes the scheme in any case', async () => {
    const response = await sendRaw(api.port, rawGet('/v1/sessions', [`authorization: bEARER  ${secretOf('boss')}`]));
    assert.equal(statusOf(response), 200);
  });

  it('never takes a key from the query string', async () => {
    const key = secretOf('boss');
    for (const parameter of ['access_token', 'api_key', 'token', 'authorization']) {
      assertProblem(await api.call('GET', `/v1/sessions?${parameter}=${key}`, { as: null }), 401, 'unauthorized');
      assertProblem(await api.call('GET', `/v1/sessions?${parameter}=${key}`), 400, 'invalid_request');
    }
  });

  it('writes no key to the log, right or wrong', async () => {
    await api.call('GET', '/v1/sessions', { headers: { authorization: 'Bearer a-wrong-secret-of-somebody' } });
    assert.ok(!api.logged().includes(secretOf('boss')) && !api.logged().includes('a-wrong-secret-of-somebody'));
  });

  it('needs no key for health and the OpenAPI document', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      assert.equal((await api.call('GET', path, { as: null })).status, 200);
    }
  });
});

describe('authentication with non-ASCII secrets', () => {
  it('compares the bytes that were sent', async () => {
    const secret = '密码密码密码密码密码密码密码密码密码密码密码密码密码密码密码密码';
    const digest = createHash('sha256').update(secret).digest('hex');
    const api = await newApi({ clients: [newClient('boss', { secretSha256: [digest] })] });
    const bytes = Buffer.from(secret).toString('latin1');
    const response = await sendRaw(api.port, rawGet('/v1/sessions', [`Authorization: Bearer ${bytes}`]));
    await api.close();
    assert.equal(statusOf(response), 200);
  });
});

describe('authentication without any client', () => {
  it('is closed: every call is refused, also with an empty key', async () => {
    const api = await newApi({ clients: [] });
    for (const [method, path] of GUARDED) {
      assertProblem(await api.call(method, path), 401, 'unauthorized');
      assertProblem(await api.call(method, path, { as: null }), 401, 'unauthorized');
    }
    await api.close();
  });
});

describe('call limits', () => {
  it('answers 429 with Retry-After to a client that calls too often, and only to that one', async () => {
    const clients = [newClient('boss'), newClient('calm')];
    const api = await newApi({ clients, limits: { callsPerClient: { max: 3, windowMs: 60_000 } } });
    for (let call = 1; call <= 3; call += 1) assert.equal((await api.call('GET', '/v1/sessions')).status, 200);
    const refused = await api.call('GET', `/v1/users/${ALICE}`);
    assertProblem(refused, 429, 'rate_limited');
    assert.equal(refused.body['next'], 'wait');
    const seconds = Number(refused.headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 60);
    assert.equal((await api.call('GET', '/v1/sessions', { as: 'calm' })).status, 200);
    assert.equal((await api.call('GET', '/healthz', { as: null })).status, 200);
    await api.close();
  });

  it('answers 429 to an address that keeps failing, but lets a valid key from there through', async () => {
    const api = await newApi({ limits: { failedAuthPerAddress: { max: 2, windowMs: 60_000 } } });
    const fail = () => api.call('GET', '/v1/sessions', { headers: { authorization: 'Bearer wrong' } });
    assertProblem(await fail(), 401, 'unauthorized');
    assertProblem(await fail(), 401, 'unauthorized');
    const refused = await fail();
    assertProblem(refused, 429, 'rate_limited');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.equal((await api.call('GET', '/v1/sessions')).status, 200);
    const said = api.lines.filter((line) => line['event'] === 'http.unauthorized');
    assert.equal(said.length, 1, 'one line per address and window');
    await api.close();
  });

  it('does not let X-Forwarded-For choose another address', async () => {
    const api = await newApi({ limits: { failedAuthPerAddress: { max: 1, windowMs: 60_000 } } });
    const fail = (from: string) => api.call('GET', '/v1/sessions', { as: null, headers: { 'x-forwarded-for': from } });
    assertProblem(await fail('10.0.0.1'), 401, 'unauthorized');
    assertProblem(await fail('10.0.0.2'), 429, 'rate_limited');
    await api.close();
  });
});

describe('a slow caller', () => {
  it('does not keep others from being answered', async () => {
    const api = await newApi();
    const slow = connect(api.port, '127.0.0.1');
    await once(slow, 'connect');
    slow.write('POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Le');
    assert.equal((await api.call('GET', '/v1/sessions')).status, 200);
    slow.destroy();
    await api.close();
  });
});
