import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import {
  ALICE,
  APP_A,
  APP_B,
  type Api,
  assertProblem,
  fieldsOf,
  newApi,
  newClient,
  newSession,
  sessionIdOf,
} from './support.js';

const CLIENTS = [
  newClient('boss'),
  newClient('mine', { actions: ['ask', 'status'] }),
  newClient('other', { actions: ['ask', 'status'] }),
  newClient('boss-of-b', { apps: [APP_B] }),
  newClient('token-only', { actions: ['token', 'revoke'] }),
];
const MINE = sessionIdOf(APP_A, 1);
const MINE_B = sessionIdOf(APP_B, 2);
const ENDED = sessionIdOf(APP_A, 3);
const UNKNOWN = sessionIdOf(APP_A, 99);

describe('sessions', () => {
  let api: Api;
  before(async () => {
    const apps = [APP_A, APP_B].map((appId) => ({ appId, authScopes: ['offline_access'] }));
    api = await newApi({ clients: CLIENTS, apps });
    api.world.add(newSession({ sessionId: MINE, clientId: 'mine', reason: 'why', metadata: { ticket: '7' } }));
    api.world.add(newSession({ sessionId: MINE_B, appId: APP_B, clientId: 'mine' }));
    api.world.add(
      newSession({
        sessionId: ENDED,
        clientId: 'other',
        state: 'failed',
        endedAt: Date.parse('2026-03-02T09:00:00Z'),
        failureReason: 'app_misconfigured',
        failureDetail: { feishu_code: 99_991_672, log_id: 'log-1', remedy: 'Grant the scope', for: 'operator' },
        messageId: 'om_1',
        nextSessionId: MINE,
      }),
    );
  });
  after(() => api.close());

  describe('GET /v1/sessions/{session_id}', () => {
    it('shows exactly the fields of the contract', async () => {
      const answer = await api.call('GET', `/v1/sessions/${ENDED}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, {
        session_id: ENDED,
        state: 'failed',
        app_id: APP_A,
        client_id: 'other',
        open_id: ALICE,
        scopes: ['offline_access'],
        granted_scopes: [],
        missing_scopes: [],
        reason: null,
        message_id: 'om_1',
        created_at: '2026-03-02T08:00:00.000Z',
        expires_at: '2026-03-02T09:00:00.000Z',
        ended_at: '2026-03-02T09:00:00.000Z',
        failure_reason: 'app_misconfigured',
        failure_detail: { feishu_code: 99_991_672, log_id: 'log-1', remedy: 'Grant the scope', for: 'operator' },
        next_session_id: MINE,
        metadata: {},
      });
    });

    it('shows reason and metadata to the client that gave them', async () => {
      const { body } = await api.call('GET', `/v1/sessions/${MINE}`, { as: 'mine' });
      assert.deepEqual([body['reason'], body['metadata']], ['why', { ticket: '7' }]);
    });

    it('is 404 alike for unknown, malformed and foreign ids', async () => {
      const texts = new Set<string>();
      for (const id of [UNKNOWN, 'x', 'as_', '..%2f..', '%00', `${MINE}x`, ENDED]) {
        const answer = await api.call('GET', `/v1/sessions/${id}`, { as: 'mine' });
        assertProblem(answer, 404, 'session_not_found');
        texts.add(answer.text);
      }
      assert.equal(texts.size, 1);
    });

    it('is for admin to see for all clients, but only of the apps the client may use', async () => {
      assert.equal((await api.call('GET', `/v1/sessions/${MINE}`)).status, 200);
      assert.equal((await api.call('GET', `/v1/sessions/${MINE_B}`, { as: 'boss-of-b' })).status, 200);
      assertProblem(await api.call('GET', `/v1/sessions/${MINE}`, { as: 'boss-of-b' }), 404, 'session_not_found');
    });

    it('needs an action that has to do with sessions', async () => {
      assertProblem(await api.call('GET', `/v1/sessions/${MINE}`, { as: 'token-only' }), 403, 'forbidden');
    });
  });

  describe('GET /v1/sessions', () => {
    const list = async (query: string, as = 'boss') => {
      const answer = await api.call('GET', `/v1/sessions${query}`, { as });
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    };

    it('asks for the own sessions of all apps the client may use', async () => {
      const body = await list('', 'mine');
      const sessions = body['sessions'] as readonly { session_id: string }[];
      assert.deepEqual(sessions.map((session) => session.session_id).toSorted(), [MINE, MINE_B].toSorted());
      assert.equal(body['next_cursor'], null);
      assert.deepEqual(api.world.listed.at(-1), { appIds: [APP_A, APP_B], clientId: 'mine', limit: 20 });
    });

    it('asks for those of everybody for admin, within her apps', async () => {
      await list('', 'boss-of-b');
      assert.deepEqual(api.world.listed.at(-1), { appIds: [APP_B], clientId: null, limit: 20 });
    });

    it('passes filters and the cursor on', async () => {
      const body = await list(`?open_id=${ALICE}&app_id=${APP_A}&state=expired&limit=1&cursor=abc-_.~9`);
      assert.deepEqual(api.world.listed.at(-1), {
        appIds: [APP_A],
        clientId: null,
        openId: ALICE,
        state: 'expired',
        limit: 1,
        cursor: 'abc-_.~9',
      });
      assert.equal(body['next_cursor'], 'next');
    });

    const refused: readonly (readonly [query: string, field: string])[] = [
      ['?limit=0', 'query:limit'],
      ['?limit=101', 'query:limit'],
      ['?limit=5x', 'query:limit'],
      ['?limit=+5', 'query:limit'],
      ['?limit=05', 'query:limit'],
      ['?limit=5.0', 'query:limit'],
      ['?limit=', 'query:limit'],
      ['?limit=5&limit=6', 'query:limit'],
      ['?state=done', 'query:state'],
      ['?state=pending&state=expired', 'query:state'],
      ['?open_id=alice', 'query:open_id'],
      ['?app_id=', 'query:app_id'],
      ['?cursor=%0a', 'query:cursor'],
      ['?user=1', 'query:user'],
      ['?open_id[]=ou_alice', 'query:open_id[]'],
      ['?__proto__=1', 'query:__proto__'],
      ['?constructor=1', 'query:constructor'],
    ];
    for (const [query, field] of refused) {
      it(`refuses ${query}, naming ${field}`, async () => {
        const answer = await api.call('GET', `/v1/sessions${query}`);
        assertProblem(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), [field]);
      });
    }

    it('is 403 or 404 for an app that is not the client’s or nobody’s', async () => {
      assertProblem(await api.call('GET', `/v1/sessions?app_id=${APP_A}`, { as: 'boss-of-b' }), 403, 'forbidden');
      assertProblem(await api.call('GET', '/v1/sessions?app_id=cli_x'), 404, 'app_not_found');
      assertProblem(await api.call('GET', '/v1/sessions', { as: 'token-only' }), 403, 'forbidden');
    });
  });

  describe('POST /v1/sessions/{session_id}/invalidate', () => {
    const invalidate = (id: string, options: object = {}) =>
      api.call('POST', `/v1/sessions/${id}/invalidate`, { as: 'mine', ...options });

    it('ends a session of the own, and repeats as often as one likes', async () => {
      const id = sessionIdOf(APP_A, 10);
      api.world.add(newSession({ sessionId: id, clientId: 'mine' }));
      for (const body of [undefined, '', {}]) {
        const headers = { 'content-type': 'application/json' };
        const answer = await invalidate(id, body === undefined ? {} : { body, headers });
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual([answer.body['session_id'], answer.body['state']], [id, 'invalidated']);
      }
      const said = api.lines.find((line) => line['event'] === 'api.invalidated');
      assert.deepEqual([said?.['session_id'], said?.['client_id'], said?.['app_id']], [id, 'mine', APP_A]);
    });

    it('leaves an ended session as it is', async () => {
      const answer = await invalidate(ENDED, { as: 'boss' });
      assert.deepEqual([answer.status, answer.body['state']], [200, 'failed']);
    });

    it('is for its owner and admin only', async () => {
      const id = sessionIdOf(APP_A, 11);
      api.world.add(newSession({ sessionId: id, clientId: 'mine' }));
      assertProblem(await invalidate(id, { as: 'other' }), 404, 'session_not_found');
      assertProblem(await invalidate(id, { as: 'boss-of-b' }), 404, 'session_not_found');
      assertProblem(await invalidate(id, { as: 'token-only' }), 403, 'forbidden');
      assertProblem(await invalidate(UNKNOWN), 404, 'session_not_found');
      assert.equal(api.world.sessions.get(id)?.state, 'pending');
      assert.equal((await invalidate(id, { as: 'boss' })).status, 200);
    });

    it('takes no fields', async () => {
      for (const body of [{ reason: 'x' }, [], 'null', '"x"', '3']) {
        assertProblem(await invalidate(MINE, { body }), 400, 'invalid_request');
      }
      const query = await api.call('POST', `/v1/sessions/${MINE}/invalidate?force=true`, { as: 'mine' });
      assertProblem(query, 400, 'invalid_request');
      assert.deepEqual(fieldsOf(query), ['query:force']);
      assert.equal(api.world.sessions.get(MINE)?.state, 'pending');
    });
  });

  describe('POST /v1/sessions/cleanup', () => {
    const cleanUp = (body: unknown, as = 'boss') => api.call('POST', '/v1/sessions/cleanup', { as, body });

    it('says how many sessions it deleted', async () => {
      const answer = await cleanUp({ expiry_days: 30 });
      assert.deepEqual([answer.status, answer.body], [200, { deleted: 7 }]);
      assert.deepEqual(api.world.cleaned, [30]);
    });

    it('is for admin, and not for one who is limited to some apps', async () => {
      assertProblem(await cleanUp({ expiry_days: 30 }, 'mine'), 403, 'forbidden');
      assertProblem(await cleanUp({ expiry_days: 30 }, 'boss-of-b'), 403, 'forbidden');
      assert.equal(api.world.cleaned.length, 1);
    });

    it('refuses days that are none', async () => {
      for (const body of [
        {},
        { expiry_days: '30' },
        { expiry_days: -1 },
        { expiry_days: 1.5 },
        { expiry_days: null },
      ]) {
        const answer = await cleanUp(body);
        assertProblem(answer, 400, 'invalid_request');
        assert.deepEqual(fieldsOf(answer), ['body:expiry_days']);
      }
    });
  });
});

describe('the error of a port', () => {
  it('becomes the answer, such as a cursor the store does not know', async () => {
    const api = await newApi();
    api.world.fault = () => Promise.reject(new AuthdError('invalid_request', 'This cursor is none of ours'));
    assertProblem(await api.call('GET', '/v1/sessions?cursor=abc'), 400, 'invalid_request');
    await api.close();
  });
});
