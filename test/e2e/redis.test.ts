/**
 * Redis is killed, frozen, cut off, demoted, emptied, full or replaced by something else while users are being
 * authorized: the daemon keeps its pid, says what is wrong, loses nothing that was acknowledged and goes on by itself.
 * FAILURES area E, G-health-says-ok; ARCHITECTURE §2 steps 7 to 9.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../simulator/demo/free-port.js';
import { allShow, crowd, eventually } from '../support/crowd.js';
import { type Daemon, newDaemon } from '../support/daemon.js';
import { authorizeByCard } from '../support/person.js';
import { newRedisServer } from '../support/redis-server.js';
import { type Asked, newScene, type Scene } from '../support/scene.js';
import { authorize, linkOn } from '../support/steps.js';

/** A delayed job that is due after an outage runs within this (FAILURES E-worker-dead-after-redis-restart). */
const RECOVERY_MS = 15_000;

const says = (daemon: Daemon, event: string) => daemon.lines.filter((line) => line.event === event);

/** She has her link and consents; the daemon does not know it yet. */
async function linked(scene: Scene): Promise<Asked> {
  const asked = await scene.ask();
  await authorize(scene, asked);
  return asked;
}

const consent = (scene: Scene): void => {
  assert.equal(scene.consent({ link: scene.link(), user: scene.user }), 'ok');
};

/** Her poll, the tokens and the card all come after the first due job. */
async function completes(scene: Scene, asked: Asked, timeoutMs = 2 * RECOVERY_MS): Promise<void> {
  await scene.shows(asked.messageId, 'Authorized', timeoutMs);
  assert.equal((await scene.session(asked.sessionId)).state, 'completed');
  assert.equal((await scene.daemon.call('GET', `/v1/users/${scene.openId}/token`)).status, 200);
  assert.equal(scene.sim.messagesTo(scene.openId).length, 1, 'one card');
}

const tokensGiven = (scene: Scene): number => scene.sim.accessTokens().length;

/** What a daemon has written since; `lines` a look at it by event. */
function writtenSince(daemon: Daemon, lines: number, bytes: number) {
  const written = daemon.lines.slice(lines);
  const counts = new Map<string, number>();
  for (const { event = '?' } of written) counts.set(event, (counts.get(event) ?? 0) + 1);
  return { lines: written.length, bytes: daemon.output().length - bytes, counts: JSON.stringify([...counts]), written };
}

