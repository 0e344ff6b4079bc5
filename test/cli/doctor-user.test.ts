/** `doctor --user`: a real round trip by a running daemon; each step made to fail, the right line with the right remedy. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Message } from '../simulator/chat/chats.js';
import { freePort } from '../simulator/demo/free-port.js';
import type { App, NewApp, User } from '../simulator/directory.js';
import { startCli } from '../support/cli.js';
import { newConsents } from '../support/consents.js';
import { type Daemon, newDaemon } from '../support/daemon.js';
import { type Diagnosis, type DoctorScene, newDoctorScene } from '../support/doctor.js';
import { findLeaks } from '../support/leaks.js';
import { authorizeByCard } from '../support/person.js';

/** The apps differ in what is wrong with them in the console. */
const CONSOLE = {
  well: {},
  unavailable: { available: [] },
  deaf: { callbacksConfigured: false },
  linkless: {},
  narrow: { enabledScopes: ['offline_access', 'docx:document'] },
} as const satisfies Record<string, NewApp>;

type Name = keyof typeof CONSOLE;

let scene: DoctorScene;
let apps: Readonly<Record<Name, App>>;
let daemon: Daemon;
let env: Record<string, string>;

before(async () => {
  scene = await newDoctorScene({ deviceIntervalSeconds: 1 });
  const made = Object.entries(CONSOLE).map(([name, app]) => [name, scene.addApp({ name, ...mutable(app) })] as const);
  apps = Object.fromEntries(made) as Record<Name, App>;
  scene.sim.faults.add({
    on: 'api',
    api: 'device_authorization',
    kind: 'code',
    code: 20027,
    appId: apps.linkless.appId,
  });
  const entries = made.map(([name, { appId, appSecret }]) => ({
    app_id: appId,
    app_secret: appSecret,
    ...(name === 'narrow' ? { auth_scopes: ['docx:document'] } : {}),
  }));
  const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, AUTHD_URL: _url, ...settings } = scene.env(apps.well);
  env = { ...settings, CONFIG_FILE: await scene.file('apps.json', JSON.stringify({ apps: entries })) };
  daemon = await newDaemon({ redisUrl: scene.redis.url, feishuUrl: scene.sim.baseUrl, env });
  await daemon.readiness(200);
  Object.assign(env, { AUTHD_URL: daemon.baseUrl(), AUTHD_API_KEY: scene.apiKey });
});

after(async () => {
  const leaks = findLeaks(Buffer.from(scene.written()), scene.secrets());
  const spent = scene.sim.refreshLedger.filter(({ used }) => used);
  await daemon.close();
  await scene.close();
  assert.deepEqual(leaks, [], 'no secret was written');
  assert.deepEqual(spent, [], 'no refresh token was spent');
});

/** A list that nobody else holds. */
const mutable = (app: NewApp): NewApp => structuredClone(app);

interface Person {
  readonly user: User;
  readonly openId: string;
  /** The card for her, once it is there. */
  card(): Promise<Message>;
  click(message: Message, action: string): Promise<{ readonly errorCode?: number | undefined }>;
}

function newPerson(app: App): Person {
  const { sim } = scene;
  const user = sim.addUser({ locale: 'en_us' });
  const openId = sim.openId(user, app.appId);
  return {
    user,
    openId,
    card: () => sim.until(() => sim.messagesTo(openId)[0], 20_000),
    click: ({ content, messageId }, action) => {
      const sessionId = /"session_id":"([^"]+)"/.exec(JSON.stringify(content))?.[1];
      return sim.click({ messageId, user, value: { action, session_id: sessionId } });
    },
  };
}

const ask = (name: Name, { openId }: Person, more: Record<string, string> = {}, wait = 30): Promise<Diagnosis> =>
  scene.diagnose({ ...env, ...more }, '--app-id', apps[name].appId, '--user', openId, '--wait', String(wait));

/** The verdicts of the round trip alone. */
const steps = ({ verdicts }: Diagnosis): string[] => verdicts.filter((verdict) => verdict.startsWith('user.'));

