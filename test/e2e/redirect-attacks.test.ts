/**
 * Attacks on the redirect of the authorization code grant: whoever cannot bring a state of ours changes nothing, whoever
 * can brings no more than the code of that very session's user, and nobody learns a thing (RFC 6749 §10.12, RFC 9700).
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { openPage, type Page } from '../support/consents.js';
import { newScene, type Scene } from '../support/scene.js';
import { ended, eventually, linkOn, newPerson } from '../support/steps.js';

let scene: Scene;
const closers: (() => Promise<void>)[] = [];
/** Everything anybody was shown. */
const shown: Page[] = [];

before(async () => {
  const way = { grant: 'authorization_code', clicks: 'long_connection' } as const;
  // Forgers are many here, and one address.
  scene = await newScene({ after: (close) => closers.push(close as () => Promise<void>) }, { way });
});
after(async () => {
  for (const close of closers) await close();
});

interface Target {
  readonly sessionId: string;
  readonly openId: string;
  readonly link: string;
  readonly state: string;
  readonly messageId: string;
  /** A code that Feishu has given for this link to this person. */
  code(): string;
}

async function target(name: string): Promise<Target> {
  const person = newPerson(scene, name);
  const { messageId, sessionId } = await person.ask({ scopes: ['docx:document:readonly'] });
  const link = linkOn(scene, messageId);
  return {
    sessionId,
    openId: person.openId,
    link,
    messageId,
    state: new URL(link).searchParams.get('state') ?? '',
    code() {
      const { redirectTo = '' } = scene.sim.authorize({ url: link, user: person.user });
      return new URL(redirectTo).searchParams.get('code') ?? '';
    },
  };
}

/** The query as given, or fields of it; repeated ones by a list. */
async function bring(query: string | Readonly<Record<string, string>>): Promise<Page> {
  const text = typeof query === 'string' ? query : new URLSearchParams(query).toString();
  const page = await openPage(`${scene.entrance?.redirectUri}?${text}`);
  shown.push(page);
  return page;
}

/** The session's record, without what the worker notes of its message meanwhile. */
async function recordOf({ sessionId }: Target) {
  const record = await scene.redis.client.hgetall(`authd:{${scene.app.appId}}:session:${sessionId}`);
  const { message_id: _, sent_version: __, shown_version: ___, patched_at: ____, ...rest } = record;
  return rest;
}
const titleOn = ({ text }: Page): string => /<title>([^<]*)<\/title>/.exec(text)?.[1] ?? '';
const wasUsed = (code: string): boolean =>
  (scene.sim.authorizationCodes().find((known) => known.code === code)?.used ?? 0) > 0;
const statusOf = async ({ openId }: Target): Promise<string> =>
  (await scene.daemon.call('GET', `/v1/users/${openId}`)).body.status;

