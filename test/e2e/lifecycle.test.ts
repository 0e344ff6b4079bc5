/**
 * How the daemon starts, refuses to start, stops and shares its work (CONTRACT §9, §5 readyz, §2 ROLES and
 * METRICS_PORT). FAILURES F-key-from-hostname, G-fatal-line-lost, G-pm2-kill-timeout, G-timers-keep-process-alive.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import { freePort } from '../simulator/demo/free-port.js';
import { type Daemon, newDaemon } from '../support/daemon.js';
import { authorizeByCard } from '../support/person.js';
import { newScene } from '../support/scene.js';
import { authorize } from '../support/steps.js';
import { QUICK_STOP, stop, stopInTheMiddle } from '../support/stopping.js';

/** Every key that does not end by itself, with its serialized value. */
async function contents(redis: Redis): Promise<Map<string, string>> {
  const kept = new Map<string, string>();
  for (const key of (await redis.keys('*')).sort()) {
    const [value, ttl] = await Promise.all([redis.dumpBuffer(key), redis.ttl(key)]);
    if (ttl === -1) kept.set(key, value?.toString('base64') ?? '');
  }
  return kept;
}

/** It wrote a sentence for the operator and a fatal line for the machine, and ended with 2. */
async function assertRefused(daemon: Daemon, sentence: RegExp): Promise<void> {
  assert.equal(await daemon.exited(), 2, daemon.output().slice(-800));
  assert.match(daemon.output(), sentence);
  const last = daemon.lines.at(-1);
  assert.equal(last?.['level'], 'fatal', JSON.stringify(last));
  assert.equal(last?.event, 'daemon.failed');
  assert.match(String(last?.['msg']), sentence);
}