/** The last session of hers as an operator sees it. */
async function sessionOf({ openId }: Person, name: Name) {
  const { body } = await daemon.call('GET', `/v1/sessions?open_id=${openId}&app_id=${apps[name].appId}`, undefined, {
    authorization: `Bearer ${scene.apiKey}`,
  });
  return body.sessions[0];
}

describe('feishu-authd doctor --user', { concurrency: 4 }, () => {
  it('passes when she clicks and consents, also a second time, and spends no refresh token', async () => {
    const person = newPerson(apps.well);
    for (const round of [0, 1]) {
      const asked = ask('well', person);
      const card = await scene.sim.until(() => scene.sim.messagesTo(person.openId)[round], 20_000);
      await authorizeByCard(
        { ...newConsents(scene.sim), sim: scene.sim, entrance: null, user: person.user },
        card.messageId,
      );
      const report = await asked;
      const all = ['user.card pass', 'user.click pass', 'user.consent pass', 'user.refresh pass'];
      assert.deepEqual([report.code, steps(report)], [0, all], JSON.stringify(report.lines));
      assert.equal(report.line('daemon').status, 'pass');
      assert.ok(!report.verdicts.includes('console.callback skip'));
      assert.match(report.stderr, /^The card is on its way \(30 s for everything\)\n/);
    }
  });

  it('tells that Feishu does not deliver to her: availability; also when the daemon remembers it', async () => {
    const person = newPerson(apps.unavailable);
    const report = await ask('unavailable', person);
    assert.deepEqual(
      [report.code, steps(report)],
      [1, ['user.card fail', 'user.click skip', 'user.consent skip', 'user.refresh skip']],
    );
    const { feishu_code: code, log_id: logId, message, remedy } = report.line('user.card');
    assert.equal(code, 230013);
    assert.match(logId ?? '', /^\w{20,}$/);
    assert.match(message, /does not deliver the card: the user is outside the availability/);
    assert.match(remedy ?? '', /可用范围/);
    const again = await ask('unavailable', person);
    const line = again.line('user.card');
    assert.deepEqual([again.code, line.feishu_code, line.remedy], [1, 230013, remedy]);
    assert.match(line.message, /^The daemon does not ask her: .+ \(user_unreachable\)/);
  });

  it('tells that no click reached us: the callback is not subscribed; and leaves no card open', async () => {
    const person = newPerson(apps.deaf);
    const asked = ask('deaf', person, { LANG: 'zh_CN.UTF-8' }, 4);
    const { errorCode } = await person.click(await person.card(), 'authorize');
    assert.equal(errorCode, 200340);
    const report = await asked;
    assert.deepEqual(
      [report.code, steps(report)],
      [1, ['user.card pass', 'user.click fail', 'user.consent skip', 'user.refresh skip']],
    );
    assert.match(report.line('user.click').message, /4 秒内没有点击到达守护进程/);
    assert.match(report.line('user.click').remedy ?? '', /200340.*回调配置.*使用长连接接收回调.*卡片回传交互/);
    assert.match(report.stderr, /^卡片正在发送（总共 4 秒）\n卡片已送达/);
    assert.equal((await sessionOf(person, 'deaf')).state, 'invalidated');
  });

  it('tells that no link can be made, with the code of Feishu', async () => {
    const person = newPerson(apps.linkless);
    const asked = ask('linkless', person);
    await person.click(await person.card(), 'authorize');
    const report = await asked;
    assert.deepEqual(
      [report.code, steps(report)],
      [1, ['user.card pass', 'user.click pass', 'user.consent fail', 'user.refresh skip']],
    );
    const { feishu_code: code, message, remedy } = report.line('user.consent');
    assert.deepEqual([code, message], [20027, 'No link can be made: a scope is not enabled for the app']);
    assert.match(remedy ?? '', /权限管理/);
    assert.equal(report.line('device_authorization').feishu_code, 20027);
  });

  it('tells that she clicked and did not consent in time, and ends the session', async () => {
    const person = newPerson(apps.well);
    const asked = ask('well', person, {}, 5);
    await person.click(await person.card(), 'authorize');
    const report = await asked;
    assert.deepEqual(
      [report.code, steps(report)],
      [1, ['user.card pass', 'user.click pass', 'user.consent fail', 'user.refresh skip']],
    );
    assert.match(report.line('user.consent').message, /not consented within 5 s/);
    assert.match(report.line('user.consent').remedy ?? '', /20027.*20010/);
    assert.equal((await sessionOf(person, 'well')).state, 'invalidated');
  });

  it('takes a decline for what it is: the click has come', async () => {
    const person = newPerson(apps.well);
    const asked = ask('well', person);
    await person.click(await person.card(), 'decline');
    const report = await asked;
    assert.deepEqual(
      [report.code, steps(report)],
      [0, ['user.card pass', 'user.click pass', 'user.consent skip', 'user.refresh skip']],
    );
    assert.match(report.line('user.consent').message, /declined/);
  });

  it('tells a consent without refresh token, and one without all scopes', async () => {
    const [whole, partial] = [newPerson(apps.narrow), newPerson(apps.narrow)];
    const trouble = { on: 'api', api: 'token', appId: apps.narrow.appId, grant: 'device_code' } as const;
    const gone = ['refresh_token', 'refresh_token_expires_in'];
    const pending = scene.sim.faults.add({ ...trouble, kind: 'rewrite', remove: gone });
    const without = ask('narrow', whole);
    await authorizeByCard(
      { ...newConsents(scene.sim), sim: scene.sim, entrance: null, user: whole.user },
      (await whole.card()).messageId,
    );
    const report = await without;
    pending.clear();
    assert.deepEqual(
      [report.code, steps(report)],
      [1, ['user.card pass', 'user.click pass', 'user.consent pass', 'user.refresh fail']],
    );
    assert.match(report.line('user.refresh').remedy ?? '', /offline_access.*刷新 user_access_token/);

    const asked = ask('narrow', partial);
    const card = await partial.card();
    await partial.click(card, 'authorize');
    const code = await scene.sim.until(() => {
      const shown = JSON.stringify(scene.sim.message(card.messageId)?.content);
      return scene.sim.deviceCodes().find(({ userCode }) => shown.includes(userCode));
    }, 10_000);
    scene.sim.consent({ userCode: code.userCode, user: partial.user, scopes: ['offline_access'] });
    const less = await asked;
    assert.deepEqual([less.code, less.line('user.consent').status], [1, 'fail']);
    assert.match(less.line('user.consent').message, /docx:document$/);
  });

  it('tells a daemon that is away, and a key that it does not take', async () => {
    const person = newPerson(apps.well);
    const [away, stranger] = await Promise.all([
      ask('well', person, { AUTHD_URL: `http://127.0.0.1:${await freePort()}` }),
      ask('well', person, { AUTHD_API_KEY: 'x'.repeat(40) }),
    ]);
    assert.deepEqual([away.code, away.line('daemon').status, away.line('user.card').blame], [4, 'fail', 'network']);
    assert.deepEqual([stranger.code, stranger.line('user.card').blame], [2, 'configuration']);
    assert.match(stranger.line('user.card').remedy ?? '', /AUTHD_API_KEY is the secret alone/);
  });

  it('wants a key, and one app of several, before it looks at anything', async () => {
    const { openId } = newPerson(apps.well);
    const [several, keyless] = await Promise.all([
      scene.run(['doctor', '--user', openId], env),
      scene.run(['doctor', '--user', openId, '--app-id', apps.well.appId], { ...env, AUTHD_API_KEY: '' }),
    ]);
    assert.deepEqual([several.code, several.stdout], [2, '']);
    assert.match(several.stderr, /^feishu-authd: Several apps are configured: name one of cli_.+ by --app-id\n$/);
    assert.deepEqual([keyless.code, keyless.stdout], [2, '']);
    assert.match(keyless.stderr, /AUTHD_API_KEY is not set/);
  });

  it('ends at Ctrl-C, and the session with it', async () => {
    const person = newPerson(apps.well);
    const asking = startCli(['doctor', '--user', person.openId, '--app-id', apps.well.appId], env);
    await asking.says('let her click Authorize now');
    asking.signal('SIGINT');
    const { signal, stdout } = await asking.ended;
    assert.deepEqual([signal, stdout], ['SIGINT', '']);
    assert.equal((await sessionOf(person, 'well')).state, 'invalidated');
  });
});
