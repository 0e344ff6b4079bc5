/**
 * The shipped ecosystem.config.cjs and `npm run reload` under the real pm2: start without Redis and Feishu, nothing
 * secret on disk, reload and kill -9 under a stream of clicks, a configuration that must be corrected, stop. The tests
 * are one story on one host, in this order. `npm run pm2-proof` clicks for 60 s instead of 10.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ClickResult } from '../simulator/chat/clicks.js';
import { type ClickStream, isStopping, type StreamClick, startClickStream } from '../support/click-stream.js';
import { crowd, eventually } from '../support/crowd.js';
import { findLeaks } from '../support/leaks.js';
import { fetchPm2, type Ran } from '../support/pm2.js';
import { ECOSYSTEM, GATEWAY_A, GATEWAY_B, newPm2Scene, type Pm2Scene, WORKER } from '../support/pm2-scene.js';

const CLICKS_PER_SECOND = 20;
const STREAM_SECONDS = Number(process.env['PM2_STREAM_SECONDS'] ?? 10);
/** One click of each person every so many seconds: time for the steps of a whole session. */
const SECONDS_BETWEEN_CLICKS = STREAM_SECONDS / 5;
/** After that Feishu tells the user that nobody answers. */
const ACK_MS = 3_000;
/**
 * The proof is strict. Beside other tests two cores are so busy now and then that a few acks are late, and that a click
 * is pushed before the gateway has read that its connection closes.
 */
const STRICT = STREAM_SECONDS >= 60;
const LATE_SHARE = STRICT ? 0 : 0.02;
const MOST_CROSSED = STRICT ? 0 : 1;
const LISTEN_TIMEOUT_MS = 30_000;

type LogLine = Readonly<Record<string, unknown>>;

const found = await fetchPm2();
if ('missing' in found) it('pm2', { skip: found.missing }, () => undefined);
else describe('pm2', () => story(found.bin));

