/**
 * What only a long connection brings with it: frames, several connections, one that drops, a daemon that must not
 * connect yet, twenty apps that connect (CONTRACT §4.3, FEISHU.md §2; FAILURES areas A and B, G-suspend-resume,
 * A-instance-without-handler-steals-events).
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SimEvent } from '../simulator/event-stream.js';
import { assertAcked, assertShows, clickOf } from '../support/acks.js';
import { linksIn } from '../support/consents.js';
import { allShow, crowd, eventually } from '../support/crowd.js';
import { type Daemon, newDaemon } from '../support/daemon.js';
import { linksMade } from '../support/either-grant.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, linkOn, newPerson } from '../support/steps.js';

const DOCS = { scopes: ['docx:document:readonly'] };

describe('frames', { concurrency: 4 }, () => {
  it('in fragments of any order, two in one write, and without a verification token are clicks like others', async (t) => {
    const scene = await newScene(t);
    for (const more of [{ fragments: 3, fragmentOrder: 'reverse' }, { copies: 2 }, { verificationToken: null }]) {
      const person = newPerson(scene, JSON.stringify(more));
      const asked = await person.ask(DOCS);
      assertAcked(await person.click(asked, 'authorize', more));
      await scene.shows(asked.messageId, 'One step left');
    }
    assert.equal(linksMade(scene), 3);
  });

  it('that come twice have one effect', async (t) => {
    const scene = await newScene(t, { simulator: { latencyMs: { device_authorization: 100 } } });
    const asked = await scene.ask();
    const repeated = scene.sim.waitFor('ack.ignored');
    assertAcked(await scene.click(asked.messageId, 'authorize', asked.sessionId, { copies: 2 }));
    await repeated;
    assert.equal(linksMade(scene), 1);
  });

  it('in a frame of the old type "card" is never met with silence', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask(DOCS);
    const click = await scene.click(asked.messageId, 'authorize', asked.sessionId, { frameType: 'card' });
    await assertShows(scene, asked.messageId, click, '"action":"agreed"');
  });

  it('an update that slips in while a click is on its way to us is shown again after its ack', async (t) => {
    const scene = await newScene(t, { simulator: { limits: { ackTimeoutMs: 15_000 } } });
    const { sim } = scene;
    const asked = await scene.ask(DOCS);
    const link = await authorize(scene, asked);
    // The click takes 4 s to reach us; meanwhile an update ends the link; the ack carries a toast only.
    const click = scene.click(asked.messageId, 'agreed', asked.sessionId, {
      fragments: 2,
      fragmentGapMs: 4_000,
      createTime: Date.now() - 3_600_000,
    });
    scene.consent({ link, user: newPerson(scene, 'Wang Wei').user });
    await scene.shows(asked.messageId, 'That was not your account');
    assert.equal((await click).card, undefined);
    assert.equal(sim.message(asked.messageId)?.history.at(-1)?.source, 'revert');
    await scene.shows(asked.messageId, 'That was not your account');
  });
});

describe('connections', { concurrency: 4 }, () => {
  it('on a suspended machine, 20 s asleep while Feishu and Redis close its connections: ready soon, due jobs run once', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    await scene.click(asked.messageId, 'authorize', asked.sessionId);
    await scene.shows(asked.messageId, '"agreed"');
    scene.daemon.signal('SIGSTOP');
    const [old] = scene.sim.sockets();
    old?.close(1001);
    await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await scene.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    assert.equal(scene.consent({ link: scene.link(), user: scene.user }), 'ok');
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    scene.daemon.signal('SIGCONT');
    await eventually(() => scene.sim.sockets().some(({ id }) => id !== old?.id), 20_000, 'a new connection');
    await scene.daemon.readiness(200, 20_000);
    await scene.shows(asked.messageId, 'Authorized', 20_000);
    assert.equal(scene.sim.accessTokens().length, 1);
    assert.equal(scene.sim.overLimit, 0);
  });

  it('of twenty apps connect one after the other, wait out a refusal for haste, and all are up soon', async (t) => {
    const scene = await newScene(t);
    const { redis, sim } = scene;
    const apps = Array.from({ length: 20 }, (_, i) => sim.addApp({ name: `App ${i}` }));
    const path = join(scene.daemon.stateDir, 'apps.json');
    const listed = apps.map(({ appId, appSecret }) => ({ app_id: appId, app_secret: appSecret }));
    await writeFile(path, JSON.stringify({ apps: listed }), { mode: 0o600 });
    const tooFast = { status: 429, headers: { 'x-ogw-ratelimit-reset': '2' } };
    sim.faults.add({ on: 'api', api: 'endpoint', kind: 'status', ...tooFast, skip: 5, times: 3 });
    const daemon = await newDaemon({
      redisUrl: redis.url,
      feishuUrl: sim.baseUrl,
      env: { CONFIG_FILE: path, REDIS_KEY_PREFIX: 'twenty' },
    });
    t.after(() => daemon.close());
    const mine = (): number => sim.connections().filter(({ appId }) => appId !== scene.app.appId).length;
    await sim.until(() => mine() === 20, 60_000, 'every app to be connected');
    const times = apps.flatMap(({ appId }) => sim.endpointCalls(appId)).sort((a, b) => a - b);
    const crowded = times.filter((time, i) => time - (times[i - 10] ?? 0) < 1_000);
    assert.deepEqual(crowded, [], 'never more than ten calls in a second');
    assert.equal(times.length, 23, 'refused calls are repeated, and only those');
    await daemon.readiness(200);
  });

  it('when two daemons get one click each', async (t) => {
    const scene = await newScene(t, { simulator: { latencyMs: { device_authorization: 100 } } });
    const other = await scene.another();
    await other.readiness(200);
    const asked = await scene.ask();
    const connections = scene.sim.connections().map(({ connectionId }) => connectionId);
    assert.equal(connections.length, 2);
    const clicks = await Promise.all(
      connections.map((connectionId) => scene.click(asked.messageId, 'authorize', asked.sessionId, { connectionId })),
    );
    for (const click of clicks) {
      assertAcked(click);
      assert.deepEqual(linksIn(scene.sim, click.card), [scene.link()]);
    }
    assert.equal(linksMade(scene), 1);
    await authorizeByCard(scene, asked.messageId);
    assert.equal(scene.sim.messagesTo(scene.openId).length, 1);
  });

  it('one that drops in any way is back soon, and consents go on arriving in the same process', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const drops = [1000, 1011, 'reset', 1000, 'reset'] as const;
    const people = await crowd(scene, drops.length);
    for (const person of people) assertAcked(await clickOf(scene, person, 'authorize'));
    await allShow(scene, people, '"agreed"', 10_000);
    for (const [i, drop] of drops.entries()) {
      const [socket] = sim.sockets();
      const person = people[i];
      assert.ok(socket && person);
      if (drop === 'reset') socket.terminate();
      else socket.close(drop);
      assert.equal(scene.consent({ link: linkOn(scene, person.messageId), user: person.user }), 'ok');
      await sim.until(() => sim.sockets().some(({ id }) => id !== socket.id), 20_000, 'a new connection');
      await scene.shows(person.messageId, 'Authorized');
    }
    assert.equal(daemon.lines.filter(({ event }) => event === 'daemon.started').length, 1);
  });

  it('a tenant token that cannot be had keeps no connection down; the card catches up when it can', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const asked = await scene.ask();
    scene.daemon.signal('SIGKILL');
    await scene.daemon.exited();
    const hang = sim.faults.add({ on: 'api', api: 'tenant_access_token', kind: 'hang' });
    await scene.use(await scene.daemon.restart());
    await sim.until(() => sim.sockets().length === 1);
    const [socket] = sim.sockets();
    socket?.terminate();
    await sim.until(() => sim.sockets().some(({ id }) => id !== socket?.id), 20_000, 'the connection to be back');
    const press = () => scene.click(asked.messageId, 'authorize', asked.sessionId);
    let click = await press();
    // On a busy machine an ack may only say that the link is coming. Nothing but an ack can show it now: she presses again.
    for (let again = 0; again < 3 && click.card === undefined; again += 1) click = await press();
    assert.equal(click.errorCode, undefined, click.reason);
    assert.match(JSON.stringify(click.card), /"agreed"/);
    assert.equal(scene.consent({ link: scene.link(), user: scene.user }), 'ok');
    const ended = await scene.daemon.call('GET', `/v1/sessions/${asked.sessionId}?wait_seconds=20`);
    assert.equal(ended.body.state, 'completed');
    assert.doesNotMatch(JSON.stringify(sim.message(asked.messageId)?.content), /Authorized/);
    hang.clear();
    await scene.shows(asked.messageId, 'Authorized', 30_000);
  });

  it('are not taken before Redis is there, and then answered from the first moment', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask();
    scene.daemon.signal('SIGTERM');
    assert.equal(await scene.daemon.exited(), 0);
    await scene.redis.kill();
    const pulls = scene.sim.endpointCalls(scene.app.appId).length;
    await scene.use(await scene.daemon.restart());
    await scene.daemon.line('redis.away');
    const early = await scene.daemon.call('GET', '/readyz');
    assert.equal(early.status, 503);
    assert.equal((await scene.daemon.call('GET', '/healthz')).status, 200);
    const click = scene.click(asked.messageId, 'authorize', asked.sessionId, { withUpgrade: true });
    // A second of absence: long enough for a daemon that would connect too early.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(scene.sim.endpointCalls(scene.app.appId).length, pulls, 'Feishu is not called before Redis answers');
    await scene.redis.start();
    assertAcked(await click);
    await authorizeByCard(scene, asked.messageId);
  });
});

describe('daemons that share an app', { concurrency: 2 }, () => {
  it('two daemons, one app, one Redis: 20 clicks, 20 answers, 20 flows; a kill of one loses nothing', async (t) => {
    // Slower than the ack: every card is updated twice in a short while, by either daemon.
    const latencyMs = { device_authorization: 720, 'message.patch': 200 };
    const scene = await newScene(t, { simulator: { latencyMs } });
    const other = await scene.another();
    await other.readiness(200);
    const people = await crowd(scene, 20);
    const crossing = patchesAtOnce(scene);
    const connections = scene.sim.connections().map(({ connectionId }) => connectionId);
    assert.equal(connections.length, 2);
    const clicks = await Promise.all(
      people.map((person, i) => clickOf(scene, person, 'authorize', { connectionId: connections[i % 2] })),
    );
    for (const click of clicks) {
      assert.equal(click.errorCode, undefined, click.reason);
      assert.equal(click.ackCode, 200);
      assert.ok(click.toast !== undefined || click.card !== undefined, JSON.stringify(click.ackBody));
    }
    await allShow(scene, people, '"agreed"', 15_000);
    assert.equal(linksMade(scene), 20);
    for (const daemon of [scene.daemon, other]) {
      assert.ok(daemon.lines.some(({ event }) => event === 'card.clicked'));
      assert.ok(!daemon.output().includes('no card.action.trigger'));
    }
    other.signal('SIGKILL');
    await other.exited();
    await Promise.all(people.map(({ messageId, user }) => authorizeByCard({ ...scene, user }, messageId)));
    for (const { sessionId, user } of people) {
      assert.equal((await scene.session(sessionId)).state, 'completed');
      assert.equal(scene.sim.messagesTo(scene.sim.openId(user, scene.app.appId)).length, 1);
    }
    assert.equal(scene.sim.accessTokens().length, 20);
    assert.deepEqual(crossing(), [], 'one update of a message at a time');
    assert.equal(scene.sim.overLimit, 0);
  });

  it('gateway, worker and API in three processes do the main job', async (t) => {
    const scene = await newScene(t, { env: { ROLES: 'api' } });
    const worker = await scene.another({ ROLES: 'worker' });
    const gateway = await scene.another({ ROLES: 'gateway' });
    for (const daemon of [worker, gateway]) await daemon.readiness(200);
    const partsOf = async (daemon: Daemon): Promise<string[]> =>
      ((await daemon.call('GET', '/readyz')).body.parts as { part: string }[]).map(({ part }) => part);
    assert.ok(!(await partsOf(scene.daemon)).some((part) => part === 'workers' || part === 'long_connection'));
    assert.ok((await partsOf(worker)).includes('workers'));
    assert.ok((await partsOf(gateway)).includes('long_connection'));
    assert.equal((await gateway.call('POST', '/v1/sessions', { open_id: scene.openId })).status, 404);
    assert.equal(scene.sim.connections().length, 1);
    const asked = await scene.ask();
    const click = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    await assertShows(scene, asked.messageId, click, '"action":"agreed"');
    await authorizeByCard(scene, asked.messageId);
    assert.equal((await scene.daemon.call('GET', `/v1/users/${scene.openId}/token`)).status, 200);
    for (const daemon of [scene.daemon, worker, gateway]) {
      daemon.signal('SIGTERM');
      assert.equal(await daemon.exited(), 0);
    }
  });
});

/** Watches the updates of messages; what it returns gives those that met another one of the same message on its way. */
function patchesAtOnce(scene: Scene): () => string[] {
  const onTheirWay = new Map<string, number>();
  const met: string[] = [];
  const note = (step: number) => (event: SimEvent) => {
    if (event.data['api'] !== 'message.patch') return;
    const messageId = String(event.data['messageId']);
    const count = (onTheirWay.get(messageId) ?? 0) + step;
    onTheirWay.set(messageId, count);
    if (count > 1) met.push(messageId);
  };
  scene.sim.on('call.arrived', note(1));
  scene.sim.on('call', note(-1));
  return () => met;
}
