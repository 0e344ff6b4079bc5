/**
 * Authorizations that are taken back: by the user on her card, by her or an administrator at Feishu, by a client, by
 * leaving the company (CONTRACT §4 and §5, FEISHU.md §3.4 and §3.5, FAILURES D-logout-races-refresh,
 * D-user-left-company).
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Message } from '../simulator/chat/chats.js';
import type { EventPush } from '../simulator/gateway/event-pusher.js';
import { grant, readToken, refreshCalls, refreshNow, reuses, statusOf } from '../support/grants.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, ended, eventually, newPerson, type PersonInScene, titleOf } from '../support/steps.js';

const DOCS = ['docx:document:readonly'];
const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token' } as const;
const SOON = { redeliveryScheduleMs: [300, 300, 300, 300] };

/** The messages that tell a user of a withdrawal. */
const notices = (scene: Scene, openId: string): Message[] =>
  scene.sim.messagesTo(openId).filter(({ content }) => titleOf(content) === 'Authorization withdrawn');

const noticeOf = (scene: Scene, openId: string): Promise<Message> =>
  scene.sim.until(() => notices(scene, openId)[0], 20_000, 'the notice');

const userInfoCalls = (scene: Scene, openId: string) =>
  scene.sim.calls.filter((call) => call.api === 'user_info' && call.openId === openId);

/** Everything that Feishu was asked about somebody. */
const callsAbout = (scene: Scene, openId: string) => scene.sim.calls.filter((call) => call.openId === openId);

const lineOf = (scene: Scene, event: string, openId: string) =>
  scene.daemon.line(event, (line) => line['open_id'] === openId);

const stateOf = (scene: Scene, openId: string): Promise<Record<string, string>> =>
  scene.redis.client.hgetall(`authd:{${scene.app.appId}}:grant:${openId}:state`);

/** What Redis still has of a user's grant: its keys, its job, when it is to be looked at. */
async function tracesOf(scene: Scene, openId: string): Promise<string[]> {
  const { client } = scene.redis;
  const base = `authd:{${scene.app.appId}}`;
  const keys = [...(await client.keys(`${base}:grant:${openId}*`)), ...(await client.keys(`*refresh-*${openId}`))];
  const due = await client.zscore(`${base}:due`, openId);
  return due === null ? keys : [...keys, `due at ${due}`];
}

/** What Feishu was answered so far, delivery by delivery. */
const answersTo = ({ attempts }: EventPush): (number | undefined)[] =>
  attempts.flatMap((attempt) => ('ack' in attempt ? [attempt.ack.code] : []));

/** Feishu delivered it so often (more often, when an answer of ours was late), and then took it for received. */
async function acknowledged({ done }: EventPush, deliveries = 1): Promise<void> {
  const { attempts, delivered } = await done;
  assert.ok(delivered && attempts.length >= deliveries, `${delivered} after ${attempts.length} deliveries`);
}

const deadAtFeishu = (scene: Scene, openId: string): boolean =>
  [...scene.sim.accessTokens(), ...scene.sim.refreshLedger.filter(({ used }) => used === 0)]
    .filter((token) => token.openId === openId)
    .every(({ revoked }) => revoked);

