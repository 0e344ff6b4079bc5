/** The command line against a running daemon: what a person or a script sees of sessions, users and tokens. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CliEnv, cli, type Ended, startCli } from '../support/cli.js';
import { authorizeByCard } from '../support/person.js';
import { newScene, type Scene } from '../support/scene.js';
import { eventually, newPerson, type PersonInScene } from '../support/steps.js';

let scene: Scene;
let env: CliEnv;
const closers: (() => unknown)[] = [];
/** Everything any command has written. */
const written: string[] = [];

/** A clock time of the API without its milliseconds. */
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

before(async () => {
  scene = await newScene({ after: (close: () => unknown) => closers.push(close) });
  env = { AUTHD_URL: scene.daemon.baseUrl(), AUTHD_API_KEY: scene.daemon.apiKey };
});

after(async () => {
  for (const close of closers) await close();
});

async function run(args: readonly string[], more: CliEnv = {}): Promise<Ended> {
  const ended = await cli(args, { ...env, ...more });
  written.push(ended.stdout, ended.stderr);
  return ended;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
const json = (text: string): any => JSON.parse(text);
const api = async (path: string) => (await scene.daemon.call('GET', path)).body;

/** The session a `send` has begun, from what it says. */
async function begun(sending: ReturnType<typeof startCli>, person: PersonInScene) {
  await sending.says('The card is in her chat');
  const page = await api(`/v1/sessions?open_id=${person.openId}&limit=1`);
  const { session_id: sessionId, message_id: messageId } =
    (page as { sessions: Record<string, string>[] }).sessions[0] ?? {};
  assert.ok(sessionId !== undefined && messageId !== undefined);
  return { sessionId, messageId, message: scene.sim.message(messageId) };
}

const send = (person: PersonInScene, ...more: readonly string[]) =>
  startCli(['send', '--open-id', person.openId, '--scopes', 'docx:document:readonly', ...more], env);

describe('feishu-authd send', { concurrency: 5 }, () => {
  it('sends a card, tells the steps, and ends with 0 and the session when she has authorized', async () => {
    const person = newPerson(scene, 'Wang Fang');
    const sending = send(person, '--reason', '周报 weekly', '--ttl', '600', '--json');
    const { messageId, sessionId } = await begun(sending, person);
    await authorizeByCard({ ...scene, user: person.user }, messageId);
    const { code, stderr, stdout } = await sending.ended;
    written.push(stdout, stderr);
    assert.equal(code, 0, stderr);
    const session = json(stdout);
    assert.deepEqual(session, await api(`/v1/sessions/${sessionId}`));
    assert.deepEqual([session.state, session.reason], ['completed', '周报 weekly']);
    const lines = stderr.replaceAll(TIME, '<time>').trim().split('\n');
    assert.equal(lines[0], `Session ${sessionId}`);
    assert.ok(lines.includes('The card is in her chat with the bot; waiting for her answer until <time>'), stderr);
    assert.equal(lines.at(-1), 'She has authorized');

    const again = await run(['send', '--open-id', person.openId, '--scopes', 'docx:document:readonly']);
    assert.equal(again.code, 0);
    assert.equal(again.stderr, 'She has authorized this already; --force asks her nevertheless\n');
    assert.match(again.stdout, /^status +active\nscopes +offline_access docx:document:readonly\nauthorized_at /);
  });

  it('ends with 3 when she declines, the session still on standard output', async () => {
    const person = newPerson(scene, 'Zhao Min');
    const sending = send(person);
    const asked = await begun(sending, person);
    await scene.click(asked.messageId, 'decline', asked.sessionId, { user: person.user });
    const { code, stderr, stdout } = await sending.ended;
    assert.equal(code, 3);
    assert.match(stderr, /\nfeishu-authd: She declined\n$/);
    assert.match(stdout, /^session_id +as_.+\nstate +rejected\n/);
  });

  it("ends with 1 and Feishu's code when the card cannot be delivered", async () => {
    const person = newPerson(scene, 'Chen Jie');
    const fault = scene.sim.faults.add({
      on: 'api',
      api: 'message.send',
      openId: person.openId,
      kind: 'code',
      code: 230013,
      status: 400,
    });
    const { code, stderr } = await run(['send', '--open-id', person.openId]);
    fault.clear();
    assert.equal(code, 1, stderr);
    assert.match(
      stderr,
      /The session failed: user_unreachable\n {2}Add the user to 可用范围.+\n {2}Feishu's code is 230013: feishu-authd explain 230013\n$/,
    );
  });

  it('goes on with the session of a wider request', async () => {
    const person = newPerson(scene, 'Liu Yang');
    const sending = send(person);
    await begun(sending, person);
    const wider = await person.ask({ scopes: ['docx:document:readonly', 'drive:drive:readonly'] });
    await sending.says(`A wider request has replaced it; following ${wider.sessionId}`);
    await scene.click(wider.messageId, 'decline', wider.sessionId, { user: person.user });
    const { code, stdout } = await sending.ended;
    assert.equal(code, 3);
    assert.match(stdout, new RegExp(`^session_id +${wider.sessionId}\nstate +rejected\n`));
  });

  it('leaves the session alive at Ctrl-C and says how to look again', async () => {
    const person = newPerson(scene, 'Zhou Jie');
    const sending = send(person);
    const { sessionId } = await begun(sending, person);
    sending.signal('SIGINT');
    const { code, signal, stderr, stdout } = await sending.ended;
    assert.deepEqual([code, signal, stdout], [null, 'SIGINT', '']);
    assert.ok(
      stderr.endsWith(`The session goes on without this command: feishu-authd sessions show ${sessionId}\n`),
      stderr,
    );
    assert.equal((await scene.session(sessionId)).state, 'pending');
  });

  it('ends at once with --no-wait', async () => {
    const person = newPerson(scene, 'Wu Gang');
    const { code, stderr, stdout } = await run(['send', '--open-id', person.openId, '--no-wait', '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    const answer = json(stdout);
    assert.equal(answer.already_authorized, false);
    assert.equal(answer.session.state, 'pending');
    const table = await run(['send', '--open-id', person.openId, '--no-wait']);
    assert.match(table.stdout, new RegExp(`^session_id +${answer.session_id}\nstate +pending\n`));
  });

  it('refuses what the API refuses, naming the field, with 2', async () => {
    const { code, stderr, stdout } = await run(['send', '--open-id', 'nobody', '--reason', 'x'.repeat(300)]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^feishu-authd: The request is not valid \(invalid_request\): body: open_id must match/);
  });
});

describe('feishu-authd sessions, users, tokens', () => {
  let person: PersonInScene;
  let sessionId: string;

  before(async () => {
    person = newPerson(scene, 'Li Hua');
    const asked = await person.ask({ scopes: ['docx:document:readonly'], metadata: { 工单: '42' } });
    sessionId = asked.sessionId;
    await authorizeByCard({ ...scene, user: person.user }, asked.messageId);
  });

  it('list sessions as the API does, or as a table', async () => {
    const args = ['sessions', 'list', '--open-id', person.openId];
    const asJson = await run([...args, '--json']);
    assert.deepEqual([asJson.code, asJson.stderr], [0, '']);
    assert.deepEqual(json(asJson.stdout), await api(`/v1/sessions?open_id=${person.openId}`));
    const { stdout } = await run([...args, '--state', 'completed', '--app-id', scene.app.appId]);
    const [head, row, ...rest] = stdout.replaceAll(TIME, '<time>').split('\n');
    assert.match(head ?? '', /^SESSION +STATE +USER +CLIENT +CREATED +ENDS +WHY$/);
    assert.deepEqual(row?.split(/ {2,}/), [sessionId, 'completed', person.openId, 'tester', '<time>', '<time>', '-']);
    assert.deepEqual(rest, ['']);
    assert.equal(
      (await run([...args, '--state', 'failed'])).stdout,
      'SESSION  STATE  USER  CLIENT  CREATED  ENDS  WHY\n',
    );
  });

  it('name the next page beside the data', async () => {
    await person.ask({ force: true });
    const first = await run(['sessions', 'list', '--open-id', person.openId, '--limit', '1']);
    const cursor = /^There are more: --cursor (\S+)\n$/.exec(first.stderr)?.[1];
    assert.ok(cursor !== undefined, first.stderr);
    const second = await run(['sessions', 'list', '--open-id', person.openId, '--limit', '1', '--cursor', cursor]);
    assert.match(second.stdout, new RegExp(`\n${sessionId} `));
  });

  it('show one session, and 1 for one that is not there', async () => {
    const asJson = await run(['sessions', 'show', sessionId, '--json']);
    assert.deepEqual(json(asJson.stdout), await api(`/v1/sessions/${sessionId}`));
    const { stdout } = await run(['sessions', 'show', sessionId]);
    assert.match(stdout, /^session_id +as_/);
    assert.match(stdout, /\nmetadata\.工单 {3}42\n$/);
    assert.doesNotMatch(stdout, /failure_reason|next_session_id/);
    const missing = await run(['sessions', 'show', 'as_x/../..']);
    assert.deepEqual([missing.code, missing.stdout], [1, '']);
    assert.equal(
      missing.stderr,
      'feishu-authd: No such session (session_not_found): There is no session with this id\n',
    );
  });

  it('end a session, and delete old ones', async () => {
    const open = await newPerson(scene, 'Xu Lei').ask();
    const ended = await run(['sessions', 'invalidate', open.sessionId, '--json']);
    assert.equal(ended.code, 0);
    assert.equal(json(ended.stdout).state, 'invalidated');
    const cleaned = await run(['sessions', 'cleanup', '--expiry-days', '3650']);
    assert.deepEqual([cleaned.code, cleaned.stdout], [0, 'deleted  0\n']);
    const asJson = await run(['sessions', 'cleanup', '--expiry-days', '3650', '--json']);
    assert.deepEqual(json(asJson.stdout), { deleted: 0 });
  });

  it('show what a user has authorized', async () => {
    const asJson = await run(['users', 'show', person.openId, '--json']);
    assert.deepEqual(json(asJson.stdout), await api(`/v1/users/${person.openId}`));
    const { stdout } = await run(['users', 'show', person.openId]);
    assert.match(
      stdout.replaceAll(TIME, '<time>'),
      /^status {14}active\nscopes {14}\S+ \S+\nauthorized_at {7}<time>\nexpires_at {10}<time>\nrefresh_expires_at {2}<time>\nrenewable {11}yes\n$/,
    );
  });

  it('refresh a token without printing it', async () => {
    const before = scene.sim.refreshLedger.length;
    const asJson = await run(['tokens', 'refresh', person.openId, '--json']);
    assert.equal(asJson.code, 0, asJson.stderr);
    assert.equal(scene.sim.refreshLedger.length, before + 1);
    const answer = json(asJson.stdout);
    assert.deepEqual(Object.keys(answer).sort(), ['expires_at', 'expires_in', 'scopes', 'token_type']);
    const noop = await run(['tokens', 'refresh', person.openId, '--if-expires-at', '2020-01-01T00:00:00Z']);
    assert.equal(noop.code, 0, noop.stderr);
    assert.equal(scene.sim.refreshLedger.length, before + 1);
    assert.match(noop.stdout, /^token_type +Bearer\nscopes .+\nexpires_at .+\nexpires_in +\d+\n$/);
    const none = await run(['tokens', 'refresh', newPerson(scene, 'Nobody').openId]);
    assert.deepEqual([none.code, none.stdout], [3, '']);
    assert.match(none.stderr, /\(token_not_found\).+\n {2}Ask the user: feishu-authd send --open-id …\n$/);
  });

  it('forget the tokens of a user without a question where nobody could answer it', async () => {
    const revoked = await run(['users', 'revoke', person.openId, '--at-feishu']);
    assert.deepEqual([revoked.code, revoked.stdout], [0, '']);
    assert.match(revoked.stderr, /^Done: no token of this user is kept\./);
    const gone = await eventually(async () => {
      const { status } = (await api(`/v1/users/${person.openId}`)) as { status: string };
      return status !== 'active' && status;
    });
    assert.match(gone, /^(none|revoked)$/);
  });

  it('take the API key from a file', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'authd-test-cli-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'key');
    await writeFile(file, `${scene.daemon.apiKey}\n`, { mode: 0o600 });
    const args = ['sessions', 'show', sessionId, '--json'];
    const quiet = await cli(args, { AUTHD_URL: `${scene.daemon.baseUrl()}/`, AUTHD_API_KEY_FILE: file });
    assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
    await chmod(file, 0o644);
    const loud = await cli(args, { AUTHD_URL: scene.daemon.baseUrl(), AUTHD_API_KEY_FILE: file });
    assert.match(loud.stderr, /can be read by every user of this machine/);
    assert.equal(loud.code, 0);
  });

  it('never wrote a secret', () => {
    const all = written.join('\n');
    const secrets = [scene.daemon.apiKey, scene.daemon.encryptionKey, scene.app.appSecret];
    const tokens = scene.sim.secrets(['access_token', 'refresh_token']);
    assert.ok(tokens.length > 2 && all.length > 2_000);
    for (const secret of [...secrets, ...tokens]) assert.ok(!all.includes(secret));
  });
});
