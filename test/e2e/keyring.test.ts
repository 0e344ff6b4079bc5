/**
 * A new encryption key in front, on the whole daemon: everything is sealed anew while it works, also over a kill -9;
 * then the former key goes; a key that is still needed stops the start (FAILURES F-key-rotation-impossible).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storeKeys } from '../../src/store/keys.js';
import { countSealedWith, dumpOf, newKey, newRing } from '../store/new-ring.js';
import type { Daemon } from '../support/daemon.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, ended, eventually, newPerson } from '../support/steps.js';

const [K1, K2] = [newKey('k1'), newKey('k2')];
const text = ({ id, key }: typeof K1): string => `${id}:${key.toString('base64')}`;
const ring = (...keys: readonly (typeof K1)[]) => ({ TOKEN_ENCRYPTION_KEYS: keys.map(text).join(',') });

async function stop(daemon: Daemon): Promise<void> {
  daemon.signal('SIGTERM');
  assert.equal(await daemon.exited(), 0, daemon.output().slice(-2_000));
}

/** The same daemon with another ring. */
async function restart(scene: Scene, env: Record<string, string>): Promise<Daemon> {
  await scene.use(await scene.daemon.restart(env));
  await scene.daemon.readiness(200);
  return scene.daemon;
}

const removable = (daemon: Daemon, keyId: string, timeoutMs = 20_000) =>
  daemon.line('keyring.key_removable', (line) => line['key_id'] === keyId, timeoutMs);

