/**
 * The authorization code grant, from outside: the card's button opens Feishu's page, her browser brings the code back,
 * and every error of FEISHU.md §6.1 and §6.2 that it can meet is told to her, to the session and to the operator.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { linkIn, openPage, type Page } from '../support/consents.js';
import { newScene, type Scene, type SceneOptions } from '../support/scene.js';
import { ended, linkOn, newPerson, type PersonInScene, titleOf } from '../support/steps.js';

const BY_CODE: SceneOptions = { way: { grant: 'authorization_code', clicks: 'long_connection' } };
const EXCHANGE = { on: 'api', api: 'token', grant: 'authorization_code' } as const;
const DOCS = { scopes: ['docx:document:readonly'] };

const titleOn = ({ text }: Page): string => /<title>([^<]*)<\/title>/.exec(text)?.[1] ?? '';

/** Consents and gives the page her browser ends on. */
async function comeBack(scene: Scene, link: string, person: PersonInScene): Promise<Page> {
  const before = (await scene.pages()).length;
  assert.equal(scene.consent({ link, user: person.user }), 'ok');
  const page = (await scene.pages())[before];
  assert.ok(page);
  return page;
}

/** A request to somebody new, with the link on its card. */
async function asked(scene: Scene, name: string, body: object = DOCS) {
  const person = newPerson(scene, name);
  const request = await person.ask({ ...body });
  return { person, ...request, link: linkOn(scene, request.messageId) };
}

/** For what needs no daemon of its own; one test after the other. */
let scene: Scene;
const closers: (() => Promise<void>)[] = [];
before(async () => {
  scene = await newScene({ after: (close) => closers.push(close as () => Promise<void>) }, BY_CODE);
});
after(async () => {
  for (const close of closers) await close();
});

describe('a consent by the authorization code grant', () => {
  it('needs no second press: the first card has the link, and a click that is lost does no harm', async () => {
    const { link, messageId, person, sessionId } = await asked(scene, 'Wang Fang');
    const page = await comeBack(scene, link, person);
    assert.deepEqual([page.status, titleOn(page).split(' · ')[1]], [200, 'Authorized: Docs Bot']);
    assert.equal((await ended(scene, sessionId)).state, 'completed');
    await scene.shows(messageId, 'Authorized');
    assert.equal(linkIn(scene.sim, scene.sim.message(messageId)?.content), undefined, 'no link remains');
    const token = await scene.daemon.call('GET', `/v1/users/${person.openId}/token`);
    assert.equal(token.status, 200, token.text);
  });

  it('has one link for the life of the session, which no press extends', async () => {
    const request = await asked(scene, 'Wang Fang', { ...DOCS, ttl_seconds: 60 });
    const { link, messageId, person, sessionId } = request;
    const before = await scene.session(sessionId);
    for (let press = 0; press < 2; press += 1) {
      const click = await person.click(request, 'authorize');
      assert.equal(click.errorCode, undefined, click.reason);
      await scene.shows(messageId, '"action":"agreed"');
    }
    assert.equal((await scene.session(sessionId))['expires_at'], before['expires_at']);
    assert.equal(linkOn(scene, messageId), link);
    assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
  });

  it('tells another account apart, and her own consent by the new link still counts', async () => {
    const { link, messageId, person, sessionId } = await asked(scene, 'Wang Fang');
    const other = newPerson(scene, 'Wang Wei');
    const page = await comeBack(scene, link, other);
    assert.match(titleOn(page), /That was not your account/);
    await scene.shows(messageId, 'That was not your account');
    assert.match(titleOn(await comeBack(scene, link, person)), /This link has been used/);
    const next = linkOn(scene, messageId);
    assert.notEqual(next, link);
    assert.match(titleOn(await comeBack(scene, next, person)), /Authorized/);
    assert.equal((await ended(scene, sessionId)).state, 'completed');
    assert.equal((await scene.daemon.call('GET', `/v1/users/${other.openId}/token`)).status, 404);
  });

  it('ends with her refusal on the page, which card and session tell', async () => {
    const { link, messageId, person, sessionId } = await asked(scene, 'Wang Fang');
    assert.equal(scene.deny({ link, user: person.user }), 'ok');
    const page = (await scene.pages()).at(-1);
    assert.ok(page !== undefined && /You declined/.test(titleOn(page)));
    assert.equal((await ended(scene, sessionId)).state, 'rejected');
    await scene.sim.until(() => /^You declined/.test(titleOf(scene.sim.message(messageId)?.content)));
  });
});

