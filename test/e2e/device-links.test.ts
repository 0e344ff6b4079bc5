/**
 * Links that die before their session, which only device codes do, and that take their time to be made: what card and
 * session say meanwhile (CONTRACT §3, §4; FEISHU.md §6.3).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { grant } from '../support/grants.js';
import { newScene } from '../support/scene.js';
import { askAndSettle, authorize, ended, eventually, patchesOf, shown, titleOf } from '../support/steps.js';

const A = 'docx:document:readonly';

describe('a device code', { concurrency: 1 }, () => {
  it('is asked for with the scopes given before as well, so that no consent narrows a grant', async (t) => {
    const scene = await newScene(t);
    await grant(scene, { scopes: ['docx:document:readonly'] });
    await grant(scene, { scopes: ['calendar:calendar'] });
    const asked = scene.sim.deviceCodes().map(({ scopes }) => [...scopes].sort());
    assert.deepEqual(asked[0], ['docx:document:readonly', 'offline_access']);
    assert.deepEqual(asked[1], ['calendar:calendar', 'docx:document:readonly', 'offline_access']);
  });
});

describe('a device code dies', { concurrency: 4 }, () => {
  it('near the end of a session a link extends it once to the life of the link, and no further', async (t) => {
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 8 } });
    const { sim } = scene;
    const asked = await scene.ask({ scopes: [A], ttl_seconds: 10 });
    const before = await scene.session(asked.sessionId);
    const endOf = (session: Readonly<Record<string, unknown>>) => Date.parse(String(session['expires_at']));
    await eventually(async () => Date.now() > endOf(before) - 6_000);
    const first = await authorize(scene, asked);
    const extended = endOf(await scene.session(asked.sessionId));
    const linkEnd = sim.deviceCodes()[0]?.expiresAt ?? 0;
    assert.ok(Math.abs(extended - linkEnd) < 2_500, `the session ends ${extended - linkEnd} ms after the link`);
    sim.expireDeviceCode(first);
    await scene.shows(asked.messageId, 'The link has expired');
    await authorize(scene, asked);
    assert.equal(endOf(await scene.session(asked.sessionId)), extended);
    const session = await ended(scene, asked.sessionId);
    assert.equal(session.state, 'expired');
    assert.ok(
      Date.parse(session.ended_at) - extended < 8_000,
      `ended ${Date.parse(session.ended_at) - extended} ms late`,
    );
    await scene.shows(asked.messageId, 'Request expired');
  });

  it('and a link that comes after that is not said to work for longer than its session', async (t) => {
    const scene = await newScene(t, { simulator: { deviceCodeLifeSeconds: 92 } });
    const { sim } = scene;
    const asked = await scene.ask({ scopes: [A], ttl_seconds: 10 });
    const first = await authorize(scene, asked);
    const shows = (text: string): boolean => JSON.stringify(sim.message(asked.messageId)?.content).includes(text);
    assert.ok(shows('**2 min**'));
    sim.expireDeviceCode(first);
    await scene.shows(asked.messageId, 'The link has expired');
    await eventually(async () => Date.now() > (sim.deviceCodes()[0]?.createdAt ?? 0) + 3_000);
    await authorize(scene, asked);
    assert.ok(shows('**1 min**'), JSON.stringify(sim.message(asked.messageId)?.content));
  });

  it('with a new link when the old one has died', async (t) => {
    const scene = await newScene(t);
    const { sim, user } = scene;
    const asked = await scene.ask({ scopes: [A] });
    const first = await authorize(scene, asked);
    sim.expireDeviceCode(first);
    await scene.shows(asked.messageId, 'The link has expired');
    assert.ok(!JSON.stringify(sim.message(asked.messageId)?.content).includes(first));
    const second = await authorize(scene, asked);
    assert.notEqual(second, first);
    scene.consent({ link: second, user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    await scene.shows(asked.messageId, 'Authorized');
    assert.equal(sim.messagesTo(scene.openId).length, 1);
  });

  it('one that Feishu applies after the ack of a later click does not bring a dead link back', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    const asked = await askAndSettle(scene, { scopes: [A] });
    // The link comes too late for the ack, so an update shows it; that one is answered 504 and applied 4 s later.
    sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'delay', ms: 1_500, times: 1 });
    sim.faults.add({ on: 'api', api: 'message.patch', kind: 'late', ms: 4_000, answer: 504, times: 1 });
    sim.faults.add({ on: 'api', api: 'message.patch', kind: 'status', status: 502, times: 1 });
    const toast = await scene.click(asked.messageId, 'authorize', asked.sessionId);
    // On a machine too busy to judge the click in time, it is the other one.
    assert.match(toast.toast?.i18n?.['en_us'] ?? '', /^(Preparing the link|Not possible right now)/);
    await sim.until(() => patchesOf(scene, asked.messageId).length === 1, 20_000, 'the update with the link');
    const decline = await scene.click(asked.messageId, 'decline', asked.sessionId);
    assert.match(titleOf(decline.card), /^You declined/);
    await sim.until(() => shown(scene, asked).startsWith('One step left'), 20_000, 'the late update');
    await sim.until(() => shown(scene, asked).startsWith('You declined'), 20_000, 'the end once more');
  });
});
