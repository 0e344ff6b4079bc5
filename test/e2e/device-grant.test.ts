/**
 * The device grant against a Feishu that answers oddly, late, wrongly or not at all, and the link it gives (RFC 8628,
 * FEISHU.md §6.2 and §6.3, FAILURES area C).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertShows } from '../support/acks.js';
import { type Asked, newScene } from '../support/scene.js';
import {
  authorize,
  ended,
  eventually,
  jobsOf,
  newPerson,
  type PersonInScene,
  type Trouble,
  titleOf,
} from '../support/steps.js';

const POLL = { on: 'api', api: 'token', grant: 'device_code' } as const;
const DOCS = { scopes: ['docx:document:readonly'] };

interface OddAnswer {
  name: string;
  set?: Record<string, unknown>;
  remove?: string[];
  /** What the card says about the life of the link. */
  minutes: string;
  /** Between the making of the link and the poll that brings the token, at least. */
  gapMs: number;
}

describe("Feishu's answers are odd", { concurrency: 4 }, () => {
  it('lifetimes and intervals may be missing, text or zero: the link is polled no faster than allowed', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const answers: OddAnswer[] = [
      { name: 'no expires_in', remove: ['expires_in'], minutes: '4 min', gapMs: 900 },
      { name: 'expires_in as text', set: { expires_in: '120' }, minutes: '2 min', gapMs: 900 },
      { name: 'expires_in zero', set: { expires_in: 0 }, minutes: '4 min', gapMs: 900 },
      { name: 'no interval', remove: ['interval'], minutes: '4 min', gapMs: 4_500 },
      { name: 'interval zero', set: { interval: 0 }, minutes: '4 min', gapMs: 4_500 },
      { name: 'interval as text', set: { interval: '2' }, minutes: '4 min', gapMs: 1_800 },
    ];
    const made: { answer: OddAnswer; asked: Asked; person: PersonInScene; userCode: string }[] = [];
    for (const answer of answers) {
      const { minutes, name, gapMs, ...rewrite } = answer;
      const person = newPerson(scene, name);
      const asked = await person.ask(DOCS);
      sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'rewrite', times: 1, ...rewrite });
      const userCode = await authorize(scene, asked, person);
      assert.ok(JSON.stringify(sim.message(asked.messageId)?.content).includes(minutes), name);
      made.push({ answer, asked, person, userCode });
    }
    await Promise.all(
      made.map(async ({ answer: { gapMs, name }, asked, person, userCode }) => {
        scene.consent({ link: userCode, user: person.user });
        assert.equal((await ended(scene, asked.sessionId)).state, 'completed', name);
        const { createdAt, lastPollAt = 0 } = sim.deviceCodes().find((code) => code.userCode === userCode) ?? {
          createdAt: 0,
        };
        assert.ok(lastPollAt - createdAt >= gapMs, `${name}: polled after ${lastPollAt - createdAt} ms`);
      }),
    );
  });

  it('slow_down adds five seconds each time and the link lives on', async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const asked = await scene.ask(DOCS);
    sim.faults.add({ ...POLL, kind: 'oauth_error', error: 'slow_down', code: 20095, times: 2 });
    scene.consent({ link: await authorize(scene, asked), user });
    assert.equal((await ended(scene, asked.sessionId, 30)).state, 'completed');
    const polls = sim.calls.filter(({ api }) => api === 'token').map(({ at }) => at);
    const [first = 0, second = 0, third = 0] = polls;
    assert.equal(polls.length, 3);
    assert.ok(second - first >= 5_800 && second - first < 10_000, `6 s, not ${second - first} ms`);
    assert.ok(third - second >= 10_500 && third - second < 15_000, `11 s, not ${third - second} ms`);
  });

  it('pending for ever: polls end with the link, the card offers a new one, no job is left', async (t) => {
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 3 } });
    const { sim } = scene;
    const asked = await scene.ask(DOCS);
    sim.faults.add({ ...POLL, kind: 'oauth_error', error: 'authorization_pending', code: 20094 });
    await authorize(scene, asked);
    const linkEnd = sim.deviceCodes()[0]?.expiresAt ?? 0;
    await scene.shows(asked.messageId, 'The link has expired');
    assert.equal((await scene.session(asked.sessionId)).state, 'authorizing');
    await eventually(async () => (await jobsOf(scene, 'device-poll')).length === 0);
    const polls = sim.calls.filter(({ api }) => api === 'token');
    assert.ok(polls.length >= 2, 'it was polled');
    for (const { at } of polls) assert.ok(at < linkEnd + 5_000, `a poll ${at - linkEnd} ms after the end of the link`);
  });

  it('pages, resets, limits, failures of the moment and answers nobody knows never end a link', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    const troubles: Trouble[] = [
      { kind: 'html', status: 200 },
      { kind: 'html', status: 502 },
      { kind: 'reset' },
      { kind: 'code', code: 20050 },
      { kind: 'code', code: 20072 },
      { kind: 'code', code: 99991400, resetSeconds: 1 },
      { kind: 'status', status: 400, body: { code: 987654, error: 'never_heard_of', error_description: 'x' } },
      { kind: 'status', status: 200, body: { code: 0, access_token: 17 } },
      { kind: 'status', status: 200, body: [] },
    ];
    const polls = (): number => sim.calls.filter(({ api }) => api === 'token').length;
    const before = polls();
    for (const trouble of troubles) sim.faults.add({ ...POLL, times: 1, ...trouble });
    scene.consent({ link: userCode, user });
    assert.equal((await ended(scene, asked.sessionId, 40)).state, 'completed');
    assert.equal(polls(), before + troubles.length + 1);
    assert.equal(sim.deviceCodes().length, 1);
    assert.deepEqual(
      daemon.lines.filter((line) => line['level'] === 'error' || line['level'] === 'fatal'),
      [],
    );
  });
});

