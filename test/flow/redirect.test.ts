/** What her browser is told when it comes back, over a real Redis; jobs are noted instead of run. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { createHints } from '../../src/flow/hints.js';
import { createReceiveRedirect } from '../../src/flow/redirect.js';
import { createConsentLinks } from '../../src/oauth/consent-links.js';
import { explainRedirectError } from '../../src/oauth/redirect-error.js';
import { createChanges } from '../../src/store/changes.js';
import { createRedirectStore } from '../../src/store/redirect-store.js';
import { APP, click, DETAIL, newStore, tokens } from '../store/new-store.js';
import { captureLog } from '../support/captured-log.js';

const DEBUG = 20;
const INFO = 30;
const NAMES = { client: { zh_cn: '报表', en_us: 'Reports' }, app: 'Docs Bot' };

async function scene(t: TestContext, { clockBehindMs = 0 } = {}) {
  const store = await newStore(t);
  const { keys, redis, sessions } = store;
  const subscriber = redis.duplicate();
  t.after(() => subscriber.disconnect());
  const changes = createChanges(subscriber, [`${keys.base(APP)}:changes`]);
  await changes.start();
  t.after(() => changes.stop());
  const links = createConsentLinks({
    keys: [{ id: 'k1', key: randomBytes(32) }],
    redirectUri: 'https://authd.example/callback',
  });
  const log = captureLog();
  const hints = createHints(log.logger);
  const redirects = createRedirectStore(store);
  /** Jobs and counts, in the order in which they came. */
  const done: string[] = [];
  const receive = createReceiveRedirect({
    links,
    redirects,
    sessions,
    changes,
    producer: {
      pollNow: async (_id, number) => void done.push(`poll ${number}`),
      cardUpdate: async () => void done.push('card'),
    },
    hints,
    names: () => NAMES,
    explainError: explainRedirectError,
    metrics: {
      sessionExpired: () => void done.push('counted expired'),
      sessionFailed: (_appId, reason) => void done.push(`counted ${reason}`),
    },
    waitMs: 100,
    now: () => Date.now() - clockBehindMs,
    logger: log.logger,
  });
  const stateOf = async (id: string): Promise<string> => {
    const session = await sessions.get(id);
    if (session === null) throw new Error('there is no such session');
    const url = links.urlFor(session, { accountsBaseUrl: 'https://accounts.feishu.example' });
    return new URL(url).searchParams.get('state') ?? '';
  };
  const bring = async (state: string, code: string) => await receive({ state, code, error: null });
  const linkOf = async (id: string) => {
    const link = (await sessions.get(id))?.link;
    if (link?.grant !== 'authorization_code') throw new Error('no link of the authorization code grant');
    return link;
  };
  return { ...store, redirects, receive, bring, stateOf, linkOf, log, done, settled: () => hints.settled() };
}

describe('a browser that comes back', { concurrency: 4 }, () => {
  it('waits while its code is in hand', async (t) => {
    const { bring, created, done, stateOf } = await scene(t);
    const state = await stateOf(await created());
    assert.equal((await bring(state, 'one')).kind, 'working');
    assert.equal((await bring(state, 'one')).kind, 'working');
    assert.deepEqual(done, ['poll 1']);
  });

  it('dates its code by the clock of Redis, however wrong the clock of the host is', async (t) => {
    const { bring, created, linkOf, stateOf } = await scene(t, { clockBehindMs: 600_000 });
    const id = await created();
    await bring(await stateOf(id), 'one');
    const age = Date.now() - ((await linkOf(id)).received?.receivedAt ?? 0);
    assert.ok(Math.abs(age) < 60_000, `${age} ms`);
  });

  it('does not wait for a code that is in hand no more: the link is used, also when she has asked for the next', async (t) => {
    const { bring, created, sessions, stateOf, vault } = await scene(t);
    const id = await created();
    const state = await stateOf(id);
    await bring(state, 'one');
    await vault.keep(id, 1, tokens());
    await sessions.mismatch(id, DETAIL);
    assert.equal((await bring(state, 'one')).kind, 'wrong_account');
    await sessions.click(click(id, 'authorize'));
    assert.equal((await bring(state, 'one')).kind, 'used');
  });

  it('does not wait when the tokens of its code could not be verified', async (t) => {
    const { bring, created, sessions, stateOf, vault } = await scene(t);
    const id = await created();
    const state = await stateOf(id);
    await bring(state, 'one');
    await vault.keep(id, 1, tokens());
    assert.equal((await bring(state, 'one')).kind, 'working');
    await sessions.dropTokens(id);
    assert.equal((await bring(state, 'one')).kind, 'used');
  });

  it('is asked to try again after five useless codes in a minute, and nothing is sent to Feishu', async (t) => {
    const { bring, created, done, keys, linkOf, redirects, redis, stateOf } = await scene(t);
    const id = await created();
    const state = await stateOf(id);
    for (const code of ['1', '2', '3', '4', '5']) {
      await bring(state, code);
      await redirects.dropCode(id, await linkOf(id), DETAIL);
    }
    const outcome = await bring(state, 'hers');
    assert.deepEqual([outcome.kind, 'detail' in outcome && outcome.detail?.for], ['try_again', 'user']);
    assert.equal(done.length, 5);
    await redis.hincrby(keys.session(APP, id), 'useless_since', -60_000);
    assert.equal((await bring(state, 'hers')).kind, 'working');
    assert.equal(done.length, 6);
  });

  for (const query of [
    { code: 'one', error: null },
    { code: null, error: 'access_denied' },
  ]) {
    it(`tells once that the session has expired by it, with ${query.error ?? 'a code'}`, async (t) => {
      const { created, done, log, receive, settled, stateOf } = await scene(t);
      const id = await created({ ttlMs: 1 });
      const state = await stateOf(id);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal((await receive({ state, ...query })).kind, 'expired');
      assert.equal((await receive({ state, ...query })).kind, 'expired');
      await settled();
      assert.deepEqual(done, ['counted expired', 'card']);
      const lines = await log.find(({ event }) => event === 'session.expired').then(() => log.of('session.expired'));
      assert.deepEqual(
        lines.map((line) => line['session_id']),
        [id],
      );
    });
  }

  it('is told of an error while the session lives, and after its end how it ended', async (t) => {
    const { created, log, receive, sessions, stateOf } = await scene(t);
    const id = await created();
    const query = { code: null, error: 'server_error', state: await stateOf(id) };
    const refused = await receive(query);
    assert.ok(refused.kind === 'refused' && refused.detail?.for === 'user');
    assert.equal(log.of('redirect.refused').length, 1);
    await sessions.click(click(id, 'decline'));
    assert.equal((await receive(query)).kind, 'declined');
    assert.equal(log.of('redirect.refused').length, 1);
  });

  it('is told of in the log only with a state of ours: a forger fills no log', async (t) => {
    const { bring, created, log, stateOf } = await scene(t);
    const id = await created();
    await bring(await stateOf(id), 'one');
    await bring('forged.state', 'one');
    const [known, forged] = log.of('redirect.received');
    assert.deepEqual([known?.level, known?.['session_id']], [INFO, id]);
    assert.deepEqual([forged?.level, forged?.['outcome']], [DEBUG, 'invalid']);
    assert.doesNotMatch(forged?.msg ?? '', /user's browser/);
  });
});