describe('a code that comes back', { concurrency: 2 }, () => {
  it('shows the same page when it is reloaded, in any process, without a second exchange', async (t) => {
    const scene = await newScene(t, BY_CODE);
    const { link, person, sessionId } = await asked(scene, 'Wang Fang');
    const { redirectTo = '' } = scene.sim.authorize({ url: link, user: person.user });
    const pages = await Promise.all([1, 2, 3].map(() => openPage(redirectTo)));
    await ended(scene, sessionId);
    const other = await scene.another();
    await scene.entrance?.leadTo(other);
    pages.push(await openPage(redirectTo));
    assert.deepEqual(
      pages.map(titleOn),
      pages.map(() => '已授权 Docs Bot · Authorized: Docs Bot'),
    );
    assert.equal(
      scene.sim.calls.filter(({ api, grant }) => api === 'token' && grant === 'authorization_code').length,
      1,
    );
  });

  it('sends the redirect URI byte for byte in both requests, and may come back to another process and host name', async (t) => {
    const redirectPath = '/SSO/callback/?from=%2Ffeishu%20x&b=1';
    const scene = await newScene(t, { ...BY_CODE, redirectPath });
    const { link, person, sessionId } = await asked(scene, 'Wang Fang');
    const other = await scene.another();
    await scene.entrance?.leadTo(other);
    const { redirectTo = '' } = scene.sim.authorize({ url: link, user: person.user });
    assert.ok(redirectTo.includes(redirectPath));
    const head = await fetch(redirectTo, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal((await scene.session(sessionId)).state, 'pending', 'a look at the address alone uses no code');
    const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    assert.match(titleOn(await openPage(redirectTo, forwarded)), /Authorized/);
    assert.equal((await ended(scene, sessionId)).state, 'completed');
  });

  it('survives a kill -9 between code and tokens: the code lies in Redis, sealed, and the page can be reloaded', async (t) => {
    const scene = await newScene(t, BY_CODE);
    const { link, person, sessionId } = await asked(scene, 'Wang Fang');
    scene.sim.faults.add({ ...EXCHANGE, kind: 'code', code: 20050 });
    const { redirectTo = '' } = scene.sim.authorize({ url: link, user: person.user });
    const lost = openPage(redirectTo);
    await scene.daemon.line('redirect.exchange_waits');
    scene.daemon.signal('SIGKILL');
    assert.equal((await lost).status, 0);
    scene.sim.faults.clear();
    const { daemon } = scene;
    await scene.use(await daemon.restart());
    assert.equal((await ended(scene, sessionId, 40)).state, 'completed');
    assert.match(titleOn(await openPage(redirectTo)), /Authorized/);
  });
});

describe("an error of Feishu's token endpoint", () => {
  const useless = [20003, 20004, 20024, 20049, 20065, 20071];
  for (const code of useless) {
    it(`${code} is about the code alone: the page says so, the session goes on, the same link still works`, async () => {
      const { link, person, sessionId } = await asked(scene, `User ${code}`);
      scene.sim.faults.add({ ...EXCHANGE, kind: 'code', code, times: 1 });
      const page = await comeBack(scene, link, person);
      assert.match(titleOn(page), /open the link once more/);
      assert.equal((await scene.session(sessionId)).state, 'authorizing');
      const line = await scene.daemon.line('redirect.code_useless', (one) => one['session_id'] === sessionId);
      assert.equal(line['feishu_code'], code);
      assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
      assert.equal((await ended(scene, sessionId)).state, 'completed');
    });
  }

  const final: readonly (readonly [number, string, string])[] = [
    [20001, 'internal_error', 'developer'],
    [20002, 'app_misconfigured', 'operator'],
    [20008, 'app_misconfigured', 'operator'],
    [20009, 'app_misconfigured', 'operator'],
    [20010, 'app_misconfigured', 'operator'],
    [20036, 'internal_error', 'developer'],
    [20048, 'app_misconfigured', 'operator'],
    [20063, 'internal_error', 'developer'],
    [20066, 'app_misconfigured', 'operator'],
    [20069, 'app_misconfigured', 'operator'],
    [20070, 'internal_error', 'developer'],
    [21001, 'app_misconfigured', 'operator'],
  ];
  for (const [code, reason, who] of final) {
    it(`${code} ends the session as ${reason}; page, session and log name the code and the remedy`, async () => {
      const { link, messageId, person, sessionId } = await asked(scene, `User ${code}`);
      scene.sim.faults.add({ ...EXCHANGE, kind: 'code', code, times: 1 });
      const page = await comeBack(scene, link, person);
      assert.match(titleOn(page), /did not finish/);
      assert.ok(page.text.includes(String(code)), 'the page names the code for support');
      const session = await ended(scene, sessionId);
      assert.deepEqual([session.state, session.failure_reason], ['failed', reason]);
      assert.deepEqual([session.failure_detail.feishu_code, session.failure_detail.for], [code, who]);
      const line = await scene.daemon.line('session.failed', (one) => one['session_id'] === sessionId);
      assert.ok(line['feishu_code'] === code && String(line['msg']).includes(session.failure_detail.remedy));
      await scene.shows(messageId, '"action":"restart"');
    });
  }

  const passing = [
    { kind: 'code', code: 20050 },
    { kind: 'code', code: 20072 },
    { kind: 'code', code: 99991400, resetSeconds: 1 },
    { kind: 'html' },
    { kind: 'reset' },
  ] as const;
  for (const trouble of passing) {
    it(`${JSON.stringify(trouble)} passes: the page waits, and shows the end`, async () => {
      const { link, person, sessionId } = await asked(scene, 'Zhang Min');
      scene.sim.faults.add({ ...EXCHANGE, ...trouble, times: 1 });
      assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
      assert.equal((await ended(scene, sessionId)).state, 'completed');
    });
  }

  it('an answer that is lost after Feishu has used the code up costs her one more consent, by the same link', async () => {
    const { link, person, sessionId } = await asked(scene, 'Zhao Lei');
    scene.sim.faults.add({ ...EXCHANGE, kind: 'reset', when: 'after', times: 1 });
    assert.match(titleOn(await comeBack(scene, link, person)), /open the link once more/);
    const line = await scene.daemon.line('redirect.code_useless', (one) => one['session_id'] === sessionId);
    assert.equal(line['feishu_code'], 20065);
    assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
  });

  it("errors of Feishu's own page never come back to us: she sees them there, the session stays as it is", async () => {
    const { link, person, sessionId } = await asked(scene, 'Sun Li', { scopes: ['mail:mail'] });
    scene.sim.changeApp(scene.app.appId, { enabledScopes: ['offline_access'] });
    assert.equal(scene.consent({ link, user: person.user }), '20027');
    scene.sim.changeApp(scene.app.appId, {
      enabledScopes: ['offline_access', 'mail:mail', ...DOCS.scopes],
      redirectUris: ['https://elsewhere.example/callback'],
    });
    assert.equal(scene.consent({ link, user: person.user }), '20029');
    assert.equal((await scene.session(sessionId)).state, 'pending');
    scene.sim.changeApp(scene.app.appId, { redirectUris: [scene.entrance?.redirectUri ?? ''] });
    assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
  });

  it('an error that Feishu sends to the redirect URI is shown with its remedy and changes nothing', async () => {
    const { link, person, sessionId } = await asked(scene, 'Qian Wei');
    const state = new URL(link).searchParams.get('state') ?? '';
    const page = await openPage(
      `${scene.entrance?.redirectUri}?${new URLSearchParams({ error: 'invalid_scope', state, error_description: 'x' })}`,
    );
    assert.match(titleOn(page), /did not let the authorization go on/);
    assert.equal((await scene.session(sessionId)).state, 'pending');
    await scene.daemon.line('redirect.refused', (line) => line['session_id'] === sessionId);
    assert.match(titleOn(await comeBack(scene, link, person)), /Authorized/);
  });
});