describe('stopping', { concurrency: 2 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} with nothing to do: exit 0 within 6 s, also when it comes twice`, async (t) => {
      const scene = await newScene(t);
      const { daemon } = scene;
      daemon.signal(signal);
      const { code, ms } = await stop(daemon, signal);
      assert.equal(code, 0);
      assert.ok(ms < 6_000, `${ms} ms`);
      assert.equal(daemon.lines.filter(({ event }) => event === 'daemon.stopping').length, 1);
      assert.equal(daemon.lines.at(-1)?.event, 'daemon.stopped');
      await scene.sim.until(() => scene.sim.connections().length === 0, 20_000, 'the connection to be closed');
    });
  }

  it('SIGTERM with jobs in hand: they are finished', async (t) => {
    const scene = await newScene(t, { env: QUICK_STOP });
    const hold = scene.sim.faults.add({ on: 'api', api: 'message.send', kind: 'hold' });
    const held = scene.sim.waitFor('call.held');
    await scene.daemon.call('POST', '/v1/sessions', { open_id: scene.openId });
    await held;
    scene.daemon.signal('SIGTERM');
    await scene.daemon.line('daemon.stopping');
    hold.clear();
    const { code } = await stop(scene.daemon);
    assert.equal(code, 0);
    assert.ok(scene.daemon.lines.some(({ event }) => event === 'card.sent'));
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    const [card] = scene.sim.messagesTo(scene.openId);
    await authorizeByCard(scene, card?.messageId ?? '');
    assert.equal(scene.sim.messagesTo(scene.openId).length, 1);
  });

  it('SIGTERM with work in hand while Redis is frozen and Feishu hangs: exit 1 in time, and another process does the work', async (t) => {
    const scene = await newScene(t, { env: QUICK_STOP });
    const hang = (): void => {
      scene.sim.faults.add({ on: 'api', api: '*', kind: 'hang' });
    };
    await stopInTheMiddle(scene, { before: hang, during: () => scene.redis.freeze() });
  });

  it('SIGTERM while Redis is dead, with nothing in hand: quickly', async (t) => {
    const scene = await newScene(t, { env: QUICK_STOP });
    await scene.redis.kill();
    await scene.daemon.readiness(503);
    const { ms } = await stop(scene.daemon);
    assert.ok(ms < 6_000, `${ms} ms`);
  });

  it('SIGTERM while Redis is waited for at the start: exit 0', async (t) => {
    const scene = await newScene(t, {
      relay: true,
      waitForReady: false,
      beforeStart: (_redis, relay) => relay.mode('close'),
    });
    await scene.daemon.line('redis.away');
    const { code, ms } = await stop(scene.daemon);
    assert.equal(code, 0);
    assert.ok(ms < 6_000, `${ms} ms`);
  });

  it('tokens that come while it stops are kept', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    const link = await authorize(scene, asked);
    const hold = scene.sim.faults.add({ on: 'api', api: 'token', kind: 'hold' });
    const held = scene.sim.waitFor('call.held');
    assert.equal(scene.consent({ link, user: scene.user }), 'ok');
    await held;
    scene.daemon.signal('SIGTERM');
    await scene.daemon.line('daemon.stopping');
    hold.clear();
    assert.equal(await scene.daemon.exited(), 0);
    await scene.use(await scene.daemon.restart());
    await scene.shows(asked.messageId, 'Authorized', 20_000);
    assert.equal(scene.sim.accessTokens().length, 1, 'Feishu gave them once');
  });
});

describe('refusing to start', { concurrency: 2 }, () => {
  const base = { redisUrl: 'redis://127.0.0.1:1', feishuUrl: 'http://127.0.0.1:1', waitForHttp: false } as const;
  const app = { appId: `cli_${'0123456789abcdef'}`, appSecret: 'an-app-secret-of-32-characters-xx' };
  const key = (): string => randomBytes(32).toString('base64');

  for (const [what, env, says] of [
    ['no encryption key', { TOKEN_ENCRYPTION_KEYS: '' }, /TOKEN_ENCRYPTION_KEYS/],
    ['a key that is too short', { TOKEN_ENCRYPTION_KEYS: 'k1:c2hvcnQ=' }, /TOKEN_ENCRYPTION_KEYS/],
    [
      'two faults at once',
      { HTTP_PORT: '80x', AUTH_SESSION_TTL: '5' },
      /AUTH_SESSION_TTL[\s\S]*HTTP_PORT|HTTP_PORT[\s\S]*AUTH_SESSION_TTL/,
    ],
    ['no app', { FEISHU_APP_ID: '', FEISHU_APP_SECRET: '' }, /FEISHU_APP_ID/],
  ] as const) {
    it(`for ${what}: exit 2 before anything is opened, naming the variable`, async (t) => {
      const daemon = await newDaemon({ ...base, app, env });
      t.after(() => daemon.close());
      assert.equal(await daemon.exited(), 2);
      assert.match(daemon.output(), says);
      assert.doesNotMatch(daemon.output(), new RegExp(app.appSecret));
      assert.doesNotMatch(daemon.output(), /http\.listening/);
    });
  }

  for (const [what, keys] of [
    ['the key is another one of the same name', (): string => `k1:${key()}`],
    ['the key of the store is missing', (): string => `k2:${key()}`],
  ] as const) {
    it(`when ${what}: exit 2, naming the key, and the store is as it was`, async (t) => {
      const scene = await newScene(t);
      const asked = await scene.ask();
      await scene.click(asked.messageId, 'authorize', asked.sessionId);
      assert.equal((await stop(scene.daemon)).code, 0);
      const before = await contents(scene.redis.client);
      const wrong = await scene.daemon.restart({ TOKEN_ENCRYPTION_KEYS: keys() });
      t.after(() => wrong.close());
      await assertRefused(wrong, /TOKEN_ENCRYPTION_KEYS: .*"k1"/);
      assert.deepEqual(await contents(scene.redis.client), before);
      assert.equal(scene.sim.connections().length, 0);
      // The former key beside a new one opens everything.
      await scene.use(
        await scene.daemon.restart({ TOKEN_ENCRYPTION_KEYS: `k2:${key()},k1:${scene.daemon.encryptionKey}` }),
      );
      await scene.daemon.readiness(200);
      await authorizeByCard(scene, asked.messageId);
    });
  }

  for (const variable of ['HTTP_PORT', 'METRICS_PORT'] as const) {
    it(`when ${variable} is taken: exit 2 with a sentence and a fatal line`, async (t) => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      t.after(() => taken.close());
      const address = taken.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      const daemon = await newDaemon({ ...base, app, env: { [variable]: port } });
      t.after(() => daemon.close());
      await assertRefused(daemon, new RegExp(`${variable}.*${port} \\(EADDRINUSE\\)`));
    });
  }

  it('when the state folder cannot be made: exit 2 with a sentence', async (t) => {
    const scene = await newScene(t);
    const file = join(scene.daemon.stateDir, 'a-file');
    await writeFile(file, '');
    const daemon = await newDaemon({ ...base, app, env: { STATE_DIR: join(file, 'below') } });
    t.after(() => daemon.close());
    await assertRefused(daemon, /STATE_DIR/);
  });
});

describe('sharing', { concurrency: 2 }, () => {
  it('METRICS_PORT serves health and not the API', async (t) => {
    const port = await freePort();
    const scene = await newScene(t, { env: { METRICS_PORT: String(port) } });
    const get = async (path: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${scene.daemon.apiKey}` },
      });
      await response.arrayBuffer();
      return response.status;
    };
    assert.equal(await get('/healthz'), 200);
    assert.equal(await get('/readyz'), 200);
    assert.equal(await get('/v1/sessions'), 404);
    assert.equal((await scene.daemon.call('GET', '/healthz')).status, 200);
  });
});
