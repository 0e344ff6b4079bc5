import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';
import { type Api, type ApiOptions, assertProblem, fieldsOf, HANGS, newApi, newSession } from './support.js';

const ID = newSession().sessionId;

describe('GET /v1/sessions/{session_id}?wait_seconds=', () => {
  let api: Api;
  const start = async (options: ApiOptions = {}) => {
    api = await newApi(options);
    api.world.add(newSession());
  };
  afterEach(() => api.close());

  const poll = (seconds: number | string, signal?: AbortSignal) =>
    api.call('GET', `/v1/sessions/${ID}?wait_seconds=${seconds}`, signal === undefined ? {} : { signal });
  const waiting = () => once(api.world.events, 'waiting');

  it('answers when the session ends', async () => {
    await start();
    const started = waiting();
    const answer = poll(50);
    await started;
    api.world.end(ID);
    assert.equal((await answer).body['state'], 'completed');
  });

  it('answers with the present state when the time is over', async () => {
    await start();
    const before = performance.now();
    const answer = await poll(1);
    assert.deepEqual([answer.status, answer.body['state']], [200, 'pending']);
    const elapsed = performance.now() - before;
    assert.ok(elapsed >= 990 && elapsed < 4_000, `${elapsed} ms`);
  });

  it('answers at once when the session has ended already, or nobody wants to wait', async () => {
    await start();
    assert.equal((await poll(0)).body['state'], 'pending');
    api.world.end(ID);
    assert.equal((await poll(50)).body['state'], 'completed');
    assert.equal(api.world.waits, 0);
  });

  it('waits 50 seconds at most, in whole seconds', async () => {
    await start();
    for (const seconds of ['51', '-1', '1.5', '5x', '1e1', '0x5', ' 5', '', '5&wait_seconds=5', 'Infinity']) {
      const answer = await poll(seconds);
      assertProblem(answer, 400, 'invalid_request');
      assert.deepEqual(fieldsOf(answer), ['query:wait_seconds']);
    }
  });

  it('lets go of the wait when the caller hangs up', async () => {
    await start();
    const started = waiting();
    const controller = new AbortController();
    const answer = poll(50, controller.signal);
    await started;
    const letGo = once(api.world.events, 'let-go');
    controller.abort();
    await assert.rejects(answer);
    await letGo;
  });

  it('answers 404 when the session is deleted meanwhile', async () => {
    await start();
    const started = waiting();
    const answer = poll(50);
    await started;
    api.world.sessions.delete(ID);
    api.world.events.emit('ended', ID);
    assertProblem(await answer, 404, 'session_not_found');
  });

  it('holds no more callers than it may, and takes the next when one has gone', async () => {
    await start({ limits: { maxLongPolls: 1 } });
    const started = waiting();
    const first = poll(50);
    await started;
    const refused = await poll(50);
    assertProblem(refused, 429, 'rate_limited');
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal((await poll(0)).status, 200);
    api.world.end(ID);
    await first;
    api.world.add(newSession());
    const again = waiting();
    const second = poll(50);
    await again;
    api.world.end(ID);
    assert.equal((await second).body['state'], 'completed');
  });

  it('answers everybody with the present state when the server closes', async () => {
    await start();
    const started = waiting();
    const answers = [poll(50), poll(50)];
    await started;
    if (api.world.waits < 2) await waiting();
    const before = performance.now();
    const closed = api.close();
    for (const answer of await Promise.all(answers)) {
      assert.deepEqual([answer.status, answer.body['state']], [200, 'pending']);
      assert.equal(answer.headers.get('connection'), 'close');
    }
    await closed;
    assert.ok(performance.now() - before < 2_000);
  });

  it('answers 503 when the store stops answering while it waits or before', async () => {
    await start({ limits: { handlerTimeoutMs: 200 } });
    const started = waiting();
    const answer = poll(1);
    await started;
    api.world.events.removeAllListeners('ended');
    api.world.fault = HANGS;
    assert.equal((await answer).status, 200, 'the wait itself ends by its own time');
    assertProblem(await poll(1), 503, 'upstream_unavailable');
  });

  it('does not wait longer than it was asked to for a store that has forgotten it', async () => {
    await start({ limits: { handlerTimeoutMs: 200 } });
    // The first call, `get`, is answered; `waitForEnd` is not.
    let calls = 0;
    api.world.fault = () => (++calls === 1 ? Promise.resolve() : HANGS());
    const before = performance.now();
    assertProblem(await poll(1), 503, 'upstream_unavailable');
    const elapsed = performance.now() - before;
    assert.ok(elapsed > 1_100 && elapsed < 10_000, `${elapsed} ms`);
  });
});
