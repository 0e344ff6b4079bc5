/**
 * What can come of a consent: another account, nobody who says whose it is, a refusal, less than was asked (CONTRACT §3,
 * FEISHU.md §6.2 to §6.4, FAILURES area C).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertShows } from '../support/acks.js';
import { tokenCall } from '../support/either-grant.js';
import { newScene } from '../support/scene.js';
import {
  assertNoToken,
  authorize,
  ended,
  eventually,
  jobsOf,
  linkOn,
  newPerson,
  type Trouble,
  titleOf,
} from '../support/steps.js';

const DOCS = { scopes: ['docx:document:readonly'] };

describe('another account consents', { concurrency: 2 }, () => {
  it('leaves no trace of its token, offers a new link, and her own consent still counts', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const other = newPerson(scene, 'Wang Wei');
    const asked = await scene.ask(DOCS);
    const first = await authorize(scene, asked);
    assert.equal(scene.consent({ link: first, user: other.user }), 'ok');
    await scene.shows(asked.messageId, 'That was not your account');
    assert.equal((await scene.session(asked.sessionId)).state, 'authorizing');
    await assertNoToken(scene, [openId, other.openId]);
    assert.ok(!JSON.stringify(sim.message(asked.messageId)?.content).includes(first), 'the dead link is gone');

    const second = await authorize(scene, asked);
    assert.notEqual(second, first);
    scene.consent({ link: second, user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    const token = await daemon.call('GET', `/v1/users/${openId}/token`);
    assert.equal(sim.accessTokens().find((known) => known.token === token.body.access_token)?.openId, openId);
    assert.equal((await daemon.call('GET', `/v1/users/${other.openId}/token`)).status, 404);
  });

  it('ends the session the third time; the restart button begins a new one on the same message', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const other = newPerson(scene, 'Wang Wei');
    const asked = await scene.ask(DOCS);
    for (const title of [
      'That was not your account',
      'That was not your account',
      'Ended: the account never matched',
    ]) {
      const code = await authorize(scene, asked);
      scene.consent({ link: code, user: other.user });
      await sim.until(() => titleOf(sim.message(asked.messageId)?.content) === title, 20_000, title);
    }
    const failed = await ended(scene, asked.sessionId);
    assert.deepEqual([failed.state, failed.failure_reason], ['failed', 'identity_mismatch']);
    assert.equal(failed.failure_detail.for, 'user');
    await assertNoToken(scene, [openId, other.openId]);

    const restart = await scene.click(asked.messageId, 'restart', asked.sessionId);
    await assertShows(scene, asked.messageId, restart, '"action":"agreed"');
    const next = String((await scene.session(asked.sessionId))['next_session_id']);
    scene.consent({ link: linkOn(scene, asked.messageId), user });
    assert.equal((await ended(scene, next)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(sim.messagesTo(openId).length, 1);
    assert.equal((await scene.session(asked.sessionId)).state, 'failed');
  });
});

describe('user_info cannot be had', { concurrency: 3 }, () => {
  it('for a while: the card says so, no token is served, and the grant comes as soon as it can', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    const troubles: Record<string, Trouble> = {
      'HTTP 500': { kind: 'status', status: 500 },
      'no answer': { kind: 'hang' },
      'a page': { kind: 'html' },
      'a reset': { kind: 'reset' },
      '20050': { kind: 'code', code: 20050 },
      'a rate limit': { kind: 'code', code: 99991400, resetSeconds: 1 },
      'no open_id': { kind: 'rewrite', remove: ['data.open_id'] },
    };
    await Promise.all(
      Object.entries(troubles).map(async ([name, trouble]) => {
        const person = newPerson(scene, name);
        const broken = sim.faults.add({ on: 'api', api: 'user_info', openId: person.openId, ...trouble });
        const asked = await person.ask(DOCS);
        const userCode = await authorize(scene, asked, person);
        scene.consent({ link: userCode, user: person.user });
        await scene.shows(asked.messageId, 'Checking your authorization');
        const early = await daemon.call('GET', `/v1/users/${person.openId}/token`);
        assert.equal(early.status, 404, `${name}: ${early.text}`);
        broken.clear();
        assert.equal((await ended(scene, asked.sessionId, 30)).state, 'completed', name);
        await scene.shows(asked.messageId, 'Authorized');
        assert.equal((await daemon.call('GET', `/v1/users/${person.openId}/token`)).status, 200);
      }),
    );
  });

  it('until after the time of the session: expiry cannot win any more', async (t) => {
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 5 } });
    const { daemon, openId, sim, user } = scene;
    const asked = await scene.ask({ ...DOCS, ttl_seconds: 10 });
    const trouble = sim.faults.add({ on: 'api', api: 'user_info', kind: 'status', status: 502 });
    scene.consent({ link: await authorize(scene, asked), user });
    await scene.shows(asked.messageId, 'Checking your authorization');
    const expiresAt = Date.parse(String((await scene.session(asked.sessionId))['expires_at']));
    const seconds = Math.ceil((expiresAt - Date.now()) / 1000) + 1;
    const waiting = await daemon.call('GET', `/v1/sessions/${asked.sessionId}?wait_seconds=${seconds}`);
    assert.equal(waiting.body.state, 'authorizing');
    assert.equal((await daemon.call('GET', `/v1/users/${openId}`)).body.status, 'none');
    assert.match(titleOf((await scene.click(asked.messageId, 'authorize', asked.sessionId)).card), /^Checking/);
    trouble.clear();
    assert.equal((await ended(scene, asked.sessionId, 30)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
  });

  it('for her at all, because her account has gone: the session fails and its token is dropped', async (t) => {
    const scene = await newScene(t);
    const { openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    sim.faults.add({ on: 'api', api: 'user_info', kind: 'code', code: 20021 });
    scene.consent({ link: await authorize(scene, asked), user });
    const failed = await ended(scene, asked.sessionId);
    assert.deepEqual([failed.state, failed.failure_reason], ['failed', 'upstream_error']);
    assert.equal(failed.failure_detail.feishu_code, 20021);
    await assertNoToken(scene, [openId]);
  });
});

describe('she declines', { concurrency: 3 }, () => {
  it('on the card: the ack shows it, nobody asks Feishu any more, a later consent brings nothing', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    const decline = await scene.click(asked.messageId, 'decline', asked.sessionId);
    assert.match(titleOf(decline.card), /^You declined/);
    assert.equal(decline.toast?.i18n?.['en_us'], 'Declined, nothing new was authorized');
    const session = await ended(scene, asked.sessionId);
    assert.deepEqual([session.state, session.failure_reason], ['rejected', null]);

    scene.consent({ link: userCode, user });
    const polls = sim.calls.filter(({ api }) => api === 'token').length;
    await eventually(async () => (await jobsOf(scene, 'device-poll')).length === 0);
    assert.equal(sim.calls.filter(({ api }) => api === 'token').length, polls);
    assert.equal((await daemon.call('GET', `/v1/users/${openId}`)).body.status, 'none');
  });

  it("on Feishu's page: the card shows it by itself", async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    assert.equal(scene.deny({ link: userCode, user }), 'ok');
    assert.equal((await ended(scene, asked.sessionId)).state, 'rejected');
    await scene.shows(asked.messageId, 'You declined');
    assert.ok(!JSON.stringify(sim.message(asked.messageId)?.content).includes(userCode));
  });

  it('while the call that brings the token is on its way: the token is dropped', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    const userCode = await authorize(scene, asked);
    const issued = sim.waitFor('token');
    const held = sim.faults.add({ ...tokenCall(scene), kind: 'hold', when: 'after', times: 1 });
    scene.consent({ link: userCode, user });
    await issued;
    const decline = await scene.click(asked.messageId, 'decline', asked.sessionId);
    assert.match(titleOf(decline.card), /^You declined/);
    held.release();
    await daemon.line('token.discarded', (line) => line['session_id'] === asked.sessionId);
    assert.equal((await scene.session(asked.sessionId)).state, 'rejected');
    await assertNoToken(scene, [openId]);
    assert.match(titleOf(sim.message(asked.messageId)?.content), /^You declined/);
  });
});

describe('she agrees to less, or Feishu gives less', { concurrency: 3 }, () => {
  it('with scopes missing the session fails, what she did give is kept, the card names the rest', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, user } = scene;
    const asked = await scene.ask({ scopes: ['docx:document:readonly', 'no:such:scope'] });
    const userCode = await authorize(scene, asked);
    scene.consent({ link: userCode, user, scopes: ['docx:document:readonly', 'offline_access'] });
    const session = await ended(scene, asked.sessionId);
    assert.deepEqual([session.state, session.failure_reason], ['failed', 'insufficient_scope']);
    assert.deepEqual(session.missing_scopes, ['no:such:scope']);
    assert.deepEqual([...session.granted_scopes].sort(), ['docx:document:readonly', 'offline_access']);
    await scene.shows(asked.messageId, 'Some permissions are missing');
    await scene.shows(asked.messageId, 'no:such:scope');

    const token = await daemon.call('GET', `/v1/users/${openId}/token?scopes=docx:document:readonly`);
    assert.equal(token.status, 200, token.text);
    const refused = await daemon.call('GET', `/v1/users/${openId}/token?scopes=no:such:scope`);
    assert.deepEqual([refused.status, refused.body.code], [403, 'insufficient_scope']);
    assert.deepEqual(refused.body.missing_scopes, ['no:such:scope']);
  });

  it('without a refresh token the grant works, says that it cannot be renewed, and the log says why', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    sim.faults.add({ ...tokenCall(scene), kind: 'rewrite', remove: ['refresh_token', 'refresh_token_expires_in'] });
    scene.consent({ link: await authorize(scene, asked), user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    const status = (await daemon.call('GET', `/v1/users/${openId}`)).body;
    assert.deepEqual([status.status, status.renewable, status.refresh_expires_at], ['active', false, null]);
    const warning = await daemon.line('grant.not_renewable');
    assert.equal(warning['level'], 'warn');
    assert.match(String(warning['msg']), /刷新 user_access_token/);
  });

  it('an answer without a lifetime gives tokens with the usual one, not with none', async (t) => {
    const scene = await newScene(t);
    const { daemon, openId, sim, user } = scene;
    const asked = await scene.ask(DOCS);
    sim.faults.add({
      ...tokenCall(scene),
      kind: 'rewrite',
      remove: ['expires_in', 'refresh_token_expires_in', 'code'],
    });
    scene.consent({ link: await authorize(scene, asked), user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    const token = (await daemon.call('GET', `/v1/users/${openId}/token`)).body;
    assert.ok(token.expires_in > 7_000 && token.expires_in <= 7_200, JSON.stringify(token));
    assert.equal((await daemon.call('GET', `/v1/users/${openId}`)).body.renewable, true);
  });
});
