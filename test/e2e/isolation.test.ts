/**
 * Who sees and reaches what: clients with limits beside each other, and two apps whose open_ids collide (CONTRACT §2,
 * §3, §5; FAILURES C-open-id-per-app).
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { type Consents, linkIn, newConsents } from '../support/consents.js';
import { type Answer, type Daemon, newDaemon } from '../support/daemon.js';
import { linksMade } from '../support/either-grant.js';
import { newRedisServer } from '../support/redis-server.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, titleOf } from '../support/steps.js';
import { newEntrance, WAY } from '../support/ways.js';

const A = 'docx:document:readonly';
const B = 'calendar:calendar';

type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

async function configFile(t: TestContext, content: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'authd-test-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify(content), { mode: 0o600 });
  return path;
}

describe('clients with limits', { concurrency: 2 }, () => {
  const secrets = { crm: secret(), wiki: secret(), auditor: secret() };
  const CLIENTS = [
    { id: 'crm', display_name: { zh_cn: '客户系统', en_us: 'CRM' }, scopes: [A] },
    { id: 'wiki', display_name: { zh_cn: '知识库', en_us: 'Wiki' } },
    { id: 'auditor', actions: ['status', 'admin'] },
  ].map((client) => ({ ...client, secret_sha256: [sha256(secrets[client.id as keyof typeof secrets])] }));

  const newClients = async (t: TestContext): Promise<{ scene: Scene } & Record<keyof typeof secrets, Call>> => {
    const scene = await newScene(t, { env: { CONFIG_FILE: await configFile(t, { clients: CLIENTS }) } });
    const as =
      (key: string): Call =>
      (method, path, body, headers = {}) =>
        scene.daemon.call(method, path, body, { ...headers, authorization: `Bearer ${key}` });
    return { scene, crm: as(secrets.crm), wiki: as(secrets.wiki), auditor: as(secrets.auditor) };
  };

  it('ask the same user side by side: two cards, each naming its client, scopes and links never mixed', async (t) => {
    const { crm, scene, wiki } = await newClients(t);
    const { openId, sim, user } = scene;
    const first = (await crm('POST', '/v1/sessions', { open_id: openId, scopes: [A] })).body;
    const second = (await wiki('POST', '/v1/sessions', { open_id: openId, scopes: [B] })).body;
    assert.notEqual(first.session_id, second.session_id);
    const messages = await sim.until(() => sim.messagesTo(openId).length === 2 && sim.messagesTo(openId));
    const find = (id: string) => messages.find(({ content }) => JSON.stringify(content).includes(id));
    const [forCrm, forWiki] = [find(first.session_id), find(second.session_id)];
    assert.match(titleOf(forCrm?.content), /^CRM asks/);
    assert.match(titleOf(forWiki?.content), /^Wiki asks/);
    assert.equal((await crm('GET', `/v1/sessions/${first.session_id}`)).body.state, 'pending');
    assert.deepEqual(first.scopes, ['offline_access', A]);
    assert.deepEqual(second.scopes, ['offline_access', B]);

    const asked = {
      sessionId: second.session_id,
      messageId: forWiki?.messageId ?? '',
      message: forWiki ?? messages[0],
    };
    assert.ok(asked.message);
    scene.consent({ link: await authorize(scene, { ...asked, message: asked.message }), user });
    const end = await wiki('GET', `/v1/sessions/${second.session_id}?wait_seconds=20`);
    assert.equal(end.body.state, 'completed');
    assert.equal((await crm('GET', `/v1/sessions/${first.session_id}`)).body.state, 'pending');
  });

  it('see only their own sessions and the grants that named them; an auditor sees all and reads no token', async (t) => {
    const { auditor, crm, scene, wiki } = await newClients(t);
    const { openId, sim, user } = scene;
    const key = { 'idempotency-key': 'same-key' };
    const ofWiki = (await wiki('POST', '/v1/sessions', { open_id: openId, scopes: [A] }, key)).body;
    const message = await sim.until(() => sim.messagesTo(openId)[0]);
    const asked = { sessionId: ofWiki.session_id, messageId: message.messageId, message };
    scene.consent({ link: await authorize(scene, asked), user });
    await wiki('GET', `/v1/sessions/${ofWiki.session_id}?wait_seconds=20`);

    const path = `/v1/sessions/${ofWiki.session_id}`;
    assert.equal((await crm('GET', path)).status, 404);
    assert.equal((await crm('POST', `${path}/invalidate`)).status, 404);
    assert.deepEqual((await crm('GET', `/v1/sessions?open_id=${openId}`)).body.sessions, []);
    assert.equal((await crm('GET', `/v1/users/${openId}`)).body.status, 'none');
    assert.equal((await crm('GET', `/v1/users/${openId}/token`)).status, 404);
    assert.equal((await crm('DELETE', `/v1/users/${openId}/token`)).status, 204);
    assert.equal((await wiki('GET', `/v1/users/${openId}/token`)).status, 200, 'the other client could not delete it');

    assert.equal((await auditor('GET', path)).status, 200);
    assert.equal((await auditor('GET', `/v1/users/${openId}`)).body.status, 'active');
    assert.equal((await auditor('GET', `/v1/users/${openId}/token`)).body.code, 'forbidden');
    assert.equal((await auditor('POST', '/v1/sessions', { open_id: openId })).body.code, 'forbidden');
    assert.equal((await crm('POST', '/v1/sessions/cleanup', { expiry_days: 0 })).body.code, 'forbidden');
    const tooMuch = await crm('POST', '/v1/sessions', { open_id: openId, scopes: [A, B] });
    assert.deepEqual([tooMuch.status, tooMuch.body.code, tooMuch.body.forbidden_scopes], [403, 'forbidden', [B]]);

    // Her grant was given for the other client: this one has to ask her, with a key the other has used as well.
    const own = await crm('POST', '/v1/sessions', { open_id: openId, scopes: [A] }, key);
    assert.deepEqual([own.status, own.body.client_id], [201, 'crm']);
    assert.notEqual(own.body.session_id, ofWiki.session_id);
    assert.equal((await wiki('GET', `/v1/sessions/${own.body.session_id}`)).status, 404);
  });
});

describe('two apps whose open_ids collide', { concurrency: 2 }, () => {
  it('keep sessions, cards, grants and statuses apart', async (t) => {
    const { apps, consents, daemon, people, sim } = await newTwoApps(t);
    const [one, two] = apps;
    const missing = await daemon.call('POST', '/v1/sessions', { open_id: 'ou_same' });
    assert.deepEqual([missing.status, missing.body.code], [400, 'app_id_required']);
    assert.deepEqual([...missing.body.app_ids].sort(), [one, two].sort());

    const ask = async (app: string) =>
      (await daemon.call('POST', '/v1/sessions', { open_id: 'ou_same', app_id: app, scopes: [A] })).body.session_id;
    const sessions = [await ask(one), await ask(two)] as const;
    const sent = async (app: string) => await sim.until(() => sim.messages().find(({ appId }) => appId === app));
    const cards = [await sent(one), await sent(two)] as const;
    assert.equal(cards[0].userId, people[0].userId);
    assert.equal(cards[1].userId, people[1].userId);

    const click = await sim.click({
      messageId: cards[0].messageId,
      user: people[0],
      value: { action: 'authorize', session_id: sessions[0] },
    });
    assert.equal(click.errorCode, undefined, click.reason);
    if (click.card !== undefined) assert.match(titleOf(click.card), /^One step left/);
    const link = await sim.until(() => linkIn(sim, sim.message(cards[0].messageId)?.content));
    consents.consent({ link, user: people[0] });
    const end = await daemon.call('GET', `/v1/sessions/${sessions[0]}?wait_seconds=20`);
    assert.equal(end.body.state, 'completed');
    const status = async (app: string) => (await daemon.call('GET', `/v1/users/ou_same?app_id=${app}`)).body.status;
    assert.deepEqual([await status(one), await status(two)], ['active', 'none']);
    assert.equal((await daemon.call('GET', `/v1/users/ou_same/token?app_id=${two}`)).status, 404);
    assert.equal((await daemon.call('GET', `/v1/sessions/${sessions[1]}`)).body.state, 'pending');
    const listed = await daemon.call('GET', `/v1/sessions?open_id=ou_same&app_id=${two}`);
    assert.deepEqual(
      listed.body.sessions.map((session: { session_id: string }) => session.session_id),
      [sessions[1]],
    );
    assert.equal((await daemon.call('GET', '/v1/sessions?open_id=ou_same')).body.sessions.length, 2);
    await daemon.call('DELETE', `/v1/users/ou_same/token?app_id=${two}`);
    assert.equal(await status(one), 'active');
  });

  it('take no click of one app for a session of the other, whatever its value says', async (t) => {
    const { apps, daemon, people, sim } = await newTwoApps(t);
    const [one, two] = apps;
    const ask = async (app: string) =>
      (await daemon.call('POST', '/v1/sessions', { open_id: 'ou_same', app_id: app, scopes: [A] })).body.session_id;
    const [ofOne] = [await ask(one), await ask(two)];
    const card = await sim.until(() => sim.messages().find(({ appId }) => appId === two));
    for (const action of ['decline', 'authorize', 'restart']) {
      const value = { action, session_id: ofOne };
      const click = await sim.click({ messageId: card.messageId, user: people[1], value });
      assert.equal(click.errorCode, undefined, click.reason);
      assert.equal(click.card, undefined, 'nothing of the other session is shown');
      assert.ok(click.toast, 'she is answered');
    }
    assert.equal((await daemon.call('GET', `/v1/sessions/${ofOne}`)).body.state, 'pending');
    assert.equal(linksMade({ sim, way: WAY, daemons: new Set([daemon]) }), 0);
  });
});

interface TwoApps {
  readonly sim: Simulator;
  readonly daemon: Daemon;
  readonly consents: Consents;
  /** Their ids. */
  readonly apps: readonly [string, string];
  /** Both are ou_same: the first in the first app, the second in the second. */
  readonly people: readonly [ReturnType<Simulator['addUser']>, ReturnType<Simulator['addUser']>];
}

