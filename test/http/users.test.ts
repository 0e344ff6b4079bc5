import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  ALICE,
  APP_A,
  APP_B,
  type Api,
  assertProblem,
  BOB,
  fieldsOf,
  NOW,
  newApi,
  newClient,
  newGrant,
  newToken,
} from './support.js';

const NONE = {
  status: 'none',
  scopes: [],
  expires_at: null,
  refresh_expires_at: null,
  authorized_at: null,
  renewable: false,
};

const CLIENTS = [
  newClient('boss'),
  newClient('named', { actions: ['status', 'token', 'revoke'] }),
  newClient('stranger', { actions: ['status', 'token', 'revoke'] }),
  newClient('docs', { actions: ['token'], scopes: ['docs:read'] }),
  newClient('asker', { actions: ['ask'] }),
  newClient('admin-only', { actions: ['admin'] }),
  newClient('only-b', { apps: [APP_B] }),
];

describe('users', () => {
  let api: Api;
  beforeEach(async () => {
    api = await newApi({ clients: CLIENTS });
    api.world.give(newGrant({ clientIds: ['named', 'docs'] }), newToken());
  });
  afterEach(() => api.close());

  describe('GET /v1/users/{open_id}', () => {
    const status = (as: string, user = ALICE) => api.call('GET', `/v1/users/${user}`, { as });

    it('shows exactly the fields of the contract to a client the grant names, and to admin', async () => {
      for (const client of ['named', 'boss', 'admin-only']) {
        const answer = await status(client);
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, {
          status: 'active',
          scopes: ['offline_access', 'docs:read'],
          expires_at: '2026-03-02T10:00:00.000Z',
          refresh_expires_at: '2026-03-09T08:00:00.000Z',
          authorized_at: '2026-03-02T08:00:00.000Z',
          renewable: true,
        });
      }
    });

    it('says none to any other client, word for word as for a user without a grant', async () => {
      const foreign = await status('stranger');
      assert.deepEqual(foreign.body, NONE);
      assert.equal(foreign.text, (await status('stranger', BOB)).text);
      assert.deepEqual((await status('boss', BOB)).body, NONE);
    });

    it('needs the action and the app', async () => {
      assertProblem(await status('asker'), 403, 'forbidden');
      assertProblem(await status('only-b'), 403, 'forbidden');
      assertProblem(await api.call('GET', `/v1/users/${ALICE}?app_id=cli_x`), 404, 'app_not_found');
    });

    it('refuses ids that are none', async () => {
      for (const user of ['alice', 'on_alice', `ou_${'a'.repeat(62)}`, 'ou_a%2fb', 'ou_%00', 'ou_%E5%AF%86', 'OU_a']) {
        const answer = await status('boss', user);
        assertProblem(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), ['path:open_id']);
      }
    });
  });

  describe('GET /v1/users/{open_id}/token', () => {
    const read = (as: string, query = '', user = ALICE) => api.call('GET', `/v1/users/${user}/token${query}`, { as });

    it('hands out the token, and says so in the log without it', async () => {
      api.world.now = NOW + 100_400;
      const answer = await read('named');
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, {
        access_token: 'u-the-access-token',
        token_type: 'Bearer',
        expires_at: '2026-03-02T10:00:00.000Z',
        expires_in: 7_099,
        scopes: ['offline_access', 'docs:read'],
      });
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const said = api.lines.filter((line) => line['event'] === 'token.issued');
      assert.equal(said.length, 1);
      const [line] = said;
      assert.deepEqual([line?.['client_id'], line?.['app_id'], line?.['open_id']], ['named', APP_A, ALICE]);
      assert.ok(!api.logged().includes('u-the-access-token'));
    });

    it('takes needed scopes separated by spaces or commas', async () => {
      for (const scopes of [
        'docs:read',
        'docs:read,offline_access',
        'docs:read%20offline_access',
        ',docs:read,+',
        '',
      ]) {
        assert.equal((await read('named', `?scopes=${scopes}`)).status, 200, scopes);
      }
    });

    it('is 403 insufficient_scope with what is missing, and the next step is to ask', async () => {
      const answer = await read('named', '?scopes=docs:read,mail:send,cal:read');
      assertProblem(answer, 403, 'insufficient_scope');
      assert.deepEqual([answer.body['missing_scopes'], answer.body['next']], [['mail:send', 'cal:read'], 'ask']);
    });

    it('is 404 token_not_found alike for users without a grant and grants of other clients', async () => {
      const foreign = await read('stranger');
      assertProblem(foreign, 404, 'token_not_found');
      assert.equal(foreign.text, (await read('stranger', '', BOB)).text);
      assert.equal(foreign.body['next'], 'ask');
      assert.equal((await read('boss')).status, 200);
    });

    it('needs the action token, which admin alone does not give', async () => {
      assertProblem(await read('asker'), 403, 'forbidden');
      assertProblem(await read('admin-only'), 403, 'forbidden');
      assertProblem(await read('only-b'), 403, 'forbidden');
    });

    it('lets a client with limited scopes ask for no others', async () => {
      assert.equal((await read('docs')).status, 200);
      const beyond = await read('docs', '?scopes=mail:send');
      assertProblem(beyond, 403, 'forbidden');
      assert.deepEqual(beyond.body['forbidden_scopes'], ['mail:send']);
      assert.equal(api.lines.filter((line) => line['event'] === 'token.issued').length, 1);
    });

    it('gives it the token of a grant that named it, also when the user has granted others more since', async () => {
      // Feishu's grants accumulate: refusing here would shut every client out as soon as there are two.
      const scopes = ['offline_access', 'docs:read', 'mail:send'];
      api.world.give(newGrant({ clientIds: ['docs'], scopes }), newToken({ scopes }));
      assert.equal((await read('docs')).status, 200);
    });

    it('gives no token with less than a minute left', async () => {
      api.world.give(newGrant({ clientIds: ['named'] }), newToken({ expiresAt: NOW + 60_000 }));
      assert.equal((await read('named')).body['expires_in'], 60);
      assert.deepEqual(api.world.used, [`${APP_A}/${ALICE}`], 'it counts as used');
      api.world.now += 1;
      const answer = await read('named');
      assertProblem(answer, 503, 'upstream_unavailable');
      assert.deepEqual([answer.body['next'], answer.headers.get('retry-after')], ['wait', '8']);
      assert.deepEqual(api.world.renewed, [{ seen: 1, force: false }]);
      assert.equal(api.world.used.length, 1);
    });

    it('gives what a refresh has brought', async () => {
      api.world.give(newGrant({ clientIds: ['named'] }), newToken({ expiresAt: NOW }));
      api.world.renew = () => {
        api.world.give(newGrant({ clientIds: ['named'] }), newToken({ accessToken: 'u-the-next-one' }));
        return null;
      };
      assert.equal((await read('named')).body['access_token'], 'u-the-next-one');
    });

    it('gives a short-lived token until half its life is over', async () => {
      api.world.give(newGrant({ clientIds: ['named'] }), newToken({ expiresAt: NOW + 10_000, expiresIn: 10 }));
      api.world.now += 5_000;
      assert.equal((await read('named')).body['expires_in'], 5);
      api.world.now += 1;
      assertProblem(await read('named'), 503, 'upstream_unavailable');
    });

    it('is 409 for an expired token and one that is not there, when there is no refresh token', async () => {
      const grant = newGrant({ clientIds: ['named'], renewable: false });
      api.world.give(grant, newToken({ expiresAt: NOW - 1 }));
      const answer = await read('named');
      assertProblem(answer, 409, 'reauthorization_required');
      assert.equal(answer.body['next'], 'ask');
      api.world.give(grant, null);
      assertProblem(await read('named'), 409, 'reauthorization_required');
      assertProblem(await read('named', '?scopes=mail:send'), 403, 'insufficient_scope');
    });

    it('gives a token of an earlier consent where the newest one may less', async () => {
      const wider = newToken({ accessToken: 'u-the-wider-one', scopes: ['docs:read', 'mail:send'] });
      api.world.give(newGrant({ clientIds: ['named'] }), newToken());
      const { reading } = api.world;
      api.world.reading = (appId, openId) => {
        const known = reading.call(api.world, appId, openId);
        return { ...known, tokens: [...known.tokens, wider] };
      };
      assert.equal((await read('named')).body['access_token'], 'u-the-access-token');
      assert.equal((await read('named', '?scopes=mail:send')).body['access_token'], 'u-the-wider-one');
    });

    it('is 409 when the user has to authorize again, 503 for the operator when the grant is suspended', async () => {
      for (const status of ['reauthorization_required', 'revoked'] as const) {
        api.world.give(newGrant({ clientIds: ['named'], status }), newToken());
        assertProblem(await read('named'), 409, 'reauthorization_required');
      }
      const suspended = newGrant({ clientIds: ['named'], status: 'suspended' });
      api.world.give(suspended, newToken());
      assert.equal((await read('named')).status, 200, 'as long as the token lives');
      api.world.give(suspended, newToken({ expiresAt: NOW }));
      api.world.renew = () => ({ retryAfterMs: 30_000, detail: null, operator: true, asked: false });
      const answer = await read('named');
      assertProblem(answer, 503, 'upstream_unavailable');
      assert.equal(answer.body['next'], 'operator');
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
    });

    it('does not answer HEAD: that would count as handing it out', async () => {
      assert.equal((await api.call('HEAD', `/v1/users/${ALICE}/token`, { as: 'named' })).status, 405);
      assert.equal(api.lines.filter((line) => line['event'] === 'token.issued').length, 0);
    });
  });

  describe('POST /v1/users/{open_id}/token/refresh', () => {
    const refresh = (body: object = {}, as = 'named') =>
      api.call('POST', `/v1/users/${ALICE}/token/refresh`, { as, body });
    const succeed = (): null => {
      api.world.give(newGrant({ clientIds: ['named'] }), newToken({ accessToken: 'u-the-next-one' }));
      return null;
    };

    it('refreshes now, before the token is due, and gives the new one', async () => {
      api.world.renew = succeed;
      const answer = await refresh();
      assert.deepEqual([answer.status, answer.body['access_token']], [200, 'u-the-next-one']);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.deepEqual(api.world.renewed, [{ seen: 1, force: true }]);
    });

    it('does nothing when the stored token is newer than the one the caller has seen', async () => {
      api.world.renew = succeed;
      const older = new Date(NOW + 7_100_000).toISOString();
      assert.equal((await refresh({ if_expires_at: older })).body['access_token'], 'u-the-access-token');
      assert.deepEqual(api.world.renewed, []);
      for (const same of ['2026-03-02T10:00:00.000Z', '2026-03-02T18:00:00+08:00', '2026-03-02T10:00:00Z']) {
        await refresh({ if_expires_at: same });
      }
      assert.equal(api.world.renewed.length, 3);
    });

    it('refuses times that are none, and fields it does not know', async () => {
      for (const body of [{ if_expires_at: 'soon' }, { if_expires_at: 7 }, { expires: 1 }]) {
        assertProblem(await refresh(body), 400, 'invalid_request');
      }
    });

    it("is 502 with Feishu's code when Feishu refuses, 503 when Feishu was not asked", async () => {
      const detail = { feishu_code: 20074, log_id: 'LOG7', remedy: 'Switch it on.', for: 'operator' } as const;
      api.world.renew = () => ({ retryAfterMs: 30_000, detail, operator: true, asked: true });
      const refused = await refresh();
      assertProblem(refused, 502, 'token_refresh_failed');
      const { feishu_code, log_id, next, remedy } = refused.body;
      assert.deepEqual([feishu_code, log_id, next, remedy], [20074, 'LOG7', 'operator', 'Switch it on.']);
      api.world.renew = () => ({ retryAfterMs: 30_000, detail, operator: true, asked: false });
      assertProblem(await refresh(), 503, 'upstream_unavailable');
    });

    it('is 409 without a refresh token, 404 for grants of others, 403 without the action', async () => {
      assertProblem(await refresh({}, 'stranger'), 404, 'token_not_found');
      assertProblem(await refresh({}, 'asker'), 403, 'forbidden');
      api.world.give(newGrant({ clientIds: ['named'], renewable: false }), newToken());
      assertProblem(await refresh(), 409, 'reauthorization_required');
    });
  });

  describe('DELETE /v1/users/{open_id}/token', () => {
    const forget = (as: string, query = '', user = ALICE) =>
      api.call('DELETE', `/v1/users/${user}/token${query}`, { as });

    it('forgets the tokens, answers 204 without a body, and again when they are gone', async () => {
      const answer = await forget('named');
      assert.deepEqual([answer.status, answer.text], [204, '']);
      assert.deepEqual(api.world.forgotten, [`${APP_A}/${ALICE}`]);
      assert.equal((await forget('named')).status, 204);
      assertProblem(await api.call('GET', `/v1/users/${ALICE}/token`, { as: 'boss' }), 404, 'token_not_found');
    });

    it('leaves the grants of others alone, and does not tell that there are any', async () => {
      assert.equal((await forget('stranger')).status, 204);
      assert.deepEqual(api.world.forgotten, []);
      assert.equal((await forget('boss')).status, 204);
      assert.deepEqual(api.world.forgotten, [`${APP_A}/${ALICE}`]);
    });

    it('has Feishu told when asked to, and takes only true and false', async () => {
      for (const value of ['1', 'TRUE', 'yes', '']) {
        const answer = await forget('named', `?revoke_at_feishu=${value}`);
        assertProblem(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), ['query:revoke_at_feishu']);
      }
      assert.deepEqual(api.world.forgotten, []);
      assert.equal((await forget('named', '?revoke_at_feishu=true')).status, 204);
      assert.deepEqual(api.world.forgotten, [`${APP_A}/${ALICE} at Feishu`]);
    });

    it('takes no body but an empty one', async () => {
      const path = `/v1/users/${ALICE}/token`;
      assertProblem(await api.call('DELETE', path, { body: { force: true } }), 400, 'invalid_request');
      assert.equal((await api.call('DELETE', path, { body: '' })).status, 204);
    });

    it('needs the action revoke', async () => {
      assertProblem(await forget('asker'), 403, 'forbidden');
      assertProblem(await forget('admin-only'), 403, 'forbidden');
    });
  });
});