function story(bin: string): void {
  const closers: (() => Promise<void> | void)[] = [];
  let scene: Pm2Scene;
  before(async () => {
    scene = await newPm2Scene({ after: (close) => void closers.push(close as () => Promise<void>) }, bin);
  });
  after(async () => {
    for (const close of closers) await close();
  });

  it('starts all three while Redis and Feishu are away, and does not wait for them', async () => {
    const { pm2, relay, sim } = scene;
    relay.mode('close');
    const refused = sim.faults.add({ on: 'api', api: '*', kind: 'reset' });
    const started = await pm2.run(['start', ECOSYSTEM]);
    assert.equal(started.code, 0, told(started));
    assert.ok(started.ms < LISTEN_TIMEOUT_MS, `pm2 start took ${started.ms} ms`);
    for (const { name, pm2_env: env } of await pm2.list()) assert.equal(env.status, 'online', name);
    assert.equal(await scene.readyz('a'), 503);
    relay.mode('pass');
    refused.clear();
    await scene.allReady(30_000);
    assert.equal(sim.connections().length, 2);
  });

  it('keeps every secret out of what pm2 writes to disk, and the shell out of the daemons', async () => {
    const { pm2 } = scene;
    // A restart with the file is where pm2 takes the shell's environment in.
    const restarted = await pm2.run(['restart', ECOSYSTEM]);
    assert.equal(restarted.code, 0, told(restarted));
    const saved = await pm2.run(['save']);
    assert.equal(saved.code, 0, told(saved));
    const onDisk = await contentOf(pm2.home);
    assert.match(onDisk.toString(), /FEISHU_APP_SECRET_FILE/);
    assert.deepEqual(findLeaks(onDisk, scene.secrets), []);
    for (const name of [GATEWAY_A, GATEWAY_B, WORKER]) {
      const { pid, pm2_env: env } = await pm2.process(name);
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      assert.doesNotMatch(environment, /SOME_OTHER_PASSWORD|(^|\0)(FEISHU_APP_SECRET|TOKEN_ENCRYPTION_KEYS)=/);
      assert.equal(env.env['API_KEYS_FILE'] !== '', name === WORKER, `${name} has the API keys`);
      assert.deepEqual(
        (await lines(name)).filter(({ event }) => event === 'config.warning'),
        [],
      );
    }
    await scene.allReady(30_000);
  });

  it(`reloads under ${CLICKS_PER_SECOND} clicks a second for ${STREAM_SECONDS} s`, async (t) => {
    const members = await crowd(scene, CLICKS_PER_SECOND * SECONDS_BETWEEN_CLICKS);
    const codesBefore = scene.sim.deviceCodes().length;
    const connections = watchConnections();
    const stream = startClickStream(scene, members, CLICKS_PER_SECOND);
    const until = performance.now() + STREAM_SECONDS * 1000;
    const reloads: number[] = [];
    while (performance.now() < until) {
      const reloaded = await scene.pm2.shell('npm', ['run', '--silent', 'reload']);
      assert.equal(reloaded.code, 0, told(reloaded));
      reloads.push(reloaded.ms);
    }
    const clicks = await stream.stop();
    const slowest = (Math.max(...reloads) / 1000).toFixed(1);
    tell(t, clicks, `${reloads.length} reloads (the longest ${slowest} s), at least ${connections.least()} connection`);
    assert.ok(connections.least() >= 1, 'both gateways were away at once');
    assertAllAnswered(clicks);
    assert.ok(clicks.length >= STREAM_SECONDS * CLICKS_PER_SECOND * 0.95, `${clicks.length} clicks`);
    assert.ok(clicks.filter(({ result }) => hasDeclined(result)).length >= members.length / 2, 'most have declined');
    await assertNoneTwice(clicks, codesBefore);
    const { pm2_env: env } = await scene.pm2.process(GATEWAY_A);
    assert.equal(env.restart_time, reloads.length + 1);
  });

  it('kill -9 of a gateway: the other one answers, and pm2 brings it back', async (t) => {
    const members = await crowd(scene, 2 * CLICKS_PER_SECOND);
    const codesBefore = scene.sim.deviceCodes().length;
    const stream = startClickStream(scene, members, CLICKS_PER_SECOND);
    const before = await scene.pm2.process(GATEWAY_A);
    // What the dead process has in hand is lost with it, callbacks are not repeated: kill it with nothing in hand.
    const goOn = await stream.pause();
    process.kill(before.pid, 'SIGKILL');
    await scene.sim.until(() => scene.sim.connections().length === 1);
    goOn();
    await eventually(() => scene.sim.connections().length === 2, 20_000, 'the gateway to be back');
    await scene.allReady(10_000);
    const clicks = await finish(stream);
    tell(t, clicks, 'kill -9');
    assertAllAnswered(clicks);
    await assertNoneTwice(clicks, codesBefore);
    const back = await scene.pm2.process(GATEWAY_A);
    assert.notEqual(back.pid, before.pid);
    assert.equal(back.pm2_env.restart_time, before.pm2_env.restart_time + 1);
  });

  it('a configuration that must be corrected: reload touches nothing, pm2 starts it once and no more', async () => {
    const { pm2 } = scene;
    const pids = async (): Promise<number[]> => (await pm2.list()).map(({ pid }) => pid);
    const before = await pids();
    await scene.configure({ ws_pong_timeout: '20x' });
    const refused = await pm2.shell('npm', ['run', '--silent', 'reload']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^Nothing was restarted\. feishu-authd-gateway-a would not start:/);
    assert.match(refused.stderr, /ws_pong_timeout in CONFIG_FILE "20x" is not a whole number/);
    assert.deepEqual(await pids(), before);

    await pm2.run(['restart', ECOSYSTEM, '--only', GATEWAY_A]);
    const broken = await pm2.process(GATEWAY_A);
    assert.deepEqual([broken.pid, broken.pm2_env.exit_code], [0, 2]);
    // Longer than the first seven waits of the backoff together.
    await new Promise((done) => setTimeout(done, 3_000));
    assert.equal((await pm2.process(GATEWAY_A)).pm2_env.restart_time, broken.pm2_env.restart_time);
    await scene.configure({});
  });

  it('a gateway that does not come back: reload stops there, the other one goes on', async () => {
    const { pm2 } = scene;
    const right = await scene.changeSecret('token_encryption_keys', `k1:${randomBytes(32).toString('base64')}`);
    const other = await pm2.process(GATEWAY_B);
    const refused = await pm2.shell('npm', ['run', '--silent', 'reload']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /gateway-a did not get ready: it has ended with code 2/);
    assert.match(refused.stderr, /TOKEN_ENCRYPTION_KEYS/);
    assert.equal((await pm2.process(GATEWAY_B)).pid, other.pid);
    assert.equal(await scene.readyz('b'), 200);
    await scene.changeSecret('token_encryption_keys', right);
    const reloaded = await pm2.shell('npm', ['run', '--silent', 'reload']);
    assert.equal(reloaded.code, 0, told(reloaded));
    assert.equal(scene.sim.connections().length, 2);
  });

  it('stops all three with exit code 0', async () => {
    const { pm2, sim } = scene;
    const stopped = await pm2.run(['stop', ECOSYSTEM]);
    assert.equal(stopped.code, 0, told(stopped));
    assert.equal(sim.connections().length, 0);
    for (const name of [GATEWAY_A, GATEWAY_B, WORKER]) {
      const { pid, pm2_env: env } = await pm2.process(name);
      assert.deepEqual([pid, env.status], [0, 'stopped'], name);
      const last = (await lines(name)).at(-1);
      assert.deepEqual([last?.['event'], last?.['exit_code']], ['daemon.stopped', 0], name);
    }
  });

  const lines = async (name: string): Promise<LogLine[]> => {
    const text = await scene.pm2.log(name);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  };

  /** Every click was acted on by one process, every decision was taken once, and every session got one link. */
  const assertNoneTwice = async (clicks: readonly StreamClick[], codesBefore: number): Promise<void> => {
    const seen = [...(await lines(GATEWAY_A)), ...(await lines(GATEWAY_B))];
    const times = (event: string, field: string, value: string): number =>
      seen.filter((line) => line['event'] === event && line[field] === value).length;
    const acted = clicks.map(({ result }) => times('card.clicked', 'event_id', result.eventId));
    assert.deepEqual(
      acted.filter((count) => count > 1),
      [],
      'clicks that were acted on more than once',
    );
    // pm2 drops what a process has said last when it was killed, so a few lines may be missing.
    const told = acted.filter((count) => count === 1).length;
    assert.ok(
      told >= clicks.filter(({ result }) => !isStopping(result)).length * 0.9,
      `${told} clicks are in the logs`,
    );
    const declined = new Set(clicks.filter(({ result }) => hasDeclined(result)).map(({ sessionId }) => sessionId));
    for (const id of declined) assert.ok(times('session.rejected', 'session_id', id) <= 1, id);
    const authorized = clicks.filter(({ action, result }) => action === 'authorize' && !isStopping(result));
    const links = scene.sim.deviceCodes().length - codesBefore;
    const sessions = (some: readonly StreamClick[]): number => new Set(some.map(({ sessionId }) => sessionId)).size;
    // What met the closing of its connection may have been acted on, or not.
    const sure = sessions(authorized.filter(({ crossedClosing }) => !crossedClosing));
    assert.ok(links >= sure && links <= sessions(authorized), `one link for each session: ${links} of ${sure}`);
  };

  const watchConnections = (): { least(): number } => {
    let least = scene.sim.connections().length;
    scene.sim.on('connection.closed', ({ data }) => {
      least = Math.min(least, Number(data['live']));
    });
    return { least: () => least };
  };

  /** A second more, so that the clicks after the return are in it. */
  const finish = async (stream: ClickStream): Promise<readonly StreamClick[]> => {
    const so = stream.clicks.length;
    await eventually(() => stream.clicks.length >= so + CLICKS_PER_SECOND, 20_000, 'more clicks');
    return await stream.stop();
  };
}