describe('at the redirect URI', () => {
  it('a state that is not ours changes nothing and uses no code, also with a good one', async () => {
    const victim = await target('Victim');
    const attacker = await target('Attacker');
    const code = victim.code();
    const [payload = '', signature = ''] = victim.state.split('.');
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const signedWith = (key: Buffer | string, text: string): string =>
      `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    const altered = (change: object): string =>
      Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url');
    const states = [
      '',
      'x',
      payload,
      `${payload}.`,
      `${payload}.${'A'.repeat(43)}`,
      `${payload}.${attacker.state.split('.')[1]}`,
      `${altered({ link_number: 2 })}.${signature}`,
      `${altered({ redirect_uri: 'https://evil.example/' })}.${signature}`,
      signedWith(randomBytes(32), payload),
      signedWith('', payload),
      signedWith(Buffer.from(scene.daemon.encryptionKey, 'base64'), payload),
      `${payload}.${signature}.${signature}`,
      `${payload}.${signature}\u0000`,
      `${payload}.${signature}\r\nset-cookie: a=b`,
      `${payload} .${signature}`,
      'A'.repeat(5_000),
      `${'A'.repeat(4_000)}.${signature}`,
      '<script>alert(1)</script>',
      '../../etc/passwd',
    ];
    const before = await recordOf(victim);
    for (const state of states) {
      const page = await bring({ code, state });
      assert.equal(page.status, 400, state.slice(0, 60));
    }
    assert.equal((await bring({ code })).status, 400);
    assert.equal((await bring({ error: 'access_denied' })).status, 400);
    assert.equal((await bring({ error: 'access_denied', state: signedWith('', payload) })).status, 400);
    assert.deepEqual(await recordOf(victim), before);
    assert.equal(wasUsed(code), false);
    assert.match(titleOn(await bring({ code, state: victim.state })), /Authorized/);
    assert.equal((await ended(scene, victim.sessionId)).state, 'completed');
  });

  it('a repeated, oversized or damaged query changes nothing', async () => {
    const victim = await target('Victim');
    const code = victim.code();
    const before = await recordOf(victim);
    const good = new URLSearchParams({ code, state: victim.state }).toString();
    const queries = [
      `${good}&state=${victim.state}`,
      `${good}&code=${code}`,
      `code[]=${code}&state=${victim.state}`,
      `code=${code}%0d%0aset-cookie:%20a=b&state=${victim.state}`,
      `code=${'a'.repeat(5_000)}&state=${victim.state}`,
      `code=%FF%FE&state=${victim.state}`,
      `code=<img src=x onerror=alert(1)>&state=${victim.state}`,
      `state=${victim.state}`,
      `code=&state=${victim.state}`,
      `${good}${'&x=1'.repeat(5_000)}`,
    ];
    for (const query of queries) {
      const page = await bring(query);
      assert.ok(page.status >= 400 && page.status < 500, `${page.status} for ${query.slice(0, 60)}`);
    }
    assert.deepEqual(await recordOf(victim), before);
    assert.equal(wasUsed(code), false);
  });

  it("an attacker's code with the victim's state brings no token to anybody, and her own consent still works", async () => {
    const [victim, attacker] = [await target('Victim'), await target('Attacker')];
    const page = await bring({ code: attacker.code(), state: victim.state });
    assert.match(titleOn(page), /open the link once more/);
    assert.deepEqual([await statusOf(victim), await statusOf(attacker)], ['none', 'none']);
    assert.match(titleOn(await bring({ code: victim.code(), state: victim.state })), /Authorized/);
    assert.equal((await ended(scene, victim.sessionId)).state, 'completed');
    const { body } = await scene.daemon.call('GET', `/v1/users/${victim.openId}/token`);
    const token = scene.sim.accessTokens().find((known) => known.token === body.access_token);
    assert.equal(token?.openId, victim.openId);
  });

  it("the victim's code with the attacker's state does not either", async () => {
    const [victim, attacker] = [await target('Victim'), await target('Attacker')];
    assert.match(titleOn(await bring({ code: victim.code(), state: attacker.state })), /open the link once more/);
    assert.deepEqual([await statusOf(victim), await statusOf(attacker)], ['none', 'none']);
  });

  it("a victim who is lured to consent by the attacker's link gives her token to nobody", async () => {
    const attacker = await target('Attacker');
    const victim = newPerson(scene, 'Victim');
    const { redirectTo = '' } = scene.sim.authorize({ url: attacker.link, user: victim.user });
    const page = await openPage(redirectTo);
    shown.push(page);
    assert.match(titleOn(page), /That was not your account/);
    assert.equal(await statusOf(attacker), 'none');
    assert.equal((await scene.daemon.call('GET', `/v1/users/${victim.openId}`)).body.status, 'none');
    const keys = await scene.redis.client.keys('*:tokens');
    assert.deepEqual(keys, []);
  });

  it('a state works once: after the authorization neither it nor the code does anything more', async () => {
    const victim = await target('Victim');
    const code = victim.code();
    await bring({ code, state: victim.state });
    await ended(scene, victim.sessionId);
    const before = await recordOf(victim);
    const later = victim.code();
    assert.match(titleOn(await bring({ code: later, state: victim.state })), /This link has been used/);
    assert.match(titleOn(await bring({ error: 'access_denied', state: victim.state })), /This link has been used/);
    assert.match(titleOn(await bring({ code, state: victim.state })), /Authorized/, 'her reloaded page');
    assert.deepEqual(await recordOf(victim), before);
    assert.equal(wasUsed(later), false);
  });

  it('a state ends with its session, however that ended', async () => {
    const ends: readonly (readonly [string, RegExp, (one: Target) => Promise<unknown>])[] = [
      ['invalidated', /cancelled/, (one) => scene.daemon.call('POST', `/v1/sessions/${one.sessionId}/invalidate`)],
      [
        'expired',
        /expired/,
        (one) => scene.redis.client.hset(`authd:{${scene.app.appId}}:session:${one.sessionId}`, 'expires_at', 1),
      ],
      ['rejected', /declined/, (one) => bring({ error: 'access_denied', state: one.state })],
    ];
    for (const [state, title, end] of ends) {
      const victim = await target('Victim');
      const code = victim.code();
      await end(victim);
      assert.match(titleOn(await bring({ code, state: victim.state })), title);
      assert.equal((await ended(scene, victim.sessionId)).state, state);
      assert.equal(wasUsed(code), false, state);
      assert.equal(await statusOf(victim), 'none');
    }
  });

  it('a superseded link does nothing, and says that a newer one is there', async () => {
    const victim = await target('Victim');
    const code = victim.code();
    await scene.daemon.call('POST', '/v1/sessions', { open_id: victim.openId, scopes: ['drive:drive'] });
    assert.match(titleOn(await bring({ code, state: victim.state })), /Replaced by a newer request/);
    assert.equal(wasUsed(code), false);
  });

  it('many codes at once for one state bring one authorization, of the right user, and one exchange each at most', async () => {
    const victim = await target('Victim');
    const attacker = await target('Attacker');
    const codes = [...[1, 2, 3, 4].map(() => attacker.code()), victim.code()];
    await eventually(async () => {
      await Promise.all(codes.map((code) => bring({ code, state: victim.state })));
      return (await statusOf(victim)) === 'active';
    });
    assert.equal((await ended(scene, victim.sessionId)).state, 'completed');
    const uses = scene.sim.authorizationCodes().filter(({ code }) => codes.includes(code));
    assert.deepEqual(
      uses.map(({ reused }) => reused),
      codes.map(() => 0),
    );
  });

  it('nobody was shown or told a code, a state, a token or what was put in', async () => {
    assert.ok(shown.length > 50);
    const output = scene.daemon.output();
    const secrets = scene.sim.secrets(['authorization_code', 'code_verifier', 'access_token', 'refresh_token']);
    assert.ok(secrets.length > 10);
    const links = scene.sim.secrets(['verification_link']);
    assert.ok(links.length > 10);
    const kept = [...secrets, ...scene.sim.secrets(['app_secret']), scene.daemon.encryptionKey, scene.daemon.apiKey];
    for (const link of links) {
      const state = new URL(link).searchParams.get('state') ?? '';
      const read = `${link} ${Buffer.from(state.split('.')[0] ?? '', 'base64url').toString()}`;
      for (const secret of kept) assert.ok(!read.includes(secret), 'in a link');
    }
    const dump = (await scene.redis.dump()).toString('latin1');
    for (const secret of secrets) {
      assert.ok(!output.includes(secret), 'in the log');
      assert.ok(!dump.includes(secret), 'in Redis in the clear');
      for (const { headers, text } of shown) {
        assert.ok(!text.includes(secret) && !JSON.stringify([...headers]).includes(secret), 'on a page');
      }
    }
    assert.doesNotMatch(output, /state=|"state":"ey|authen\/v1\/authorize\?/);
    for (const { headers, text } of shown) {
      assert.doesNotMatch(text, /<script|onerror|ey[A-Za-z0-9_-]{40}/);
      assert.equal(headers.get('set-cookie'), null);
      assert.equal(headers.get('location'), null);
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
    }
  });
});
