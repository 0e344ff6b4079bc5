/**
 * CARD=link: where cards cannot be used a message brings the link, and another one tells the end (issue 5). A message is
 * never changed; whatever crashes, nothing is told twice.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { linkIn, openPage } from '../support/consents.js';
import { asked, DOCS, elementsOf, linesOf, titlesTo, told } from '../support/posts.js';
import { newScene, type Scene, type SceneOptions } from '../support/scene.js';
import { ended, eventually, linkOn, newPerson } from '../support/steps.js';

const BY_LINK: SceneOptions = { way: { grant: 'authorization_code', clicks: 'long_connection', card: 'link' } };
const SEND = { on: 'api', api: 'message.send' } as const;
const EXCHANGE = { on: 'api', api: 'token', grant: 'authorization_code' } as const;

const ASKS = /asks to act as you/;
const WRONG = /^That was not your account$/;

const sends = (scene: Scene, openId: string): number =>
  scene.sim.calls.filter((call) => call.api === 'message.send' && call.openId === openId).length;

describe('a user who is asked by messages', { concurrency: true }, () => {
  let scene: Scene;
  const closers: (() => Promise<void>)[] = [];
  const secret = randomBytes(24).toString('base64url');
  const evil = {
    id: 'evil',
    display_name: {
      zh_cn: '<at user_id="all"></at> [点我](https://evil.example)',
      en_us: 'Free gifts at evil.example/x',
    },
    secret_sha256: [createHash('sha256').update(secret).digest('hex')],
  };

  before(async () => {
    const t = { after: (close: unknown) => closers.push(close as () => Promise<void>) } as Pick<TestContext, 'after'>;
    const folder = await mkdtemp(join(tmpdir(), 'authd-test-config-'));
    closers.push(() => rm(folder, { recursive: true }));
    const path = join(folder, 'config.json');
    await writeFile(path, JSON.stringify({ clients: [evil] }), { mode: 0o600 });
    scene = await newScene(t, { ...BY_LINK, env: { CONFIG_FILE: path } });
  });
  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  it('gets the link with all she must know, consents, and is told the end by a second message', async () => {
    const { link, message, messageId, person, sessionId } = await asked(scene, 'Wang Fang', {
      reason: 'Weekly report',
    });
    assert.equal(message.msgType, 'post');
    const session = await eventually(async () => {
      const now = await scene.session(sessionId);
      return now['message_id'] === messageId && now;
    });
    assert.equal(session.state, 'pending');
    const [title, ...lines] = linesOf(message.content);
    assert.equal(title, 'Docs Bot asks to act as you in Feishu');
    const text = lines.join('\n');
    for (const part of [/written by the requester, not verified/, /Weekly report/, /it can:\n• /, /name "Docs Bot"/]) {
      assert.match(text, part);
    }
    assert.match(text, /never ask for a password or a verification code/);
    assert.match(text, /works until \w+ \d+, \d\d:\d\d \(UTC\+8\)/);
    assert.match(text, /Refuse on Feishu's page, or just ignore this/);
    for (const language of ['zh_cn', 'en_us'] as const) {
      const links = elementsOf(message.content, language).filter(({ tag }) => tag === 'a');
      assert.equal(links.length, 2);
      assert.match(links[0]?.href ?? '', /\/client\/web_url\/open\?mode=sidebar-semi&/);
      assert.equal(links[1]?.href, link);
    }
    assert.equal(scene.consent({ link, user: person.user }), 'ok');
    assert.equal((await ended(scene, sessionId)).state, 'completed');
    const end = await told(scene, person.openId, /^Authorized: Docs Bot$/);
    assert.equal(linkIn(scene.sim, end.content), undefined);
    assert.match(linesOf(end.content).join('\n'), /It can now:\n• /);
    assert.match(linesOf(end.content, 'zh_cn').join('\n'), /^已授权 Docs Bot\n它现在可以/);
    assert.equal(titlesTo(scene, person.openId).length, 2);
    const line = await scene.daemon.line('message.sent', (one) => one['message_id'] === end.messageId);
    assert.deepEqual([line['session_id'], line['message'], line['state']], [sessionId, 'authorized', 'completed']);
    assert.equal((await scene.session(sessionId))['message_id'], messageId, 'it stays the first one');
    assert.equal((await scene.daemon.call('GET', `/v1/users/${person.openId}/token`)).status, 200);
  });

  it("declines on Feishu's page", async () => {
    const { link, person, sessionId } = await asked(scene, 'Zhao Lei');
    assert.equal(scene.deny({ link, user: person.user }), 'ok');
    assert.equal((await ended(scene, sessionId)).state, 'rejected');
    const end = await told(scene, person.openId, /^You declined Docs Bot$/);
    assert.match(linesOf(end.content).join('\n'), /Ask Docs Bot to send a new request/);
    assert.equal(titlesTo(scene, person.openId).length, 2);
  });

  it('ignores it, and is told once that it has expired', async () => {
    const { person, sessionId } = await asked(scene, 'Qian Wei', { ttl_seconds: 10 });
    await told(scene, person.openId, /^Request expired/);
    assert.equal((await scene.session(sessionId)).state, 'expired');
    assert.equal(titlesTo(scene, person.openId).length, 2);
    assert.ok(!scene.daemon.lines.some(({ event }) => event === 'callbacks.silent'));
  });

  it('gets a new link each time another account consents, and the end at the third time', async () => {
    const { link, person, sessionId } = await asked(scene, 'Sun Li');
    const other = newPerson(scene, 'Sun Wei');
    let current = link;
    for (const left of [2, 1]) {
      assert.equal(scene.consent({ link: current, user: other.user }), 'ok');
      const next = await scene.sim.until(() => {
        const newest = scene.sim.messagesTo(person.openId).at(-1);
        return linkIn(scene.sim, newest?.content) === current ? undefined : newest;
      }, 10_000);
      assert.match(linesOf(next.content).join('\n'), new RegExp(`former link is dead.*Tries left: ${left},`));
      current = linkOn(scene, next.messageId);
    }
    const { redirectTo = '' } = scene.sim.authorize({ url: link, user: person.user });
    assert.match((await openPage(redirectTo)).text, /This link has been used/);
    assert.equal(scene.consent({ link: current, user: other.user }), 'ok');
    assert.equal((await ended(scene, sessionId)).failure_reason, 'identity_mismatch');
    await told(scene, person.openId, /^Ended: the account never matched$/);
    const [first = '', ...rest] = titlesTo(scene, person.openId);
    assert.match(first, ASKS);
    assert.deepEqual(rest, [
      'That was not your account',
      'That was not your account',
      'Ended: the account never matched',
    ]);
    assert.equal(titlesTo(scene, other.openId).length, 0, 'nobody else is told');
  });

  it('consents by the new link after another account has consented', async () => {
    const { link, person, sessionId } = await asked(scene, 'Zhou Jie');
    const other = newPerson(scene, 'Zhou Min');
    assert.equal(scene.consent({ link, user: other.user }), 'ok');
    const { messageId } = await told(scene, person.openId, WRONG);
    assert.equal(scene.consent({ link: linkOn(scene, messageId), user: person.user }), 'ok');
    assert.equal((await ended(scene, sessionId)).state, 'completed');
    await told(scene, person.openId, /^Authorized/);
    assert.equal(titlesTo(scene, person.openId).length, 3);
  });

  it('is told why it failed, what to do, and that she can have it asked again', async () => {
    const { link, person, sessionId } = await asked(scene, 'Wu Gang');
    // The useless code of a first try is no news: the link still works.
    scene.sim.faults.add({ ...EXCHANGE, openId: person.openId, kind: 'code', code: 20003, times: 1 });
    assert.equal(scene.consent({ link, user: person.user }), 'ok');
    await scene.daemon.line('redirect.code_useless', (line) => line['session_id'] === sessionId);
    scene.sim.faults.add({ ...EXCHANGE, openId: person.openId, kind: 'code', code: 20010, times: 1 });
    assert.equal(scene.consent({ link, user: person.user }), 'ok');
    const end = await told(scene, person.openId, /^The authorization of Docs Bot did not finish$/);
    const text = linesOf(end.content).join('\n');
    assert.match(text, /not among the people who may use this app/);
    assert.match(text, /ask Docs Bot to send a new request/);
    assert.match(text, /For support, Feishu code: 20010\nFor support, Feishu log id: /);
    assert.ok(text.includes(sessionId));
    assert.equal(titlesTo(scene, person.openId).length, 2);
  });

  it('is told which scopes are missing', async () => {
    const scopes = ['docx:document:readonly', 'wiki:wiki:readonly'];
    const { link, person, sessionId } = await asked(scene, 'Zheng Hao', { scopes });
    assert.equal(scene.consent({ link, user: person.user, scopes: [scopes[0] ?? ''] }), 'ok');
    assert.equal((await ended(scene, sessionId)).failure_reason, 'insufficient_scope');
    const end = await told(scene, person.openId, /^Some permissions are missing$/);
    assert.match(linesOf(end.content).join('\n'), /were not granted.*\n• /);
  });

  it('is told of a cancelled request, and of a replaced one only by the request that replaced it', async () => {
    const { link, person, sessionId } = await asked(scene, 'Feng Yu');
    const wider = await person.ask({ scopes: [...DOCS.scopes, 'wiki:wiki:readonly'] });
    assert.equal((await scene.session(sessionId)).state, 'superseded');
    assert.notEqual(linkOn(scene, wider.messageId), link);
    await scene.daemon.call('POST', `/v1/sessions/${wider.sessionId}/invalidate`);
    await scene.daemon.line(
      'message.sent',
      (line) => line['session_id'] === wider.sessionId && line['message'] === 'invalidated',
    );
    await told(scene, person.openId, /^Request cancelled$/);
    const titles = titlesTo(scene, person.openId);
    assert.deepEqual([titles.length, titles.filter((title) => ASKS.test(title)).length], [3, 2]);
  });

  it('is told when her authorization is taken back', async () => {
    const { link, person, sessionId } = await asked(scene, 'Chen Jing');
    assert.equal(scene.consent({ link, user: person.user }), 'ok');
    await ended(scene, sessionId);
    await scene.sim.revokeGrant(scene.app.appId, { user: person.user }).done;
    const end = await told(scene, person.openId, /^Authorization withdrawn$/);
    assert.match(linesOf(end.content).join('\n'), /^Authorization withdrawn\nDocs Bot may no longer act as you/);
  });

  it('sees neither links nor mentions that somebody put into names and reason', async () => {
    const person = newPerson(scene, 'Jiang Tao');
    const reason = '<at user_id="all">all</at> [here](https://evil.example) www.evil.example 1.2.3.4:80/x @all *b*';
    const headers = { authorization: `Bearer ${secret}` };
    const body = { open_id: person.openId, ...DOCS, reason };
    const answer = await scene.daemon.call('POST', '/v1/sessions', body, headers);
    assert.equal(answer.status, 201, answer.text);
    const { content } = await told(scene, person.openId, /asks to act as you/);
    for (const language of ['zh_cn', 'en_us'] as const) {
      const links = elementsOf(content, language).filter(({ tag }) => tag !== 'text');
      assert.deepEqual(
        links.map(({ href }) => new URL(href ?? '').origin),
        [scene.sim.baseUrl, scene.sim.baseUrl],
      );
      const words = linesOf(content, language).join('\n');
      assert.doesNotMatch(words, /[<>[\]*@]|:\/\/|evil\.example|1\.2\.3\.4/);
      assert.match(words, /evil．example/);
    }
  });

  it('is named to the group she was asked from, without link or reason', async () => {
    const person = newPerson(scene, 'Han Mei');
    const group = scene.sim.addGroup({ appIds: [scene.app.appId], members: [person.user] });
    await person.ask({ ...DOCS, reason: 'Very private', chat_id: group.chatId });
    const inGroup = () => scene.sim.messages().filter(({ chatId }) => chatId === group.chatId);
    await scene.sim.until(() => inGroup().length === 1);
    const notice = JSON.stringify(inGroup()[0]?.content);
    assert.match(notice, new RegExp(`<at user_id=\\\\"${person.openId}\\\\">`));
    assert.doesNotMatch(notice, /private|https?:|card|卡片/i);
  });

  it('cannot be written to: the session fails; an end that she cannot be told is given up', async () => {
    const deaf = newPerson(scene, 'Deaf');
    scene.sim.faults.add({ ...SEND, openId: deaf.openId, kind: 'code', code: 230053 });
    const answer = await scene.daemon.call('POST', '/v1/sessions', { open_id: deaf.openId, ...DOCS });
    const failed = await ended(scene, String(answer.body.session_id));
    assert.equal(failed.failure_reason, 'user_unreachable');
    const { link, person, sessionId } = await asked(scene, 'Stops the bot');
    scene.sim.faults.add({ ...SEND, openId: person.openId, kind: 'code', code: 230053 });
    assert.equal(scene.consent({ link, user: person.user }), 'ok');
    await scene.daemon.line('message.given_up', (line) => line['session_id'] === sessionId);
    assert.equal((await ended(scene, sessionId)).state, 'completed');
    assert.equal(sends(scene, person.openId), 2);
  });
});
