/**
 * Everything that is written, during success and failures, is searched for the real values of every token, code, key
 * and secret: log lines at trace level, errors, every value in Redis and its append-only file, job data, event streams,
 * files of the daemon, HTTP answers. Nothing may be found.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CardCallback } from '../../src/config/config.js';
import type { Fault } from '../simulator/fault-kinds.js';
import type { ApiName } from '../simulator/options.js';
import type { Daemon } from '../support/daemon.js';
import { tokenCall } from '../support/either-grant.js';
import { grant, refreshNow } from '../support/grants.js';
import { findLeaks, secretsOfFeishu } from '../support/leaks.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';
import { authorize } from '../support/steps.js';
import { WAY } from '../support/ways.js';

const REASON = 'Quarterly-report-for-the-board-7391';
const METADATA = 'ticket-4711-private-note';

/** What must never be seen, by name. */
function secretsOf(scene: Scene): Map<string, string> {
  const found = secretsOfFeishu(scene.sim);
  found.set('API key', scene.daemon.apiKey);
  found.set('encryption key', scene.daemon.encryptionKey);
  found.set('reason', REASON);
  found.set('metadata', METADATA);
  return found;
}

async function filesOf(folder: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    parts.push(Buffer.from(entry.name));
    if (entry.isFile()) parts.push(await readFile(join(entry.parentPath, entry.name)));
  }
  return Buffer.concat(parts);
}

async function assertNothingLeaked(scene: Scene, answers: readonly string[]): Promise<void> {
  const secrets = secretsOf(scene);
  assert.ok(secrets.size > 8, 'there are secrets to look for');
  assert.deepEqual(findLeaks(Buffer.from(scene.daemon.output()), secrets), [], 'log lines and errors');
  assert.deepEqual(findLeaks(await scene.redis.dump(), secrets), [], 'Redis');
  assert.deepEqual(findLeaks(await filesOf(scene.daemon.stateDir), secrets), [], 'files');
  // A client sees its own reason and metadata.
  secrets.delete('reason');
  secrets.delete('metadata');
  assert.deepEqual(findLeaks(Buffer.from(answers.join('\n')), secrets), [], 'HTTP answers');
}

/** Every answer a client or a probe may see, the token itself aside. */
async function askEverything(daemon: Daemon, openId: string, sessionId: string): Promise<string[]> {
  const calls: [string, string, unknown?, Record<string, string>?][] = [
    ['GET', `/v1/sessions/${sessionId}`],
    ['GET', '/v1/sessions'],
    ['GET', `/v1/users/${openId}`],
    ['GET', `/v1/users/${openId}/token?scopes=im:message`],
    ['GET', '/readyz'],
    ['GET', '/healthz'],
    ['GET', '/openapi.json'],
    ['GET', '/v1/sessions?cursor=x', undefined, { authorization: 'Bearer wrong' }],
    ['POST', '/v1/sessions', { open_id: openId, secret: 1 }],
  ];
  const answers: string[] = [];
  for (const [method, path, body, headers] of calls) {
    const answer = await daemon.call(method, path, body, headers);
    answers.push(JSON.stringify([...answer.headers]), answer.text);
  }
  return answers;
}

/** Breaks what brings the clicks, and waits until it is back. */
const DROP: Readonly<Record<CardCallback, (scene: Scene) => Promise<void>>> = {
  async long_connection({ app, daemon, sim }) {
    sim.sockets(app.appId)[0]?.terminate();
    await daemon.line('ws.disconnected');
    await sim.until(() => sim.connections().length > 0, 20_000);
  },
  async http({ entrance }) {
    entrance?.relay.cut();
  },
};

const ask = { scopes: ['docx:document:readonly'], reason: REASON, metadata: { note: METADATA } };

