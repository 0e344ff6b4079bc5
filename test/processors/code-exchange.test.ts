/**
 * A code that is held up by us ends its session as `code_expired`; one that was brought late ends nothing. Real Feishu in
 * a box and Redis.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { DONE } from '../../src/domain/job.js';
import { appOfSession } from '../../src/domain/session-id.js';
import { createTokenEndpoint } from '../../src/oauth/token-endpoint.js';
import { createCodeExchange } from '../../src/processors/code-exchange.js';
import { createRefused } from '../../src/processors/refused.js';
import { createRedirectStore } from '../../src/store/redirect-store.js';
import { startSimulator } from '../simulator/index.js';
import { newStore } from '../store/new-store.js';
import { startExchange } from '../support/exchange.js';
import { appConfig } from '../support/feishu-app.js';

const silent = pino({ level: 'silent' });
const CODE = { codeVerifier: 'v'.repeat(43), redirectUri: 'https://authd.example/callback' };

async function scene(t: TestContext, { configured = true } = {}) {
  const sim = await startSimulator();
  t.after(() => sim.close());
  const parts = await startExchange();
  t.after(() => parts.stop());
  const store = await newStore(t);
  const app = appConfig(sim.baseUrl, sim.addApp());
  const redirects = createRedirectStore(store);
  const { sessions } = store;
  const updated: string[] = [];
  const exchange = createCodeExchange({
    redirects,
    consented: () => Promise.reject(new Error('no tokens were expected')),
    refused: createRefused({
      sessions,
      producer: { cardUpdate: async (id) => void updated.push(id) },
      metrics: { sessionFailed: () => undefined },
      logger: silent,
    }),
    app: () => (configured ? app : undefined),
    tokenEndpoint: createTokenEndpoint(parts),
    timeoutMs: 2_000,
    random: () => 0.5,
    logger: silent,
  });
  const sessionId = await store.created({ ttlMs: 60_000 });
  await redirects.receiveCode(sessionId, 1, { ...CODE, code: 'never-given-by-feishu' }, 15_000);
  /** Runs the job so long after the code came. */
  const runAfter = async (ms: number) => {
    const session = await sessions.get(sessionId);
    if (session?.link?.grant !== 'authorization_code') throw new Error('no code is in hand');
    return await exchange(session, session.link, (session.link.received?.receivedAt ?? 0) + ms);
  };
  const session = async () => {
    const found = await sessions.get(sessionId);
    return [found?.state, found?.failureReason, found?.failureDetail?.feishu_code];
  };
  const timeIsOver = (): Promise<number> =>
    store.redis.hset(store.keys.session(appOfSession(sessionId) ?? '', sessionId), 'expires_at', 1);
  return { sim, runAfter, session, sessionId, sessions, timeIsOver, updated };
}

describe('a code in hand', { concurrency: 3 }, () => {
  it('is not even sent when its five minutes are over: the session ends as code_expired, and its card is asked for', async (t) => {
    const { runAfter, session, sim, updated } = await scene(t);
    assert.deepEqual(await runAfter(300_001), DONE);
    assert.deepEqual(await session(), ['failed', 'code_expired', undefined]);
    assert.equal(sim.calls.filter(({ api }) => api === 'token').length, 0);
    assert.equal(updated.length, 1);
  });

  it('that Feishu calls expired was held up by us after 15 s, and brought late before', async (t) => {
    const late = await scene(t);
    late.sim.faults.add({ on: 'api', api: 'token', kind: 'code', code: 20004 });
    assert.deepEqual(await late.runAfter(14_000), DONE);
    assert.deepEqual(await late.session(), ['authorizing', null, undefined]);
    const ours = await scene(t);
    ours.sim.faults.add({ on: 'api', api: 'token', kind: 'code', code: 20004 });
    assert.deepEqual(await ours.runAfter(16_000), DONE);
    assert.deepEqual(await ours.session(), ['failed', 'code_expired', 20004]);
  });

  it('is tried again while Feishu is away, ever more slowly, up to every 8 s', async (t) => {
    const { runAfter, session, sim } = await scene(t);
    sim.faults.add({ on: 'api', api: 'token', kind: 'code', code: 20072 });
    const pauses: number[] = [];
    for (const age of [0, 4_000, 60_000]) {
      const outcome = await runAfter(age);
      pauses.push(outcome.kind === 'again' ? outcome.delayMs : -1);
    }
    assert.deepEqual(pauses, [500, 2_000, 8_000]);
    assert.equal((await session())[0], 'authorizing');
  });

  it('keeps its session from expiring for as long as Feishu says to wait, and waits for no more than its own end', async (t) => {
    const { runAfter, session, sessionId, sessions, sim, timeIsOver } = await scene(t);
    sim.faults.add({ on: 'api', api: 'token', kind: 'code', code: 99991400, resetSeconds: 60, times: 2 });
    const first = await runAfter(10);
    assert.ok(first.kind === 'again' && first.delayMs > 50_000, JSON.stringify(first));
    await timeIsOver();
    const { leftMs } = await sessions.expire(sessionId);
    assert.ok(leftMs > first.delayMs - 5_000 && leftMs <= first.delayMs + 2_000, `${leftMs}`);
    const last = await runAfter(290_000);
    assert.ok(last.kind === 'again' && last.delayMs <= 10_001, JSON.stringify(last));
    assert.equal((await session())[0], 'authorizing');
  });

  it('waits for a process that is configured with its app, but not longer than the code lives', async (t) => {
    const { runAfter, session, sim, updated } = await scene(t, { configured: false });
    assert.equal((await runAfter(299_000)).kind, 'again');
    assert.deepEqual(await runAfter(300_001), DONE);
    assert.deepEqual(await session(), ['failed', 'code_expired', undefined]);
    assert.deepEqual([sim.calls.filter(({ api }) => api === 'token').length, updated.length], [0, 1]);
  });
});