describe('the app is not as it must be', { concurrency: 3 }, () => {
  it('the session fails at once with a remedy for the operator, and starts again when that is mended', async (t) => {
    const scene = await newScene(t, { enabledScopes: ['offline_access', 'docx:document:readonly'] });
    const { daemon, sim } = scene;
    const faults: { name: string; scopes?: string[]; fault?: Trouble; code: number | null; remedy: RegExp }[] = [
      { name: 'a scope that is not enabled', scopes: ['drive:drive'], code: null, remedy: /权限管理/ },
      { name: 'no such app', fault: { kind: 'code', code: 20048 }, code: 20048, remedy: /FEISHU_APP_ID/ },
      { name: 'wrong secret', fault: { kind: 'code', code: 20002 }, code: 20002, remedy: /FEISHU_APP_SECRET/ },
      { name: 'not installed', fault: { kind: 'code', code: 20009 }, code: 20009, remedy: /版本管理与发布/ },
      { name: 'disabled', fault: { kind: 'code', code: 20069 }, code: 20069, remedy: /Enable the app/ },
      {
        name: 'invalid_client without a code',
        fault: { kind: 'oauth_error', error: 'invalid_client', status: 401 },
        code: null,
        remedy: /FEISHU_APP_SECRET/,
      },
    ];
    const calls = (): number => sim.calls.filter(({ api }) => api === 'device_authorization').length;
    for (const { code, fault, name, remedy, scopes } of faults) {
      const person = newPerson(scene, name);
      const asked = await person.ask({ scopes: scopes ?? DOCS.scopes });
      const before = calls();
      if (fault !== undefined) sim.faults.add({ on: 'api', api: 'device_authorization', times: 1, ...fault });
      const click = await person.click(asked, 'authorize');
      await assertShows(scene, asked.messageId, click, 'did not finish');
      const session = await ended(scene, asked.sessionId);
      assert.deepEqual([session.state, session.failure_reason], ['failed', 'app_misconfigured'], name);
      assert.equal(session.failure_detail.feishu_code, code, name);
      assert.equal(session.failure_detail.for, 'operator', name);
      assert.match(session.failure_detail.remedy, remedy, name);
      const line = await daemon.line('session.failed', (seen) => seen['session_id'] === asked.sessionId);
      assert.deepEqual(line['scopes'], ['offline_access', ...(scopes ?? DOCS.scopes)], name);
      assert.equal(calls(), before + 1, `${name}: no retry`);
      if (fault === undefined) continue;
      const restart = await person.click(asked, 'restart');
      await assertShows(scene, asked.messageId, restart, '"action":"agreed"');
    }
  });

  it('found out while waiting for consent: the session fails with the code and the card has no link', async (t) => {
    const scene = await newScene(t);
    const { app, sim } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    sim.changeApp(app.appId, { disabled: true });
    const session = await ended(scene, asked.sessionId);
    assert.deepEqual([session.state, session.failure_reason], ['failed', 'app_misconfigured']);
    assert.equal(session.failure_detail.feishu_code, 20069);
    sim.changeApp(app.appId, { disabled: false });
    await scene.shows(asked.messageId, 'did not finish');
    assert.ok(!JSON.stringify(sim.message(asked.messageId)?.content).includes(userCode));
  });

  it('a busy authorization server is asked again, and the link still comes', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const asked = await scene.ask(DOCS);
    const troubles: Trouble[] = [
      { kind: 'html', status: 502 },
      { kind: 'code', code: 20050 },
      { kind: 'code', code: 99991400, resetSeconds: 1 },
      { kind: 'status', status: 200, body: { user_code: 'AAAA-BBBB' } },
    ];
    for (const trouble of troubles) {
      sim.faults.add({ on: 'api', api: 'device_authorization', times: 1, ...trouble });
    }
    const click = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    assert.equal(click.errorCode, undefined, click.reason);
    // On a machine too busy to judge the click in time, it is the other one.
    assert.match(click.toast?.i18n?.['en_us'] ?? '', /^(Preparing the link|Not possible right now)/);
    await scene.shows(asked.messageId, 'One step left', 20_000);
    assert.equal(sim.deviceCodes().length, 1);
    assert.deepEqual(
      daemon.lines.filter((line) => line.event === 'session.failed'),
      [],
    );
  });
});

