/**
 * A user who has authorized once stays authorized: what callers get, what Feishu sees, and that nothing but Feishu's final
 * word ends a grant (CONTRACT §5, ARCHITECTURE invariant 3, FAILURES area D).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generationAtFeishu, grant, readToken, refreshCalls, refreshNow, reuses, statusOf } from '../support/grants.js';
import { newScene } from '../support/scene.js';
import { eventually, newPerson, titleOf } from '../support/steps.js';

const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token' } as const;

describe('reading a token', { concurrency: 4 }, () => {
  it('refreshes first where too little life is left; fifty callers cause one call and get the same', async (t) => {
    const scene = await newScene(t);
    await grant(scene, { expiresIn: 1 });
    const slow = scene.sim.faults.add({ ...REFRESH, kind: 'delay', ms: 300 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const answers = await Promise.all(Array.from({ length: 50 }, () => readToken(scene)));
    slow.clear();
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    assert.equal(new Set(answers.map((answer) => answer.body.access_token)).size, 1);
    assert.ok(answers[0]?.body.expires_in > 7_000);
    assert.equal(refreshCalls(scene).length, 1);
    assert.equal(reuses(scene), 0);
    assert.equal(await statusOf(scene), 'active');
  });

  it('two daemons, both asked at once, again and again: one call each time', async (t) => {
    const scene = await newScene(t);
    const other = await scene.another();
    await grant(scene);
    const seen = new Set<string>();
    for (let round = 1; round <= 5; round += 1) {
      const before = await readToken(scene);
      const body = { if_expires_at: before.body.expires_at };
      const path = `/v1/users/${scene.openId}/token/refresh`;
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? scene.daemon : other).call('POST', path, body)),
      );
      for (const answer of answers) assert.equal(answer.status, 200, answer.text);
      const tokens = new Set(answers.map((answer) => String(answer.body.access_token)));
      assert.equal(tokens.size, 1, 'everybody gets the same');
      for (const token of tokens) seen.add(token);
      assert.equal(refreshCalls(scene).length, round);
    }
    assert.equal(seen.size, 5);
    assert.equal(reuses(scene), 0);
    assert.equal(generationAtFeishu(scene), 6);
  });

  it('survives whatever Feishu answers that is not final, and refreshes when Feishu is well', async (t) => {
    const scene = await newScene(t);
    const ofTheMoment = [
      { kind: 'code', code: 20050 },
      { kind: 'code', code: 20072 },
      { kind: 'code', code: 99991400 },
      { kind: 'status', status: 500, body: 'oops' },
      { kind: 'html', status: 502 },
      { kind: 'status', status: 429, body: {} },
      { kind: 'status', status: 200, body: '{"code":0,"acc' },
    ] as const;
    const forOperators = [
      { kind: 'code', code: 20010 },
      { kind: 'code', code: 20024 },
    ] as const;
    const survives = async (trouble: (typeof ofTheMoment | typeof forOperators)[number], needsOperator: boolean) => {
      const person = newPerson(scene, JSON.stringify(trouble));
      await grant(scene, { person, expiresIn: 1 });
      const fault = scene.sim.faults.add({ ...REFRESH, openId: person.openId, ...trouble });
      await new Promise((resolve) => setTimeout(resolve, 600));
      const answer = await readToken(scene, person.openId);
      assert.equal(answer.status, 503, `${JSON.stringify(trouble)}: ${answer.text}`);
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
      assert.notEqual(answer.body.next, 'ask');
      assert.equal(await statusOf(scene, person.openId), needsOperator ? 'suspended' : 'active');
      assert.equal(answer.body.next, needsOperator ? 'operator' : 'wait');
      fault.clear();
      // The pause that Feishu has asked for in some of these answers holds for everybody.
      await eventually(async () => (await refreshNow(scene, person.openId)).status === 200, 20_000);
      assert.equal(await statusOf(scene, person.openId), 'active');
    };
    await Promise.all(ofTheMoment.map((trouble) => survives(trouble, false)));
    // Not beside the others: a pause that one of them asks for would keep these from being said at all.
    await Promise.all(forOperators.map((trouble) => survives(trouble, true)));
    assert.equal(reuses(scene), 0);
  });

  it("asks the user again by itself when Feishu's word is final, once", async (t) => {
    const scene = await newScene(t);
    const { messageId } = await grant(scene, { expiresIn: 1 });
    scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20037 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const answer = await readToken(scene);
    assert.equal(answer.status, 409, answer.text);
    assert.equal(answer.body.code, 'reauthorization_required');
    const card = await scene.sim.until(() =>
      scene.sim.messagesTo(scene.openId).find((message) => message.messageId !== messageId),
    );
    assert.match(titleOf(card.content), /asks to act as you/);
    for (let i = 0; i < 3; i += 1) assert.equal((await readToken(scene)).status, 409);
    assert.equal(await statusOf(scene), 'reauthorization_required');
    assert.equal(refreshCalls(scene).length, 1);
    assert.equal(scene.sim.messagesTo(scene.openId).length, 2);
  });

  it('keeps a fresh pair in the spool while Redis takes none, and serves it', async (t) => {
    const scene = await newScene(t, { relay: true });
    await grant(scene);
    const hold = scene.sim.faults.add({ ...REFRESH, kind: 'hold', when: 'after' });
    const refreshed = refreshNow(scene);
    await eventually(async () => refreshCalls(scene).length === 1);
    scene.redis.freeze();
    hold.clear();
    const answer = await refreshed;
    assert.equal(answer.status, 200, answer.text);
    await scene.daemon.line('token.spooled');
    scene.redis.thaw();
    await eventually(async () => (await readToken(scene)).body.access_token === answer.body.access_token);
    const again = await refreshNow(scene);
    assert.equal(again.status, 200, again.text);
    assert.equal(reuses(scene), 0);
    assert.equal(generationAtFeishu(scene), 3);
  });
});