describe('Redis in trouble', { concurrency: 4 }, () => {
  describe('Redis goes away and comes back', { concurrency: 2 }, () => {
    it('killed and started again before the click, and again before consent', async (t) => {
      const scene = await newScene(t);
      const { daemon, redis } = scene;
      const asked = await scene.ask();
      await redis.kill();
      await daemon.readiness(503);
      await redis.start();
      await daemon.readiness(200);
      await authorize(scene, asked);
      await redis.kill();
      consent(scene);
      await daemon.readiness(503);
      await redis.start();
      await completes(scene, asked);
    });

    it('killed while Feishu gives the tokens: they wait in the spool and become the grant', async (t) => {
      const scene = await newScene(t);
      const { daemon, redis, sim } = scene;
      const asked = await linked(scene);
      const hold = sim.faults.add({ on: 'api', api: 'token', kind: 'hold' });
      const held = sim.waitFor('call.held');
      consent(scene);
      await held;
      await redis.kill();
      hold.clear();
      await daemon.line('token.spooled');
      assert.equal(tokensGiven(scene), 1);
      const spool = join(daemon.stateDir, 'spool');
      assert.equal((await readdir(spool)).length, 1);
      await redis.start();
      await completes(scene, asked);
      assert.equal(tokensGiven(scene), 1, 'asked for once');
      await eventually(async () => (await readdir(spool)).length === 0, 20_000, 'the spool to be empty');
    });

    it('the spool outlives a restart of the daemon', async (t) => {
      const scene = await newScene(t);
      const { redis, sim } = scene;
      const asked = await linked(scene);
      const hold = sim.faults.add({ on: 'api', api: 'token', kind: 'hold' });
      const held = sim.waitFor('call.held');
      consent(scene);
      await held;
      await redis.kill();
      hold.clear();
      await scene.daemon.line('token.spooled');
      scene.daemon.signal('SIGKILL');
      await scene.daemon.exited();
      await scene.use(await scene.daemon.restart());
      await redis.start();
      await completes(scene, asked);
      assert.equal(tokensGiven(scene), 1);
    });

    it('frozen for 8 s: health answers in time all along, and she who consented meanwhile is authorized soon', async (t) => {
      const scene = await newScene(t);
      const { daemon, redis } = scene;
      const asked = await linked(scene);
      redis.freeze();
      consent(scene);
      const paths = ['/healthz', '/readyz', '/v1/sessions', `/v1/users/${scene.openId}`];
      const until = Date.now() + 8_000;
      while (Date.now() < until) {
        for (const path of paths) {
          const started = performance.now();
          const { status } = await daemon.call('GET', path);
          assert.ok(performance.now() - started < 5_000, `${path} took ${performance.now() - started} ms`);
          assert.equal(status, path === '/healthz' ? 200 : 503, path);
        }
      }
      redis.thaw();
      await daemon.readiness(200, RECOVERY_MS);
      await completes(scene, asked);
    });

    it('every connection is killed, five times', async (t) => {
      const scene = await newScene(t);
      const asked = await linked(scene);
      const clients = async (): Promise<number> =>
        String(await scene.redis.client.call('CLIENT', 'LIST'))
          .trim()
          .split('\n').length;
      const before = await clients();
      for (let i = 0; i < 5; i += 1) {
        await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      consent(scene);
      await completes(scene, asked);
      await eventually(async () => (await clients()) === before, 20_000, 'as many connections as before');
    });

    for (const mode of ['close', 'garbage'] as const) {
      it(`its port is taken for a while by something that answers with ${mode}`, async (t) => {
        const scene = await newScene(t, { relay: true, env: { LOG_LEVEL: 'info' } });
        const { daemon, relay } = scene;
        const asked = await linked(scene);
        const before = daemon.output().length;
        relay.mode(mode);
        relay.cut();
        consent(scene);
        await daemon.readiness(503);
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        assert.ok(daemon.output().length - before < 60_000, 'little is written');
        relay.mode('pass');
        await daemon.readiness(200, RECOVERY_MS);
        await completes(scene, asked);
      });
    }

    it('its connections go dead without a word: all are replaced', async (t) => {
      const scene = await newScene(t, { relay: true });
      const asked = await linked(scene);
      scene.relay.blackhole();
      consent(scene);
      await scene.daemon.readiness(200, RECOVERY_MS);
      await completes(scene, asked);
      // Notices come again: an ack can wait for its link.
      let carried = '';
      for (let tries = 0; tries < 5 && !carried.includes('"agreed"'); tries += 1) {
        const user = scene.sim.addUser({ name: `Next ${tries}` });
        const next = await scene.ask({ open_id: scene.sim.openId(user, scene.app.appId) });
        const answer = await scene.click(next.messageId, 'authorize', next.sessionId, { user });
        carried = JSON.stringify(answer.card ?? answer.toastText ?? '');
      }
      assert.match(carried, /"agreed"/);
    });

    for (const how of ['cut', 'blackhole'] as const) {
      it(`the blocking connections of the workers are ${how} while one delayed job is all there is`, async (t) => {
        const scene = await newScene(t, { relay: true });
        const { redis, relay, sim } = scene;
        const answer = await scene.daemon.call('POST', '/v1/sessions', { open_id: scene.openId, ttl_seconds: 10 });
        const dueAt = Date.parse(answer.body.expires_at);
        await sim.until(() => sim.messagesTo(scene.openId).length === 1);
        const list = String(await redis.client.call('CLIENT', 'LIST'));
        const blocking = list.split('\n').filter((line) => line.includes(' cmd=bzpopmin '));
        assert.ok(blocking.length >= 5, list);
        const ports = new Set(blocking.map((line) => Number(/ addr=\S+:(\d+) /.exec(line)?.[1])));
        if (how === 'blackhole') relay.blackhole((port) => ports.has(port));
        else for (const port of ports) await redis.client.call('CLIENT', 'KILL', 'ADDR', `127.0.0.1:${port}`);
        await scene.daemon.line('session.expired', () => true, 25_000);
        assert.ok(Date.now() - dueAt < 15_000, `expired ${Date.now() - dueAt} ms late`);
      });
    }

    it('a failover demotes it behind the same address', async (t) => {
      const scene = await newScene(t, { relay: true });
      const { daemon, redis, relay } = scene;
      const asked = await linked(scene);
      const successor = await newRedisServer(['--replicaof', '127.0.0.1', String(redis.port)]);
      t.after(() => successor.close());
      await eventually(
        async () => (await successor.client.info('replication')).includes('master_link_status:up'),
        10_000,
        'the replica to be in step',
      );
      await successor.client.call('REPLICAOF', 'NO', 'ONE');
      relay.target(successor.port);
      await redis.client.call('REPLICAOF', '127.0.0.1', String(successor.port));
      consent(scene);
      await daemon.readiness(200, RECOVERY_MS);
      await completes(scene, asked);
      const next = await scene.another();
      await next.readiness(200);
    });
  });

  describe('Redis forgets', { concurrency: 1 }, () => {
    it('the queues, in every state of a session', async (t) => {
      const scene = await newScene(t);
      const forget = async (): Promise<void> => {
        const keys = await scene.redis.client.keys('authd:{q}:*');
        assert.ok(keys.length > 0);
        await scene.redis.client.del(...keys);
      };
      const [pending, authorizing, consented] = await crowd(scene, 3, { ttl_seconds: 60 });
      assert.ok(pending && authorizing && consented);
      for (const { messageId, sessionId, user } of [authorizing, consented]) {
        await scene.click(messageId, 'authorize', sessionId, { user });
      }
      await allShow(scene, [authorizing, consented], '"agreed"', 10_000);
      const link = linkOn(scene, consented.messageId);
      await forget();
      scene.consent({ link, user: consented.user });
      await allShow(scene, [consented], 'Authorized', 40_000);
      await scene.daemon.line('reconciler.repaired', () => true, 40_000);
      await forget();
      await Promise.all(
        [pending, authorizing].map(({ messageId, user }) => authorizeByCard({ ...scene, user }, messageId)),
      );
      assert.equal(scene.sim.messages().length, 3, 'no second card');
    });

    it('the locks of jobs in hand: each is done in the end, tokens are taken once, nothing stays active', async (t) => {
      const scene = await newScene(t);
      const { redis, sim } = scene;
      const asked = await linked(scene);
      const hang = sim.faults.add({ on: 'api', api: 'token', kind: 'hang' });
      consent(scene);
      await eventually(() => hang.fired > 0, 20_000, 'the job to be in hand');
      const locks = await redis.client.keys('authd:{q}:*:lock');
      assert.ok(locks.length > 0);
      await redis.client.del(...locks);
      await eventually(() => hang.fired > 1, 20_000, 'another run of the same job to be at it');
      hang.clear();
      await completes(scene, asked);
      assert.equal(tokensGiven(scene), 1);
      await eventually(
        async () => (await redis.client.llen('authd:{q}:device-poll:active')) === 0,
        20_000,
        'no job to be active',
      );
    });

    it('everything: said once as an error, and the daemon goes on', async (t) => {
      const scene = await newScene(t);
      const { daemon, redis, sim } = scene;
      const asked = await linked(scene);
      assert.equal(says(daemon, 'store.lost').length, 0);
      await redis.kill();
      await redis.start({ empty: true });
      const line = await daemon.line('store.lost', () => true, 40_000);
      assert.equal(line['level'], 'error');
      const old = await scene.click(asked.messageId, 'agreed', asked.sessionId);
      assert.equal(old.errorCode, undefined);
      assert.match(String(old.toast?.i18n?.['en_us']), /no longer/);
      await daemon.readiness(200);
      const user = sim.addUser({ name: 'Next' });
      const next = await scene.ask({ open_id: sim.openId(user, scene.app.appId) });
      await authorizeByCard({ ...scene, user }, next.messageId);
      assert.equal(says(daemon, 'store.lost').length, 1);
    });
  });

  describe('Redis is not fit for us', { concurrency: 2 }, () => {
    it('full: not ready while it takes no writes, and ready again', async (t) => {
      const scene = await newScene(t);
      const { daemon, redis } = scene;
      const asked = await linked(scene);
      await redis.client.config('SET', 'maxmemory', '1');
      await daemon.readiness(503);
      const answer = await daemon.call('GET', '/readyz');
      assert.match(answer.text, /OOM/);
      assert.equal((await daemon.call('GET', '/healthz')).status, 200);
      const toast = await scene.click(asked.messageId, 'agreed', asked.sessionId);
      assert.equal(toast.errorCode, undefined);
      consent(scene);
      await redis.client.config('SET', 'maxmemory', '0');
      await daemon.readiness(200);
      await completes(scene, asked);
    });

    it('it evicts: refused at start with the remedy, an error line when switched later', async (t) => {
      const scene = await newScene(t);
      await scene.redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const refused = await newDaemon({ redisUrl: scene.redis.url, feishuUrl: scene.sim.baseUrl, app: scene.app });
      t.after(() => refused.close());
      assert.equal(await refused.exited(), 2);
      assert.match(refused.output(), /^feishu-authd: REDIS_URL: .*allkeys-lru/m);
      assert.match(refused.output(), /maxmemory-policy noeviction/);
      const fatal = refused.lines.at(-1);
      assert.equal(fatal?.['level'], 'fatal');
      const overridden = await scene.another({ REDIS_ALLOW_EVICTION: 'true' });
      await overridden.line('redis.eviction_allowed');
      await overridden.readiness(200);
      const alarm = await scene.daemon.line('redis.unsuitable', () => true, 45_000);
      assert.equal(alarm['level'], 'error');
    });

    it('it persists nothing: a warning', async (t) => {
      const scene = await newScene(t, { redisArgs: ['--appendonly', 'no'] });
      const line = await scene.daemon.line('redis.persistence');
      assert.equal(line['level'], 'warn');
    });

    for (const what of ['a wrong password', 'no Redis at all', 'something else on its port', 'nothing on its port']) {
      it(`there is ${what}: it waits, not ready, and writes little`, async (t) => {
        const scene = await newScene(t, {
          relay: true,
          waitForReady: false,
          env: { LOG_LEVEL: 'info' },
          redisArgs: what === 'a wrong password' ? ['--requirepass', 'the-right-one'] : [],
          async beforeStart(redis, relay) {
            if (what === 'something else on its port') relay.mode('garbage');
            if (what === 'no Redis at all') relay.mode('close');
            if (what === 'nothing on its port') relay.target(await freePort());
            if (what === 'a wrong password') redis.client.options.password = 'the-right-one';
          },
        });
        const { daemon } = scene;
        await daemon.line('redis.away');
        assert.equal((await daemon.call('GET', '/readyz')).status, 503);
        await new Promise((resolve) => setTimeout(resolve, 8_000));
        assert.equal((await daemon.call('GET', '/readyz')).status, 503);
        assert.equal((await daemon.call('GET', '/healthz')).status, 200);
        assert.ok(daemon.lines.length < 40, `${daemon.lines.length} lines`);
        assert.ok(daemon.output().length < 40_000, `${daemon.output().length} bytes`);
        assert.equal(scene.sim.endpointCalls(scene.app.appId).length, 0);
        if (what === 'a wrong password') await scene.redis.client.config('SET', 'requirepass', '');
        scene.relay.target(scene.redis.port);
        scene.relay.mode('pass');
        await daemon.readiness(200);
      });
    }

    it('it comes and goes while the daemon starts', async (t) => {
      const scene = await newScene(t, {
        relay: true,
        waitForReady: false,
        beforeStart: (_redis, relay) => relay.mode('close'),
      });
      const { daemon, relay } = scene;
      for (let i = 0; i < 40; i += 1) {
        relay.mode(i % 2 === 0 ? 'pass' : 'close');
        await new Promise((resolve) => setTimeout(resolve, 20 + ((i * 37) % 90)));
        relay.cut();
      }
      relay.mode('pass');
      await daemon.readiness(200);
      const asked = await scene.ask();
      await authorizeByCard(scene, asked.messageId);
    });
  });

  describe('what is written about trouble is bounded', { concurrency: 2 }, () => {
    for (const away of [['Redis'], ['Feishu'], ['Redis', 'Feishu']] as const) {
      it(`while ${away.join(' and ')} cannot be reached and a hundred users are due`, async (t) => {
        const scene = await newScene(t, { env: { LOG_LEVEL: 'info' } });
        const { daemon, redis, sim } = scene;
        const people = await crowd(scene, 100);
        const clickAll = (action: string) =>
          Promise.all(
            people.map(({ messageId, sessionId, user }) => scene.click(messageId, action, sessionId, { user })),
          );
        await clickAll('authorize');
        await allShow(scene, people, '"agreed"', 30_000);
        // Half of them have cards to be updated, half are polled for.
        await Promise.all(
          people
            .slice(50)
            .map(({ messageId, sessionId, user }) => scene.click(messageId, 'decline', sessionId, { user })),
        );
        const lines = daemon.lines.length;
        const bytes = daemon.output().length;
        for (const who of away) {
          if (who === 'Redis') await redis.kill();
          else sim.faults.add({ on: 'api', api: '*', kind: 'reset' });
        }
        for (const { sessionId } of people.slice(0, 50))
          void daemon.call('POST', `/v1/sessions/${sessionId}/invalidate`);
        for (const socket of sim.sockets()) socket.terminate();
        await new Promise((resolve) => setTimeout(resolve, 20_000));
        const { written, ...sums } = writtenSince(daemon, lines, bytes);
        assert.ok(sums.lines < 220, JSON.stringify(sums));
        assert.ok(sums.bytes < 350_000, JSON.stringify(sums));
        assert.ok(
          written.some(({ level }) => level === 'warn' || level === 'error'),
          'the trouble is said',
        );
      });
    }
  });
});
