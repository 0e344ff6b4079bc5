/** What must not end a grant, what must, and what becomes of scopes (ARCHITECTURE invariant 3, FAILURES area D). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TokenSet } from '../../src/domain/token-set.js';
import { tokenCall } from '../support/either-grant.js';
import {
  generationAtFeishu,
  grant,
  readToken,
  refreshCalls,
  refreshNow,
  reuses,
  rewriteGrant,
  statusOf,
} from '../support/grants.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize, ended, eventually, newPerson } from '../support/steps.js';

const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token' } as const;
const SHIFTED_CLOCK = fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url));

const dueOf = (scene: Scene, openId = scene.openId) =>
  scene.redis.client.zscore(`authd:{${scene.app.appId}}:due`, openId);

/** Makes a grant due at once, as if its time had come. */
const makeDue = (scene: Scene, openId = scene.openId) =>
  scene.redis.client.zadd(`authd:{${scene.app.appId}}:due`, 1, openId);

const lifeLeft = async (scene: Scene, openId?: string): Promise<number> =>
  Number((await readToken(scene, openId)).body.expires_in ?? 0);

describe('a grant is not ended', { concurrency: 3 }, () => {
  it('by a fault of the app: all refreshes of the app pause, one alarm, then all go on', async (t) => {
    const scene = await newScene(t);
    const people = Array.from({ length: 12 }, (_, i) => newPerson(scene, `Person ${i}`));
    await Promise.all(people.map((person) => grant(scene, { person })));
    const fault = scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20002 });
    for (const { openId } of people) await scene.redis.client.hset(stateKey(scene, openId), 'used_at', Date.now());
    const reads = await Promise.all(people.map(({ openId }) => refreshNow(scene, openId)));
    assert.ok(reads.every(({ status }) => status === 502 || status === 503));
    const during = refreshCalls(scene).length;
    await Promise.all(people.map(({ openId }) => makeDue(scene, openId)));
    await eventually(async () => Number(await dueOf(scene, people[11]?.openId)) > Date.now());
    assert.ok(refreshCalls(scene).length <= during + 1, 'whoever is not forced asks nothing more');
    const alarms = scene.daemon.lines.filter(
      ({ event, level }) => event === 'token.refresh_halted' && level === 'error',
    );
    assert.equal(alarms.length, 1);
    fault.clear();
    for (const { openId } of people) {
      assert.equal((await refreshNow(scene, openId)).status, 200);
      assert.equal(await statusOf(scene, openId), 'active');
    }
    assert.equal(reuses(scene), 0);
    for (const { openId } of people) assert.equal(scene.sim.messagesTo(openId).length, 1, 'nobody was asked again');
  });

  it('by a wrong clock of this host, in either direction', async (t) => {
    const scene = await newScene(t);
    await grant(scene);
    for (const shift of [9 * 86_400_000, -86_400_000]) {
      const shifted = await scene.another({
        NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`,
        CLOCK_SHIFT_MS: String(shift),
      });
      const read = await shifted.call('GET', `/v1/users/${scene.openId}/token`);
      assert.equal(read.status, 200, read.text);
      assert.ok(read.body.expires_in > 7_000, String(read.body.expires_in));
      const again = await shifted.call('POST', `/v1/users/${scene.openId}/token/refresh`, {});
      assert.equal(again.status, 200, again.text);
      assert.ok(again.body.expires_in > 7_100 && again.body.expires_in <= 7_200, String(again.body.expires_in));
      await shifted.close();
    }
    assert.equal(await statusOf(scene), 'active');
    assert.equal(generationAtFeishu(scene), 3);
    assert.equal(scene.sim.messagesTo(scene.openId).length, 1);
  });

  it('by a late answer to an older one: what a new consent brought stays', async (t) => {
    for (const late of ['tokens', 'refusal'] as const) {
      const scene = await newScene(t);
      await grant(scene);
      const when = late === 'tokens' ? 'after' : 'before';
      const hold = scene.sim.faults.add({ ...REFRESH, kind: 'hold', when, times: 1 });
      if (late === 'refusal') scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20064, when: 'after', times: 1 });
      const refreshing = refreshNow(scene);
      await eventually(async () => refreshCalls(scene).length === 1);
      await grant(scene, { scopes: ['docx:document:readonly', 'calendar:calendar'] });
      const fresh = (await readToken(scene)).body.access_token;
      hold.clear();
      await refreshing;
      const now = await readToken(scene);
      assert.equal(now.status, 200, now.text);
      assert.equal(now.body.access_token, fresh, late);
      assert.equal(await statusOf(scene), 'active');
      await scene.close();
    }
  });

  it('by a late refusal, of which whoever had asked for the refresh is not told: she gets what the consent brought', async (t) => {
    const scene = await newScene(t);
    await grant(scene);
    const hold = scene.sim.faults.add({ ...REFRESH, kind: 'hold', times: 1 });
    scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20050, when: 'after', times: 1 });
    const refreshing = refreshNow(scene);
    await eventually(async () => refreshCalls(scene).length === 1);
    await grant(scene, { scopes: ['docx:document:readonly', 'calendar:calendar'] });
    hold.clear();
    const answer = await refreshing;
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.access_token, (await readToken(scene)).body.access_token);
  });

  it('while somebody else holds the lease: callers wait for a bounded time, nobody goes ahead without it', async (t) => {
    const scene = await newScene(t);
    await grant(scene, { expiresIn: 1 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const until = Date.now() + 3_000;
    await scene.redis.client.hset(stateKey(scene), { lease: 'somebody', lease_until: until });
    const answers = await Promise.all(Array.from({ length: 10 }, () => readToken(scene)));
    assert.ok(Date.now() >= until);
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    assert.equal(refreshCalls(scene).length, 1);
    assert.ok((refreshCalls(scene)[0]?.at ?? 0) >= until);
  });

  it('by an answer without a new refresh token: the old one stands', async (t) => {
    const scene = await newScene(t);
    await grant(scene);
    for (const odd of [{ remove: ['refresh_token'] }, { set: { refresh_token: '' } }]) {
      // Feishu has made a new one all the same: the next refresh shows that the old one was kept and sent.
      const fault = scene.sim.faults.add({ ...REFRESH, kind: 'rewrite', times: 1, set: {}, ...odd });
      assert.equal((await refreshNow(scene)).status, 200);
      fault.clear();
      const status = await scene.daemon.call('GET', `/v1/users/${scene.openId}`);
      assert.deepEqual([status.body.status, status.body.renewable], ['active', true]);
      const next = await refreshNow(scene);
      assert.equal(next.status, 502, 'used once already, as the simulator counts');
      assert.equal(next.body.feishu_code, 20073);
      await grant(scene);
    }
  });
});

describe('a mass of ends', () => {
  it('is not believed: some users are asked, the others keep their grants, and it is said', async (t) => {
    const scene = await newScene(t);
    const people = Array.from({ length: 8 }, (_, i) => newPerson(scene, `Person ${i}`));
    await Promise.all(people.map((person) => grant(scene, { person })));
    const fault = scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20026 });
    for (const { openId } of people) await refreshNow(scene, openId);
    await scene.daemon.line('grant.mass_loss');
    const statuses = await Promise.all(people.map(({ openId }) => statusOf(scene, openId)));
    assert.deepEqual(statuses, [...Array(5).fill('reauthorization_required'), ...Array(3).fill('suspended')]);
    fault.clear();
    for (const { openId } of people.slice(5)) assert.equal((await refreshNow(scene, openId)).status, 200);
  });
});

describe('other writes and odd answers', { concurrency: 2 }, () => {
  it('clicks and reads while a refresh is under way neither disturb it nor are disturbed', async (t) => {
    const scene = await newScene(t);
    const { messageId } = await grant(scene);
    const [session] = (await scene.daemon.call('GET', `/v1/sessions?open_id=${scene.openId}`)).body.sessions;
    for (let cycle = 1; cycle <= 3; cycle += 1) {
      const hold = scene.sim.faults.add({ ...REFRESH, kind: 'hold', when: 'after', times: 1 });
      const refreshing = refreshNow(scene);
      await scene.sim.until(() => hold.fired > 0);
      const others = await Promise.all([
        ...Array.from({ length: 10 }, () => readToken(scene)),
        ...Array.from({ length: 10 }, () => scene.click(messageId, 'agreed', session.session_id)),
      ]);
      assert.equal(others.length, 20);
      hold.clear();
      assert.equal((await refreshing).status, 200);
      assert.equal(generationAtFeishu(scene), cycle + 1);
      assert.ok(await scene.redis.client.hget(stateKey(scene), 'used_at'), 'the use was noted, too');
    }
    assert.equal(reuses(scene), 0);
  });

  it('lifetimes that are missing, text, zero or absurd give a finite schedule and no loop', async (t) => {
    const scene = await newScene(t, { env: { TOKEN_REFRESH_POLICY: 'always' } });
    const odd: readonly { set?: Record<string, unknown>; remove?: string[] }[] = [
      { remove: ['expires_in'] },
      { set: { expires_in: '7200' } },
      { set: { expires_in: 0 } },
      { set: { expires_in: 30 } },
      { set: { expires_in: 1e9 } },
      { remove: ['refresh_token_expires_in'] },
    ];
    const people = odd.map((_, i) => newPerson(scene, `Person ${i}`));
    await Promise.all(people.map((person, i) => grant(scene, { person, ...odd[i] })));
    for (const { openId } of people) {
      const due = Number(await dueOf(scene, openId));
      assert.ok(due > Date.now() + 15_000 && due < Date.now() + 31 * 86_400_000, `${openId}: ${due - Date.now()}`);
    }
    assert.equal(refreshCalls(scene).length, 0);
  });
});

describe('the schedule', { concurrency: 3 }, () => {
  it('keeps a used grant fresh and leaves an idle one alone, until its refresh token is about to die', async (t) => {
    const scene = await newScene(t, { simulator: { refreshTokenLifeSeconds: 8 } });
    const idle = newPerson(scene, 'Idle');
    await grant(scene);
    await grant(scene, { person: idle });
    await eventually(async () => refreshCalls(scene, idle.openId).length >= 2);
    const [first = 0, second = 0] = refreshCalls(scene, idle.openId).map(({ at }) => at);
    assert.ok(second - first > 2_500, `${second - first} ms: no faster than half a life each`);
    assert.equal(await statusOf(scene, idle.openId), 'active');
    assert.equal(reuses(scene), 0);
  });

  it('refreshes a used token in the background before it ends, and leaves an idle one alone', async (t) => {
    const scene = await newScene(t);
    const idle = newPerson(scene, 'Idle');
    await grant(scene);
    await grant(scene, { person: idle });
    const first = await readToken(scene);
    await eventually(() => scene.redis.client.hget(stateKey(scene), 'used_at'));
    for (const openId of [scene.openId, idle.openId]) {
      // As if it had been given nearly two hours ago.
      const aged = (tokens: TokenSet): TokenSet => ({ ...tokens, expiresAt: Date.now() + 300_000 });
      await rewriteGrant(scene, (stored) => ({ ...stored, tokens: aged(stored.tokens) }), openId);
      await makeDue(scene, openId);
    }
    await scene.daemon.line('token.refreshed');
    await eventually(async () => Number(await dueOf(scene, idle.openId)) > Date.now() + 86_400_000);
    assert.deepEqual([refreshCalls(scene).length, refreshCalls(scene, idle.openId).length], [1, 0]);
    assert.notEqual((await readToken(scene)).body.access_token, first.body.access_token);
  });
});

describe('before a consent ends for good', { concurrency: 2 }, () => {
  /** A zone in which it is that hour now. */
  const zoneAt = (hour: number): string => {
    const east = ((hour - new Date().getUTCHours() + 36) % 24) - 12;
    return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
  };
  const nearEnd = async (scene: Scene): Promise<void> => {
    await grant(scene);
    await readToken(scene);
    await eventually(() => scene.redis.client.hget(stateKey(scene), 'used_at'));
    await rewriteGrant(scene, (stored) => ({ ...stored, authorizedAt: Date.now() - 360 * 86_400_000 }));
    await makeDue(scene);
  };

  it('the user is asked in good time, by day, once; her grant works all the same', async (t) => {
    const scene = await newScene(t, { env: { CARD_TIMEZONE: zoneAt(12) } });
    await nearEnd(scene);
    const line = await scene.daemon.line('grant.asked_again');
    const session = await scene.session(String(line['session_id']));
    const life = Date.parse(String(session['expires_at'])) - Date.parse(String(session['created_at']));
    assert.equal(life, 86_400_000);
    await scene.sim.until(() => scene.sim.messagesTo(scene.openId).length === 2);
    await makeDue(scene);
    await eventually(async () => Number(await dueOf(scene)) > Date.now());
    assert.equal((await readToken(scene)).status, 200);
    assert.equal(scene.daemon.lines.filter(({ event }) => event === 'grant.asked_again').length, 1);
    assert.equal(scene.sim.messagesTo(scene.openId).length, 2);
  });

  it('nobody is disturbed at night', async (t) => {
    const scene = await newScene(t, { env: { CARD_TIMEZONE: zoneAt(22) } });
    await nearEnd(scene);
    const due = await eventually(async () => {
      const at = Number(await dueOf(scene));
      return at > Date.now() + 60_000 && at;
    });
    assert.ok(due < Date.now() + 12 * 3_600_000, 'looked at again in the morning at the latest');
    assert.equal(scene.sim.messagesTo(scene.openId).length, 1);
  });
});

describe('a user who has left', () => {
  it('is not asked, and her tokens go', async (t) => {
    const scene = await newScene(t);
    await grant(scene);
    scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20066 });
    assert.equal((await refreshNow(scene)).status, 409);
    assert.equal(await statusOf(scene), 'revoked');
    assert.equal(await scene.redis.client.exists(`authd:{${scene.app.appId}}:grant:${scene.openId}`), 0);
    assert.equal(await dueOf(scene), null);
    assert.equal((await readToken(scene)).status, 409);
    assert.equal(refreshCalls(scene).length, 1);
    assert.equal(scene.sim.messagesTo(scene.openId).length, 1, 'only the card she was asked with');
  });
});

describe('scopes', { concurrency: 2 }, () => {
  it('given before stay when a new consent brings others', async (t) => {
    const scene = await newScene(t);
    await grant(scene, { scopes: ['docx:document:readonly'] });
    await grant(scene, { scopes: ['calendar:calendar'] });
    const both = await readToken(scene, scene.openId, '?scopes=docx:document:readonly,calendar:calendar');
    assert.equal(both.status, 200, both.text);
  });

  it('that a new consent lacks are still served by the former token until it ends, and that is said', async (t) => {
    const scene = await newScene(t);
    await grant(scene, { scopes: ['docx:document:readonly', 'calendar:calendar'] });
    const wide = (await readToken(scene)).body.access_token;
    const asked = await scene.ask({ scopes: ['docx:document:readonly'], force: true });
    const link = await authorize(scene, asked);
    const narrow = scene.sim.faults.add({
      ...tokenCall(scene, { link, openId: scene.openId }),
      kind: 'rewrite',
      set: { scope: 'docx:document:readonly offline_access' },
    });
    scene.consent({ link, user: scene.user });
    assert.equal((await ended(scene, asked.sessionId)).state, 'completed');
    narrow.clear();
    const line = await scene.daemon.line('grant.narrowed');
    assert.deepEqual(line['lost_scopes'], ['calendar:calendar']);
    assert.notEqual((await readToken(scene)).body.access_token, wide);
    const calendar = await readToken(scene, scene.openId, '?scopes=calendar:calendar');
    assert.equal(calendar.body.access_token, wide);
    assert.ok((await lifeLeft(scene)) > 7_000);
  });
});

const stateKey = (scene: Scene, openId = scene.openId): string => `authd:{${scene.app.appId}}:grant:${openId}:state`;