const hasDeclined = ({ ackBody }: ClickResult): boolean =>
  JSON.stringify(ackBody ?? null).includes('Declined, nothing new');

function assertAllAnswered(clicks: readonly StreamClick[]): void {
  const crossed = clicks.filter((click) => click.crossedClosing).length;
  assert.ok(crossed <= MOST_CROSSED, `${crossed} clicks met the closing of their connection`);
  const lost = clicks.filter(({ crossedClosing, result }) => result.errorCode !== undefined && !crossedClosing);
  assert.deepEqual(
    lost.map(({ action, result }) => [action, result.errorCode, result.reason]),
    [],
  );
  const late = clicks.filter(({ crossedClosing, result }) => result.tookMs > ACK_MS && !crossedClosing).length;
  assert.ok(late <= clicks.length * LATE_SHARE, `${late} of ${clicks.length} acks took longer than ${ACK_MS} ms`);
}

function tell(t: TestContext, clicks: readonly StreamClick[], what: string): void {
  const took = clicks.map(({ result }) => result.tookMs).sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(took[Math.ceil(took.length * share) - 1] ?? 0)} ms`;
  const restarting = clicks.filter(({ result }) => isStopping(result)).length;
  t.diagnostic(
    `${what}: ${clicks.length} clicks, ${restarting} of them told "restarting"; ` +
      `acks p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`,
  );
}

const told = ({ stderr, stdout }: Ran): string => `${stdout}\n${stderr}`;

async function contentOf(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}