describe('key rotation', { concurrency: 3 }, () => {
  it('seals everything anew while sessions go on; then the former key is not needed any more', async (t) => {
    const scene = await newScene(t, { env: ring(K1) });
    const { openId, redis } = scene;
    const done = await scene.ask({ reason: 'for the report' });
    await authorizeByCard(scene, done.messageId);
    const [early, late] = [newPerson(scene, 'early'), newPerson(scene, 'late')];
    const [inFlight, waiting] = [await early.ask({ reason: 'in flight' }), await late.ask({ reason: 'waits' })];
    const userCode = await authorize(scene, inFlight, early);
    assert.ok((await countSealedWith(redis.client, 'k1')) >= 5);
    await stop(scene.daemon);

    const rotating = await restart(scene, ring(K2, K1));
    await removable(rotating, 'k1');
    assert.equal(await countSealedWith(redis.client, 'k1'), 0);
    assert.equal(scene.consent({ link: userCode, user: early.user }), 'ok');
    const session = await ended(scene, inFlight.sessionId);
    assert.deepEqual([session.state, session.reason], ['completed', 'in flight']);
    const { body } = await rotating.call('GET', '/v1/keys');
    const [now, former] = body.keys;
    assert.deepEqual(former, { id: 'k1', seals: false, configured: true, uses: 0, removable: true });
    assert.deepEqual([now.id, now.seals, now.removable, now.uses >= 5], ['k2', true, false, true]);
    assert.deepEqual([body.reseal.running, body.reseal.target_key_id], [false, 'k2']);
    assert.doesNotMatch(rotating.output(), /record\.damaged|keyring\.key_missing/);
    await stop(rotating);

    const alone = await restart(scene, ring(K2));
    for (const id of [openId, early.openId]) {
      assert.equal((await alone.call('GET', `/v1/users/${id}/token`)).status, 200, id);
    }
    assert.equal((await scene.session(waiting.sessionId))['reason'], 'waits');
    await late.click(waiting, 'authorize');
    await scene.shows(waiting.messageId, '"action":"agreed"');
    for (const keyText of [text(K1), text(K2)]) {
      for (const daemon of [rotating, alone]) assert.ok(!daemon.output().includes(keyText.slice(3)));
    }
  });

  it('goes on after kill -9 in the middle of the walk, names what is damaged, and ends', async (t) => {
    const scene = await newScene(t, { env: ring(K1) });
    const { client } = scene.redis;
    await stop(scene.daemon);
    const keys = storeKeys('authd');
    const before = newRing(client, keys, [K1]);
    const grants = 4_000;
    for (let from = 0; from < grants; from += 500) {
      const batch = client.pipeline();
      for (let i = from; i < from + 500; i += 1) {
        batch.set(keys.grant(scene.app.appId, `ou_${i}`), before.grantValue(scene.app.appId, `ou_${i}`, 1_000));
      }
      await batch.exec();
    }
    await client.copy(keys.grant(scene.app.appId, 'ou_1'), keys.grant(scene.app.appId, 'ou_moved'));

    const walking = await restart(scene, ring(K2, K1));
    const progress = async (): Promise<{ done: number; resealed: number }> =>
      JSON.parse((await client.hget(keys.keyReseal, 'pass')) ?? '{"done":0}');
    const middle = await eventually(async () => ((await progress()).done > grants / 10 ? await progress() : null));
    walking.signal('SIGKILL');
    assert.equal(await walking.exited(), null);
    const killed = await progress();
    assert.ok(killed.resealed >= middle.resealed && killed.resealed < grants * 0.9, JSON.stringify(killed));
    assert.ok((await countSealedWith(client, 'k1')) > grants / 10, 'much is left');

    const resumed = await restart(scene, ring(K2, K1));
    const first = await resumed.line('keyring.reseal_progress', () => true, 20_000);
    assert.deepEqual([first['pass'], Number(first['done']) >= middle.done], [1, true], 'it did not begin again');
    await removable(resumed, 'k1', 40_000);
    // The one that does not open is still sealed as it was, aside.
    assert.equal(await countSealedWith(client, 'k1'), 1);
    assert.equal(await countSealedWith(client, 'k2'), grants);
    const damaged = [...walking.lines, ...resumed.lines].filter(({ event }) => event === 'record.damaged');
    assert.deepEqual(
      damaged.map((line) => line['owner']),
      ['ou_moved'],
    );
    const after = newRing(client, keys, [K2]);
    for (const i of [0, grants / 2, grants - 1]) {
      assert.equal((await after.vault.read(scene.app.appId, `ou_${i}`))?.generation, 1_000);
    }
    assert.equal((await resumed.call('GET', '/v1/users/ou_moved')).body.status, 'none');
  });

  it('refuses to start without a key that is still needed, naming it, and changes nothing', async (t) => {
    const scene = await newScene(t, { env: ring(K1) });
    await authorizeByCard(scene, (await scene.ask()).messageId);
    await stop(scene.daemon);
    const lasting = async (): Promise<Map<string, string>> => {
      const all = await dumpOf(scene.redis.client);
      for (const name of all.keys()) if ((await scene.redis.client.pttl(name)) !== -1) all.delete(name);
      return all;
    };
    const before = await lasting();
    assert.ok(before.size > 10);
    for (const [env, says] of [
      [ring(K2), /TOKEN_ENCRYPTION_KEYS: .*"k1", which is not configured[\s\S]*Add key "k1"/],
      [ring(K2, newKey('k1')), /TOKEN_ENCRYPTION_KEYS: key "k1" is not the key of that name/],
    ] as const) {
      const refused = await scene.daemon.restart(env);
      t.after(() => refused.close());
      assert.equal(await refused.exited(), 2);
      assert.match(refused.output(), says);
      assert.deepEqual(await lasting(), before);
    }
    const again = await restart(scene, ring(K2, K1));
    assert.equal((await again.call('GET', `/v1/users/${scene.openId}/token`)).status, 200);
  });

  it('two processes with rings of different order work side by side until they agree', async (t) => {
    const scene = await newScene(t, { env: ring(K1, K2) });
    await authorizeByCard(scene, (await scene.ask()).messageId);
    const newer = await scene.another(ring(K2, K1));
    await newer.readiness(200);
    await newer.line('keyring.resealed', (line) => line['target_key_id'] === 'k2', 20_000);
    const token = async (daemon: Daemon) => (await daemon.call('GET', `/v1/users/${scene.openId}/token`)).status;
    assert.deepEqual([await token(scene.daemon), await token(newer)], [200, 200]);
    const person = newPerson(scene, 'meanwhile');
    const asked = await person.ask({ reason: 'sealed by the older one' });
    scene.consent({ link: await authorize(scene, asked, person), user: person.user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    const { keys, reseal } = (await newer.call('GET', '/v1/keys')).body;
    assert.deepEqual(
      keys.map(({ id, removable: gone, seals }: Record<string, unknown>) => [id, seals, gone]),
      [
        ['k2', true, false],
        ['k1', true, false],
      ],
    );
    assert.deepEqual([reseal.running, reseal.target_key_id], [true, 'k2']);
    await stop(scene.daemon);
    await removable(newer, 'k1');
    assert.equal(await countSealedWith(scene.redis.client, 'k1'), 0);
    assert.equal((await newer.call('GET', `/v1/users/${person.openId}/token`)).status, 200);
  });
});