async function newTwoApps(t: TestContext): Promise<TwoApps> {
  const sim = await startSimulator({ deviceIntervalSeconds: 1 });
  const redis = await newRedisServer();
  const [one, two] = [sim.addApp({ name: 'One' }), sim.addApp({ name: 'Two' })];
  const people = [
    sim.addUser({ name: 'first', openIds: { [one.appId]: 'ou_same' } }),
    sim.addUser({ name: 'second', openIds: { [two.appId]: 'ou_same' } }),
  ] as const;
  const apps = [one, two].map(({ appId, appSecret }) => ({ app_id: appId, app_secret: appSecret }));
  const entrance = await newEntrance(WAY, [one, two], { sim });
  const env = { ...entrance?.env, CONFIG_FILE: await configFile(t, { apps }) };
  const daemon = await newDaemon({ redisUrl: redis.url, feishuUrl: sim.baseUrl, env });
  const consents = newConsents(sim);
  t.after(async () => {
    await consents.leave();
    await daemon.close();
    await entrance?.relay.close();
    await redis.close();
    await sim.close();
  });
  await entrance?.leadTo(daemon);
  await daemon.readiness(200);
  return { sim, daemon, consents, apps: [one.appId, two.appId], people };
}

function secret(): string {
  return randomBytes(24).toString('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
