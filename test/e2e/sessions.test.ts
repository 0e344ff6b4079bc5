/**
 * The life of sessions as clients and users see it: asked again, replaced, continued, expired, cancelled, deleted
 * (CONTRACT §3 and §5, FAILURES B-expired-session-card-left-pending).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Queue } from 'bullmq';
import { assertShows } from '../support/acks.js';
import { linksMade } from '../support/either-grant.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, ended, eventually, linkOn, newPerson, titleOf, titlesOf } from '../support/steps.js';

const A = 'docx:document:readonly';
const B = 'calendar:calendar';
const C = 'drive:drive';

const post = (scene: Scene, body: object = {}, headers: Record<string, string> = {}) =>
  scene.daemon.call('POST', '/v1/sessions', { open_id: scene.openId, ...body }, headers);

describe('a client asks again', { concurrency: 3 }, () => {
  it('for the same or less: the same session and no second card, also when it asks five times at once', async (t) => {
    const scene = await newScene(t);
    const { sim, openId } = scene;
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post(scene, { scopes: [A, B] })));
    const ids = new Set(answers.map(({ body }) => body.session_id));
    assert.equal(ids.size, 1);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 201]);
    const asked = await scene.ask({ scopes: [B] });
    assert.equal(asked.sessionId, [...ids][0]);
    await authorize(scene, asked);
    const again = await post(scene, { scopes: [A], reason: 'another reason' });
    assert.deepEqual([again.status, again.body.session_id, again.body.state], [200, asked.sessionId, 'authorizing']);
    assert.equal(again.body.message_id, asked.messageId);
    assert.equal(sim.messagesTo(openId).length, 1);
  });

  it('for more: a new session asks for both, the old card says so and holds no link any more', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim, user } = scene;
    const first = await scene.ask({ scopes: [A] });
    const oldCode = await authorize(scene, first);
    const second = await scene.ask({ scopes: [B] });
    assert.notEqual(second.messageId, first.messageId);
    await scene.shows(first.messageId, 'Replaced by a newer request');
    assert.ok(!JSON.stringify(sim.message(first.messageId)?.content).includes(oldCode));
    const old = await scene.session(first.sessionId);
    assert.deepEqual([old.state, old['next_session_id']], ['superseded', second.sessionId]);
    assert.deepEqual(
      [...((await scene.session(second.sessionId))['scopes'] as string[])].sort(),
      [B, A, 'offline_access'].sort(),
    );
    assert.equal(daemon.lines.filter((line) => line.event === 'session.superseded').length, 1);
    const late = await scene.click(first.messageId, 'authorize', first.sessionId);
    await assertShows(scene, first.messageId, late, 'Replaced');
    scene.consent({ link: await authorize(scene, second), user });
    assert.equal((await ended(scene, second.sessionId)).state, 'completed');
  });

  it('when she has authorized already: no session, no card; more scopes or force ask all the same', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const first = await scene.ask({ scopes: [A, B] });
    scene.consent({ link: await authorize(scene, first), user });
    await ended(scene, first.sessionId);

    const covered = await post(scene, { scopes: [B] });
    assert.equal(covered.status, 200);
    assert.deepEqual([covered.body.already_authorized, covered.body.session], [true, null]);
    assert.equal(covered.body.user.status, 'active');
    assert.ok(covered.body.user.scopes.includes(A));
    assert.equal(sim.messagesTo(openId).length, 1);

    const forced = await post(scene, { scopes: [B], force: true });
    assert.deepEqual([forced.status, forced.body.already_authorized], [201, false]);
    const more = await post(scene, { scopes: [C] });
    assert.equal(more.status, 201);
    assert.equal((await scene.session(forced.body.session_id)).state, 'superseded');
  });

  it('with the same Idempotency-Key: the same answer, whatever has happened since; another body is refused', async (t) => {
    const scene = await newScene(t);
    const { openId, sim } = scene;
    const key = { 'idempotency-key': 'order-17' };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post(scene, { scopes: [A] }, key)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
    const sessionId = String(answers[0]?.body.session_id);
    assert.deepEqual(new Set(answers.map(({ body }) => body.session_id)), new Set([sessionId]));
    const [message] = await sim.until(() => sim.messagesTo(openId).length > 0 && sim.messagesTo(openId));

    const covered = await post(scene, { scopes: [A] }, { 'idempotency-key': 'order-18' });
    assert.deepEqual([covered.status, covered.body.session_id], [200, sessionId]);
    await scene.click(message?.messageId ?? '', 'decline', sessionId);
    const later = await post(scene, { scopes: [A] }, key);
    assert.deepEqual([later.status, later.body.session_id, later.body.state], [201, sessionId, 'rejected']);
    const coveredLater = await post(scene, { scopes: [A] }, { 'idempotency-key': 'order-18' });
    assert.deepEqual([coveredLater.status, coveredLater.body.session_id], [200, sessionId]);

    const conflict = await post(scene, { scopes: [B] }, key);
    assert.deepEqual([conflict.status, conflict.body.code], [422, 'idempotency_conflict']);
    assert.equal(sim.messagesTo(openId).length, 1);
    assert.equal((await post(scene, { scopes: [A] }, { 'idempotency-key': 'order-19' })).status, 201);
  });

  it('too often: 429 says when; nobody else is affected, nor is what needs no new card', async (t) => {
    const scene = await newScene(t, { env: { CARD_LIMIT_PER_USER_PER_HOUR: '2' } });
    for (let i = 0; i < 2; i += 1) {
      const { sessionId } = await scene.ask({ scopes: [A] });
      assert.equal((await post(scene, { scopes: [A] })).status, 200);
      await scene.daemon.call('POST', `/v1/sessions/${sessionId}/invalidate`);
    }
    const refused = await post(scene, { scopes: [A] });
    assert.deepEqual([refused.status, refused.body.code, refused.body.next], [429, 'rate_limited', 'wait']);
    const seconds = Number(refused.headers.get('retry-after'));
    assert.ok(seconds > 3_500 && seconds <= 3_600, `Retry-After: ${seconds}`);
    await newPerson(scene, 'Wang Wei').ask({ scopes: [A] });
  });
});

describe('a request that reaches a group, or nobody', { concurrency: 3 }, () => {
  it('tells the group whom it is about and nothing else; link and reason stay in her own chat', async (t) => {
    const scene = await newScene(t);
    const { app, openId, sim, user } = scene;
    const group = sim.addGroup({ appIds: [app.appId], members: [user] });
    const asked = await scene.ask({ scopes: [A], reason: 'Very private reason', chat_id: group.chatId });
    const inGroup = () => sim.messages().filter(({ chatId }) => chatId === group.chatId);
    await sim.until(() => inGroup().length === 1);
    assert.notEqual(asked.message.chatId, group.chatId);
    const userCode = await authorize(scene, asked);
    const notice = JSON.stringify(inGroup()[0]?.content);
    assert.match(notice, new RegExp(`<at user_id=\\\\"${openId}\\\\">`));
    assert.doesNotMatch(notice, /private|https?:|verify/i);
    scene.consent({ link: userCode, user });
    await ended(scene, asked.sessionId);
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(inGroup().length, 1);
    assert.ok(!JSON.stringify(inGroup()).includes(userCode));
  });

  it('asks her all the same when the bot may not write to the group', async (t) => {
    const scene = await newScene(t);
    const { daemon, user } = scene;
    const asked = await scene.ask({ scopes: [A], chat_id: 'oc_not_ours' });
    const failed = await daemon.line('notice.failed');
    assert.equal(failed['feishu_code'], 230034);
    scene.consent({ link: await authorize(scene, asked), user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
  });

  it('fails as user_unreachable with the remedy, and the next request is told at once', async (t) => {
    const scene = await newScene(t);
    const { app, daemon, sim } = scene;
    const outside = newPerson(scene, 'outside');
    const stopped = newPerson(scene, 'stopped');
    sim.addApp({ name: 'Other' });
    const stranger = sim.addUser({ name: 'stranger', openIds: { [app.appId]: 'ou_mine' } });
    sim.changeApp(app.appId, { available: [scene.user, stopped.user, stranger] });
    const ofOther = Object.entries(stranger.openIds).find(([appId]) => appId !== app.appId)?.[1] ?? '';
    sim.faults.add({ on: 'api', api: 'message.send', openId: stopped.openId, kind: 'code', code: 230053 });
    const cases = [
      { openId: outside.openId, code: 230013, api: 'user_unreachable', for: 'operator', remedy: /可用范围/ },
      { openId: stopped.openId, code: 230053, api: 'user_unreachable', for: 'user', remedy: /chat with the bot/ },
      { openId: ofOther, code: 99992361, api: 'open_id_of_other_app', for: 'operator', remedy: /own open_id/ },
      { openId: 'ou_nobody', code: 99992351, api: 'user_unreachable', for: 'operator', remedy: /open_id/ },
    ];
    for (const { api, code, for: audience, openId, remedy } of cases) {
      const answer = await post(scene, { open_id: openId });
      assert.equal(answer.status, 201, answer.text);
      const session = await ended(scene, answer.body.session_id);
      assert.deepEqual([session.state, session.failure_reason], ['failed', 'user_unreachable'], String(code));
      assert.equal(session.message_id, null);
      assert.equal(session.failure_detail.feishu_code, code);
      assert.equal(session.failure_detail.for, audience);
      assert.match(session.failure_detail.remedy, remedy);
      const next = await post(scene, { open_id: openId });
      assert.deepEqual([next.status, next.body.code, next.body.feishu_code], [422, api, code], next.text);
    }
    assert.equal(sim.calls.filter(({ api }) => api === 'message.send').length, cases.length);
    assert.equal((await daemon.call('GET', '/readyz')).status, 200);
  });
});

describe('time runs out', { concurrency: 4 }, () => {
  it('for five people who never click: the cards say so, the operator is told that no click arrives', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const people = ['a', 'b', 'c', 'd', 'e'].map((name) => newPerson(scene, name));
    const asked = await Promise.all(people.map((person) => person.ask({ scopes: [A], ttl_seconds: 10 })));
    await Promise.all(
      asked.map(async ({ sessionId, messageId }) => {
        const session = await ended(scene, sessionId);
        assert.deepEqual([session.state, session.failure_reason], ['expired', null]);
        const late = Date.parse(session.ended_at) - Date.parse(session.expires_at);
        assert.ok(late >= 0 && late < 12_000, `ended ${late} ms after its time`);
        await scene.shows(messageId, 'Request expired');
      }),
    );
    assert.match(String((await daemon.line('callbacks.silent'))['msg']), /回调配置/);
    const [first] = asked;
    const [person] = people;
    assert.ok(first && person);
    const restart = await person.click(first, 'restart');
    await assertShows(scene, first.messageId, restart, '"action":"agreed"');
    const next = String((await scene.session(first.sessionId))['next_session_id']);
    scene.consent({ link: linkOn(scene, first.messageId), user: person.user });
    assert.equal((await ended(scene, next)).state, 'completed');
    await scene.shows(first.messageId, 'Authorized');
    assert.equal(sim.messagesTo(person.openId).length, 1);
  });

  it('while the daemon is down: the card turns as soon as it is back', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const asked = await scene.ask({ scopes: [A], ttl_seconds: 10 });
    scene.daemon.signal('SIGTERM');
    assert.equal(await scene.daemon.exited(), 0);
    await eventually(async () => Date.now() > asked.message.createdAt + 11_500, 15_000);
    await scene.use(await scene.daemon.restart());
    await scene.daemon.readiness(200);
    const started = Date.now();
    const session = await ended(scene, asked.sessionId);
    assert.equal(session.state, 'expired');
    await scene.shows(asked.messageId, 'Request expired');
    assert.ok(Date.now() - started < 15_000, `it took ${Date.now() - started} ms`);
    assert.equal(sim.messagesTo(scene.openId).length, 1);
  });

  it('while the poll that brings the token is under way: consent was first', async (t) => {
    // With more time to stop, a poll may take 10 s.
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 7 }, env: { SHUTDOWN_TIMEOUT: '14' } });
    const { sim, user } = scene;
    const asked = await scene.ask({ scopes: [A], ttl_seconds: 10 });
    const userCode = await authorize(scene, asked);
    const expiresAt = Date.parse(String((await scene.session(asked.sessionId))['expires_at']));
    await eventually(async () => Date.now() > expiresAt - 6_000);
    const issued = sim.waitFor('token');
    const held = sim.faults.add({ on: 'api', api: 'token', kind: 'hold', when: 'after', times: 1 });
    scene.consent({ link: userCode, user });
    await issued;
    await eventually(async () => Date.now() > expiresAt + 500);
    assert.equal((await scene.session(asked.sessionId)).state, 'authorizing');
    held.release();
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    assert.ok(!titlesOf(sim.message(asked.messageId)).includes('Request expired, nothing new was authorized'));
  });
});

describe('she starts again', { concurrency: 3 }, () => {
  it('after declining, on the same message, once however often she presses', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const asked = await scene.ask({ scopes: [A], reason: 'Weekly report', metadata: { ticket: '17' } });
    await scene.click(asked.messageId, 'decline', asked.sessionId);
    const presses = await Promise.all([1, 2, 3].map(() => scene.click(asked.messageId, 'restart', asked.sessionId)));
    for (const press of presses) await assertShows(scene, asked.messageId, press, '"action":"agreed"');
    assert.equal(linksMade(scene), 1);
    const next = await scene.session(String((await scene.session(asked.sessionId))['next_session_id']));
    assert.deepEqual(
      [next['message_id'], next['reason'], next['metadata']],
      [asked.messageId, 'Weekly report', { ticket: '17' }],
    );
    scene.consent({ link: linkOn(scene, asked.messageId), user });
    assert.equal((await ended(scene, String(next['session_id']))).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(sim.messagesTo(openId).length, 1);
    const old = await scene.click(asked.messageId, 'restart', asked.sessionId);
    await assertShows(scene, asked.messageId, old, 'Authorized');
  });

  it('on an old card while a newer request waits: she is told, and nothing is made twice', async (t) => {
    const scene = await newScene(t);
    const { openId, sim } = scene;
    const old = await scene.ask({ scopes: [A] });
    await scene.click(old.messageId, 'decline', old.sessionId);
    const newer = await scene.ask({ scopes: [A] });
    assert.notEqual(newer.messageId, old.messageId);
    const press = await scene.click(old.messageId, 'restart', old.sessionId);
    await assertShows(scene, old.messageId, press, 'You declined');
    assert.equal((await scene.session(old.sessionId))['next_session_id'], newer.sessionId);
    assert.equal(linksMade(scene), 0);
    assert.equal(sim.messagesTo(openId).length, 2);
  });
});

describe('clients end, delete and list sessions', { concurrency: 3 }, () => {
  it('invalidate takes the link off the card; a second time changes nothing; grants stay', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const done = await scene.ask({ scopes: [A] });
    scene.consent({ link: await authorize(scene, done), user });
    await ended(scene, done.sessionId);
    const asked = await scene.ask({ scopes: [B] });
    const userCode = await authorize(scene, asked);
    const invalidate = () => daemon.call('POST', `/v1/sessions/${asked.sessionId}/invalidate`);
    const first = await invalidate();
    assert.deepEqual([first.status, first.body.state], [200, 'invalidated']);
    await scene.shows(asked.messageId, 'Request cancelled');
    assert.ok(!JSON.stringify(sim.message(asked.messageId)?.content).includes(userCode));
    const second = await invalidate();
    assert.deepEqual([second.status, second.body], [200, first.body]);
    assert.equal((await daemon.call('POST', `/v1/sessions/${done.sessionId}/invalidate`)).body.state, 'completed');
    assert.equal((await daemon.call('GET', `/v1/users/${openId}/token`)).status, 200);
    const click = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    assert.match(titleOf(click.card), /^Request cancelled/);
    assert.equal(click.toast?.i18n?.['en_us'], 'This request has already ended, the card says how');
    scene.consent({ link: userCode, user });
    assert.equal((await scene.session(asked.sessionId)).state, 'invalidated');
  });

  it('cleanup deletes what has ended and nothing else; an old card then says that it is gone', async (t) => {
    const scene = await newScene(t);
    const { daemon, redis } = scene;
    const old = await scene.ask({ scopes: [A] });
    await scene.click(old.messageId, 'decline', old.sessionId);
    const live = await scene.ask({ scopes: [A] });
    assert.deepEqual((await daemon.call('POST', '/v1/sessions/cleanup', { expiry_days: 1 })).body, { deleted: 0 });
    assert.deepEqual((await daemon.call('POST', '/v1/sessions/cleanup', { expiry_days: 0 })).body, { deleted: 1 });
    assert.equal((await daemon.call('GET', `/v1/sessions/${old.sessionId}`)).status, 404);
    assert.equal((await scene.session(live.sessionId)).state, 'pending');
    const left = (await redis.client.keys(`*${old.sessionId}*`)).filter((key) => !key.includes('{q}'));
    assert.deepEqual(left, []);
    const click = await scene.click(old.messageId, 'restart', old.sessionId);
    assert.equal(titleOf(click.card), 'This request no longer exists');
  });

  it('retention deletes by itself what ended long ago', async (t) => {
    const scene = await newScene(t, { env: { AUTH_SESSION_RETENTION_DAYS: '1' } });
    const { app, daemon, redis } = scene;
    const [old, young] = [await scene.ask({ scopes: [A] }), await newPerson(scene, 'young').ask({ scopes: [A] })];
    for (const { sessionId } of [old, young]) await daemon.call('POST', `/v1/sessions/${sessionId}/invalidate`);
    // Two days pass for one of them, and the hour until the next look for the daemon.
    await redis.client.zadd(`authd:{${app.appId}}:ended`, Date.now() - 2 * 86_400_000, old.sessionId);
    const queue = new Queue('maintenance', { connection: { url: redis.url }, prefix: 'authd:{q}' });
    t.after(() => queue.close());
    const job = (await queue.getDelayed()).find(({ name }) => name === 'cleanup');
    assert.ok(job, 'the next cleanup is planned');
    await job.promote();
    assert.equal((await daemon.line('sessions.cleaned'))['deleted'], 1);
    assert.equal((await daemon.call('GET', `/v1/sessions/${old.sessionId}`)).status, 404);
    assert.equal((await scene.session(young.sessionId)).state, 'invalidated');
  });

  it('a list gives each session once, newest first, page by page, by user and by state', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId } = scene;
    const people = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => newPerson(scene, name));
    const ids: string[] = [];
    for (const person of people) ids.unshift((await person.ask({ scopes: [A] })).sessionId);
    const declined = await scene.ask({ scopes: [A] });
    await scene.click(declined.messageId, 'decline', declined.sessionId);
    ids.unshift(declined.sessionId);

    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; pages += 1) {
      assert.ok(pages < 5, 'the list ends');
      const page = await daemon.call('GET', `/v1/sessions?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      assert.equal(page.status, 200, page.text);
      seen.push(...page.body.sessions.map((session: { session_id: string }) => session.session_id));
      cursor = page.body.next_cursor;
    }
    assert.deepEqual(seen, ids);
    const of = async (query: string): Promise<string[]> =>
      (await daemon.call('GET', `/v1/sessions?${query}`)).body.sessions.map(
        (one: { session_id: string }) => one.session_id,
      );
    assert.deepEqual(await of(`open_id=${openId}`), [declined.sessionId]);
    assert.deepEqual(await of('state=rejected'), [declined.sessionId]);
    assert.deepEqual(await of('state=pending&limit=100'), ids.slice(1));
    assert.deepEqual(await of(`open_id=${openId}&state=pending`), []);
    assert.equal((await daemon.call('GET', '/v1/sessions?cursor=nonsense')).status, 400);
  });
});