describe('an authorization that is taken back', { concurrency: 3 }, () => {
  it('is verified when Feishu tells of it: only what Feishu refuses ends, and she is told once', async (t) => {
    const scene = await newScene(t, { simulator: SOON });
    const { app, sim } = scene;
    const as = async (name: string, more: object = {}): Promise<PersonInScene> => {
      const person = newPerson(scene, name);
      await grant(scene, { person, ...more });
      return person;
    };
    const [leaver] = await Promise.all([
      (async () => {
        const { openId, user } = await as('leaves the company');
        const before = { openId, messages: sim.messagesTo(openId).length, calls: callsAbout(scene, openId).length };
        await acknowledged(sim.leave(app.appId, { user, createTime: Date.now() - 3_600_000 }));
        assert.equal(await statusOf(scene, openId), 'active', 'told of a time before she came back');
        await acknowledged(sim.leave(app.appId, { user, repeats: 1 }), 2);
        assert.equal(await statusOf(scene, openId), 'revoked');
        assert.deepEqual(await tracesOf(scene, openId), [`authd:{${app.appId}}:grant:${openId}:state`]);
        return before;
      })(),
      (async () => {
        const { openId, user } = await as('withdraws, and hears of it three times');
        await acknowledged(sim.revokeGrant(app.appId, { user, repeats: 2 }), 3);
        const message = await noticeOf(scene, openId);
        assert.match(JSON.stringify(message.content), /may no longer act as you in Feishu/);
        assert.equal(await statusOf(scene, openId), 'revoked');
        const read = await readToken(scene, openId);
        assert.deepEqual([read.status, read.body.code], [409, 'reauthorization_required']);
        await eventually(async () => (await stateOf(scene, openId))['notice'] === undefined);
        assert.equal(refreshCalls(scene, openId).length, 1, 'the refresh token was tried once');
        await acknowledged(sim.revokeGrant(app.appId, { user }));
        assert.equal(notices(scene, openId).length, 1);
        assert.equal(sim.messagesTo(openId).length, 2, 'the card of her session and the notice');
      })(),
      (async () => {
        const { openId, user } = await as('only a rotation of ours');
        await acknowledged(sim.revokeGrant(app.appId, { user, tokens: [], tokenTypes: 'refresh_token' }));
        await lineOf(scene, 'grant.trusted', openId);
        assert.equal(await statusOf(scene, openId), 'active');
        assert.equal(refreshCalls(scene, openId).length, 0, 'a refresh would be told of as well, and so on');
        assert.equal((await stateOf(scene, openId))['suspect_at'], undefined);
      })(),
      (async () => {
        const { openId, user } = await as('loses the access token only');
        const before = (await readToken(scene, openId)).body.access_token;
        const revoked = { user, tokens: ['user_access_token'], tokenTypes: 'user_access_token ' } as const;
        await acknowledged(sim.revokeGrant(app.appId, revoked));
        const line = await lineOf(scene, 'grant.trusted', openId);
        assert.equal(line['by'], 'refresh');
        assert.equal(refreshCalls(scene, openId).length, 1);
        const after = await readToken(scene, openId);
        assert.equal(after.status, 200, after.text);
        assert.notEqual(after.body.access_token, before);
      })(),
      (async () => {
        const { openId, user } = await as('has consented again since');
        const calls = callsAbout(scene, openId).length;
        await acknowledged(sim.revokeGrant(app.appId, { user, tokens: [], createTime: Date.now() - 3_600_000 }));
        const line = await lineOf(scene, 'grant.event_ignored', openId);
        assert.equal(line['why'], 'older_than_consent');
        assert.equal(callsAbout(scene, openId).length, calls);
      })(),
      (async () => {
        const { openId, user } = await as('has no refresh token', { remove: ['refresh_token'] });
        await acknowledged(sim.revokeGrant(app.appId, { user, tokenTypes: 'user_access_token' }));
        await noticeOf(scene, openId);
        assert.equal(await statusOf(scene, openId), 'revoked');
        assert.equal(refreshCalls(scene, openId).length, 0);
      })(),
      (async () => {
        const { openId, user } = await as('while Feishu has trouble');
        const away = sim.faults.add({
          on: 'api',
          api: 'user_info',
          openId,
          kind: 'status',
          status: 500,
          body: 'oops',
        });
        await acknowledged(sim.revokeGrant(app.appId, { user }));
        await lineOf(scene, 'grant.not_verified', openId);
        assert.equal(await statusOf(scene, openId), 'active', 'nothing ends while nobody knows');
        assert.notEqual((await stateOf(scene, openId))['suspect_at'], undefined);
        away.clear();
        await noticeOf(scene, openId);
        assert.equal(await statusOf(scene, openId), 'revoked');
      })(),
      (async () => {
        const { openId, user } = await as('does not take the notice at first');
        sim.faults.add({ on: 'api', api: 'message.send', openId, kind: 'reset', when: 'after', times: 1 });
        await acknowledged(sim.revokeGrant(app.appId, { user }));
        await lineOf(scene, 'grant.withdrawal_told', openId);
        assert.equal(notices(scene, openId).length, 1, 'a repeat is no second message');
      })(),
      (async () => {
        const { openId, user } = await as('cannot be written to');
        sim.faults.add({ on: 'api', api: 'message.send', openId, kind: 'code', code: 230053 });
        await acknowledged(sim.revokeGrant(app.appId, { user }));
        await lineOf(scene, 'grant.withdrawal_not_told', openId);
        await eventually(async () => (await stateOf(scene, openId))['notice'] === undefined);
        assert.equal(notices(scene, openId).length, 0);
      })(),
      (async () => {
        const person = newPerson(scene, 'never authorized');
        await acknowledged(sim.revokeGrant(app.appId, { user: person.user }));
        assert.equal((await lineOf(scene, 'grant.event_ignored', person.openId))['why'], 'no_grant');
        assert.deepEqual(await tracesOf(scene, person.openId), []);
      })(),
      (async () => {
        const { openId, user } = await as('is found gone when it is verified');
        user.state = 'resigned';
        await acknowledged(sim.revokeGrant(app.appId, { user, tokens: [], reason: 'restriction action' }));
        const line = await lineOf(scene, 'grant.ended', openId);
        assert.equal(line['status'], 'revoked');
        assert.equal(notices(scene, openId).length, 0);
        assert.deepEqual([refreshCalls(scene, openId).length, userInfoCalls(scene, openId).length], [0, 2]);
      })(),
    ]);
    assert.equal(sim.messagesTo(leaver.openId).length, leaver.messages, 'nobody writes to her who has left');
    assert.equal(callsAbout(scene, leaver.openId).length, leaver.calls, 'nor asks Feishu about her');
    assert.equal(reuses(scene), 0);
    assert.ok(!scene.daemon.output().includes('restriction action'), "Feishu's free text is not logged");
  });

  it('is acknowledged to Feishu only when it is written down; clicks are answered all the same', async (t) => {
    const scene = await newScene(t, { simulator: SOON });
    const { app, openId, redis, sim, user } = scene;
    const { messageId } = await grant(scene);
    redis.freeze();
    const push = sim.revokeGrant(app.appId, { user });
    const click = await scene.click(messageId, 'revoke', 'as_0000000000000000_0');
    assert.deepEqual([click.ackCode, click.errorCode], [200, undefined]);
    await eventually(() => Promise.resolve(answersTo(push).includes(500)));
    assert.ok(answersTo(push).every((code) => code === 500));
    redis.thaw();
    assert.equal((await push.done).delivered, true);
    await noticeOf(scene, openId);
  });

  it('is not forgotten by a crash right after it was acknowledged', async (t) => {
    const scene = await newScene(t);
    const { app, openId, sim, user } = scene;
    await grant(scene);
    scene.daemon.signal('SIGKILL');
    await scene.daemon.exited();
    await scene.use(await scene.daemon.restart({ ROLES: 'gateway,api' }));
    await scene.daemon.readiness(200);
    await acknowledged(sim.revokeGrant(app.appId, { user }));
    assert.equal(await statusOf(scene), 'active');
    scene.daemon.signal('SIGKILL');
    await scene.daemon.exited();
    await scene.redis.client.del(`authd:{q}:token-refresh:refresh-${app.appId}-${openId}`);
    await scene.use(await scene.daemon.restart({ ROLES: 'gateway,worker,api' }));
    await noticeOf(scene, openId);
    assert.equal(await statusOf(scene), 'revoked');
  });

  it('by the button on the card: for all clients, by the user only; the card stays; a new consent works', async (t) => {
    const { env, secrets } = await twoClients(t);
    const scene = await newScene(t, { env, simulator: { revoke: { sibling: 'dies', event: true } } });
    const { app, openId, sim, user } = scene;
    const as = (client: keyof typeof secrets) => ({ authorization: `Bearer ${secrets[client]}` });
    const ask = async (client: keyof typeof secrets) => {
      const known = new Set(sim.messagesTo(openId).map(({ messageId }) => messageId));
      const body = { open_id: openId, scopes: DOCS, force: true };
      const asked = await scene.daemon.call('POST', '/v1/sessions', body, as(client));
      const message = await sim.until(() => sim.messagesTo(openId).find((sent) => !known.has(sent.messageId)));
      const it = { sessionId: String(asked.body.session_id), messageId: message.messageId, message };
      scene.consent({ link: await authorize(scene, it), user });
      await ended(scene, it.sessionId);
      await scene.shows(it.messageId, '"action":"revoke"');
      return it;
    };
    const first = await ask('crm');
    const second = await ask('wiki');
    const shown = JSON.stringify(sim.message(first.messageId)?.content);

    const stranger = sim.addUser({ name: 'Stranger' });
    const foreign = await scene.click(first.messageId, 'revoke', first.sessionId, { user: stranger });
    assert.match(foreign.toastText ?? '', /someone else|发给别人/);
    assert.equal(await statusOf(scene), 'active');

    const clicks = await Promise.all(
      [first, second, first].map((it) => scene.click(it.messageId, 'revoke', it.sessionId, { locale: 'en_us' })),
    );
    const toasts = clicks.map(({ errorCode, toastText }) => errorCode ?? toastText?.split(',')[0]).sort();
    assert.deepEqual(toasts, ['Already withdrawn', 'Already withdrawn', 'Withdrawn']);
    const notice = await noticeOf(scene, openId);
    assert.match(JSON.stringify(notice.content), /CRM, Wiki may no longer act as you in Feishu/);
    for (const client of ['crm', 'wiki'] as const) {
      const status = await scene.daemon.call('GET', `/v1/users/${openId}`, undefined, as(client));
      assert.equal(status.body.status, 'revoked', client);
    }
    await sim.until(() => deadAtFeishu(scene, openId));
    await lineOf(scene, 'token.revoked_at_feishu', openId);
    const withdrawn = await lineOf(scene, 'grant.withdrawn', openId);
    assert.deepEqual(withdrawn['client_ids'], ['crm', 'wiki']);
    assert.equal(JSON.stringify(sim.message(first.messageId)?.content), shown, 'the card of the session stays');

    const third = await ask('crm');
    assert.equal(await statusOf(scene), 'active');
    const again = await scene.click(third.messageId, 'revoke', third.sessionId, { locale: 'en_us' });
    assert.match(again.toastText ?? '', /^Withdrawn/);
    await sim.until(() => notices(scene, openId).length === 2);
    // The revocation that we asked for is told of by events as well: they find nothing any more.
    assert.equal(scene.daemon.lines.filter(({ event }) => event === 'grant.ended').length, 0);
    assert.equal(refreshCalls(scene, openId).length, 0);
    assert.equal(await statusOf(scene), 'revoked');
    assert.equal(app.appId, withdrawn['app_id']);
  });

  it('by the button also when the record of the session is gone, and on no card where nothing was authorized', async (t) => {
    const scene = await newScene(t);
    const { app, openId, redis } = scene;
    const asked = await scene.ask({ scopes: DOCS });
    const early = await scene.click(asked.messageId, 'revoke', asked.sessionId, { locale: 'en_us' });
    assert.match(early.toastText ?? '', /^This button cannot be used/);
    assert.equal((await scene.session(asked.sessionId)).state, 'pending');
    scene.consent({ link: await authorize(scene, asked), user: scene.user });
    await ended(scene, asked.sessionId);
    await scene.shows(asked.messageId, '"action":"revoke"');
    await redis.client.del(`authd:{${app.appId}}:session:${asked.sessionId}`);
    const click = await scene.click(asked.messageId, 'revoke', asked.sessionId, { locale: 'en_us' });
    assert.match(click.toastText ?? '', /^Withdrawn/);
    await noticeOf(scene, openId);
  });

  for (const [how, forget] of Object.entries<(scene: Scene, asked: { messageId: string }) => Promise<unknown>>({
    'while a client has the token deleted': (scene) =>
      scene.daemon.call('DELETE', `/v1/users/${scene.openId}/token?revoke_at_feishu=true`),
    'while she withdraws': async (scene, { messageId }) => {
      const [sessionId] = JSON.stringify(scene.sim.message(messageId)?.content).match(/as_\w+/) ?? [];
      return await scene.click(messageId, 'revoke', sessionId ?? '');
    },
  })) {
    it(`is not brought back by a refresh under way, ${how}`, async (t) => {
      const scene = await newScene(t);
      const { openId, sim } = scene;
      const { messageId } = await grant(scene);
      await scene.shows(messageId, '"action":"revoke"');
      const hold = sim.faults.add({ ...REFRESH, kind: 'hold', when: 'after' });
      const refreshed = refreshNow(scene);
      await sim.until(() => refreshCalls(scene).length === 1);
      await forget(scene, { messageId });
      await lineOf(scene, 'token.revoked_at_feishu', openId);
      hold.clear();
      const answer = await refreshed;
      assert.ok(answer.status === 404 || answer.status === 409, answer.text);
      await lineOf(scene, 'token.discarded', openId);
      await sim.until(() => deadAtFeishu(scene, openId), 20_000, 'what the refresh brought to be dead as well');
      const isDeleted = how.includes('deleted');
      assert.equal(await statusOf(scene), isDeleted ? 'none' : 'revoked');
      if (!isDeleted) await noticeOf(scene, openId);
      await eventually(async () => (await tracesOf(scene, openId)).length === (isDeleted ? 0 : 1));
      assert.equal((await readToken(scene)).status, isDeleted ? 404 : 409);
      assert.equal(notices(scene, openId).length, isDeleted ? 0 : 1);
    });
  }
});

/** Two clients with limits, beside the administrator of the scene. */
async function twoClients(t: TestContext) {
  const secrets = { crm: randomBytes(24).toString('hex'), wiki: randomBytes(24).toString('hex') };
  const names = { crm: { zh_cn: '客户系统', en_us: 'CRM' }, wiki: { zh_cn: '知识库', en_us: 'Wiki' } };
  const clients = (['crm', 'wiki'] as const).map((id) => ({
    id,
    display_name: names[id],
    secret_sha256: [createHash('sha256').update(secrets[id]).digest('hex')],
  }));
  const folder = await mkdtemp(join(tmpdir(), 'authd-test-config-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify({ clients }), { mode: 0o600 });
  return { secrets, env: { CONFIG_FILE: path } };
}