describe('the link', { concurrency: 3 }, () => {
  it('reaches the card byte by byte, however odd its characters, and opens inside the client', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const odd = [
      'https://accounts.feishu.cn/oauth/v1/device/verify?user_code=AB%2FCD+EF&tenant=1%3D%26&x=#frag/ment?y',
      "https://accounts.feishu.cn/a/c_d_*e*~f~/[g]?q='%22!$,;:@|{}",
      'https://accounts.feishu.cn/oauth/v1/device/verify?flow_id=%E4%B8%AD&user_code=%2B%20%25',
    ];
    for (const link of odd) {
      const person = newPerson(scene, link);
      const asked = await person.ask(DOCS);
      const set = { verification_uri_complete: link };
      sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'rewrite', times: 1, set });
      const userCode = await authorize(scene, asked, person);
      const texts = stringsIn(sim.message(asked.messageId)?.content);
      assert.ok(texts.includes(userCode), 'the code stands alone, to be compared');
      const applink = texts.find((text) => text.startsWith(`${sim.baseUrl}/client/web_url/open?`)) ?? '';
      assert.equal(new URL(applink).searchParams.get('url'), link);
      assert.ok(
        texts.some((text) => text.includes(`](${link})`)),
        `no plain link in ${JSON.stringify(texts)}`,
      );
    }
  });

  it('falls back to the page without the code, which the card shows beside it', async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const remove = ['verification_uri_complete'];
    sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'rewrite', times: 1, remove });
    const userCode = await authorize(scene, asked);
    const texts = stringsIn(sim.message(asked.messageId)?.content);
    assert.ok(texts.some((text) => text.includes(`](${sim.baseUrl}/oauth/v1/device/verify)`)));
    scene.consent({ link: userCode, user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
  });

  it('"I have agreed", pressed too early and too often, does not make her wait longer', async (t) => {
    const scene = await newScene(t, { simulator: { deviceIntervalSeconds: 5 } });
    const { sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    for (let i = 0; i < 4; i += 1) {
      const early = await scene.click(asked.messageId, 'agreed', asked.sessionId);
      assert.equal(early.errorCode, undefined, early.reason);
      assert.equal(early.toast?.i18n?.['en_us'], 'We have not seen your consent yet and keep looking');
    }
    scene.consent({ link: userCode, user });
    const agreedAt = Date.now();
    assert.equal((await ended(scene, asked.sessionId, 30)).state, 'completed');
    assert.ok(Date.now() - agreedAt < 9_500, `it took ${Date.now() - agreedAt} ms`);
    assert.deepEqual(
      sim.calls.filter(({ error }) => error === 'slow_down'),
      [],
    );
  });

  it('"I have agreed" after consent turns the card by its own ack', async (t) => {
    const scene = await newScene(t, { simulator: { deviceIntervalSeconds: 30 } });
    const { user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    scene.consent({ link: userCode, user });
    const click = await scene.click(asked.messageId, 'agreed', asked.sessionId);
    assert.match(titleOf(click.card), /^Authorized/);
    assert.equal((await scene.session(asked.sessionId)).state, 'completed');
  });

  it('that ended while the poll for it was under way still brings its token, whatever user_info does', async (t) => {
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 3 } });
    const { openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const first = await authorize(scene, asked);
    sim.faults.add({ on: 'api', api: 'user_info', openId, kind: 'status', status: 500, times: 2 });
    const issued = sim.waitFor('token');
    const held = sim.faults.add({ ...POLL, userCode: first, kind: 'hold', when: 'after', times: 1 });
    scene.consent({ link: first, user });
    await issued;
    await eventually(async () => Date.now() > (sim.deviceCodes()[0]?.expiresAt ?? 0) + 50);
    const second = await authorize(scene, asked);
    assert.notEqual(second, first);
    held.release();
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
  });
});

/** Every text in a card. */
function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