describe('nothing secret is written', { concurrency: 3 }, () => {
  it('when a user authorizes, also with a dropped connection and a token read', async (t) => {
    const scene = await newScene(t);
    const asked = await scene.ask(ask);
    await DROP[WAY.clicks](scene);
    await authorizeByCard(scene, asked.messageId);
    assert.equal((await scene.daemon.call('GET', `/v1/users/${scene.openId}/token`)).status, 200);
    await assertNothingLeaked(scene, await askEverything(scene.daemon, scene.openId, asked.sessionId));
  });

  it('when Feishu answers with errors, rubbish and silence, with and without the secrets in them', async (t) => {
    const scene = await newScene(t);
    const echo = { code: 99991663, msg: scene.app.appSecret, token: scene.app.appSecret };
    const faults: [ApiName, object][] = [
      ['endpoint', { kind: 'html' }],
      ['endpoint', { kind: 'status', status: 401, body: echo }],
      ['tenant_access_token', { kind: 'status', status: 500, body: echo }],
      ['device_authorization', { kind: 'reset' }],
      ['device_authorization', { kind: 'status', status: 401, body: echo }],
      ['token', { kind: 'status', status: 500, body: echo }],
      ['token', { kind: 'html' }],
      ['token', { kind: 'oauth_error', error: 'server_error', code: 20050 }],
      ['user_info', { kind: 'status', status: 401, body: { code: 20050, msg: scene.app.appSecret } }],
      ['user_info', { kind: 'reset' }],
      ['message.patch', { kind: 'status', status: 400, body: echo }],
      ['message.patch', { kind: 'html' }],
    ];
    for (const [api, kind] of faults) scene.sim.faults.add({ on: 'api', api, times: 1, ...kind } as Fault);
    const asked = await scene.ask(ask);
    await DROP[WAY.clicks](scene);
    await authorizeByCard(scene, asked.messageId, { timeoutMs: 60_000 });
    await assertNothingLeaked(scene, await askEverything(scene.daemon, scene.openId, asked.sessionId));
  });

  it('when tokens cannot be verified, belong to another account, or come while Redis is away', async (t) => {
    const scene = await newScene(t);
    const { sim } = scene;
    sim.faults.add({ on: 'api', api: 'user_info', kind: 'status', status: 500, times: 2 });
    const asked = await scene.ask(ask);
    const stranger = sim.addUser({ name: 'Somebody Else' });
    scene.consent({ link: await authorize(scene, asked), user: stranger });
    await scene.daemon.line('session.wrong_account', undefined, 20_000);

    const held = sim.faults.add({ ...tokenCall(scene), kind: 'hold' });
    await scene.shows(asked.messageId, '"action":"authorize"');
    scene.consent({ link: await authorize(scene, asked), user: scene.user });
    await sim.until(() => held.fired > 0);
    await scene.redis.kill();
    held.clear();
    await scene.daemon.line('token.spooled');
    const spooled = await filesOf(scene.daemon.stateDir);
    assert.ok(spooled.length > 1_300, 'the spool holds the tokens');
    assert.deepEqual(findLeaks(spooled, secretsOf(scene)), [], 'the spool');
    await scene.redis.start();
    await scene.daemon.line('session.completed', undefined, 30_000);
    await assertNothingLeaked(scene, await askEverything(scene.daemon, scene.openId, asked.sessionId));
  });

  it('when tokens are refreshed, refused, lost and asked for again, also with Redis frozen, in every file of Redis', async (t) => {
    const scene = await newScene(t);
    const { daemon, sim } = scene;
    await grant(scene);
    const stateFiles: Buffer[] = [];
    const echo = { code: 99991663, msg: scene.app.appSecret, refresh_token: scene.app.appSecret };
    const troubles: object[] = [
      { kind: 'status', status: 500, body: echo },
      { kind: 'html' },
      { kind: 'code', code: 20050 },
      { kind: 'code', code: 20010 },
      { kind: 'status', status: 400, body: { ...echo, error: scene.app.appSecret } },
    ];
    const answers: string[] = [];
    for (const trouble of troubles) {
      const fault = sim.faults.add({ on: 'api', api: 'token', grant: 'refresh_token', ...trouble } as Fault);
      answers.push((await refreshNow(scene)).text);
      fault.clear();
      assert.equal((await refreshNow(scene)).status, 200);
      stateFiles.push(await filesOf(daemon.stateDir));
    }
    const held = sim.faults.add({ on: 'api', api: 'token', grant: 'refresh_token', kind: 'hold', when: 'after' });
    const refreshing = refreshNow(scene);
    await sim.until(() => held.fired > 0);
    scene.redis.freeze();
    held.clear();
    await daemon.line('token.spooled');
    stateFiles.push(await filesOf(daemon.stateDir));
    scene.redis.thaw();
    await refreshing;
    assert.ok(Buffer.concat(stateFiles).length > 1_300, 'the spool held tokens');
    sim.faults.add({ on: 'api', api: 'token', grant: 'refresh_token', kind: 'code', code: 20064 });
    answers.push((await refreshNow(scene)).text);
    await daemon.line('grant.asked_again');
    // The dump holds every file: with this the RDB beside the append-only file.
    await scene.redis.client.save();
    assert.deepEqual(findLeaks(Buffer.concat(stateFiles), secretsOf(scene)), [], 'the spool');
    await assertNothingLeaked(scene, [...answers, ...(await askEverything(daemon, scene.openId, 'none'))]);
  });

  it('and the search itself finds what is there, in every form', () => {
    const value = 'u-4kd0SrkGh3hBEbAZ1wlT5dQ9xyzABCDEF';
    const secrets = new Map([['it', value]]);
    const bytes = Buffer.from(value);
    const encodings = [value, bytes.toString('hex'), `x${bytes.toString('base64')}`, value.slice(10, 22)];
    const inside = Buffer.from(`{"a":"${value}"}`).toString('base64');
    for (const text of [...encodings, inside]) assert.notDeepEqual(findLeaks(Buffer.from(text), secrets), [], text);
    assert.deepEqual(findLeaks(Buffer.from('nothing to see'), secrets), []);
  });
});
