/** `feishu-authd doctor` as shipped, each check made to fail by a real fault, the right line with the right remedy. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { checkProtection } from '../../src/doctor/checks/redis-protection.js';
import { createEnvelope } from '../../src/store/envelope.js';
import { selfSigned } from '../http/self-signed.js';
import { freePort } from '../simulator/demo/free-port.js';
import { type Simulator, startSimulator } from '../simulator/index.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { type DoctorScene, newDoctorScene } from '../support/doctor.js';
import { findLeaks } from '../support/leaks.js';
import { newRedisServer } from '../support/redis-server.js';

let scene: DoctorScene;

before(async () => {
  scene = await newDoctorScene();
});

after(async () => {
  const leaks = findLeaks(Buffer.from(scene.written()), scene.secrets());
  await scene.close();
  assert.deepEqual(leaks, [], 'no secret was written');
});

const WELL = [
  'configuration pass',
  'redis pass',
  'redis.eviction pass',
  'redis.persistence pass',
  'redis.clock pass',
  'redis.protection pass',
  'encryption_keys pass',
  'state_dir pass',
  'host.open pass',
  'host.accounts pass',
  'host.applink pass',
  'setup pass',
  'credentials pass',
  'brand pass',
  'long_connection pass',
  'ip_allow_list pass',
  'bot_scopes pass',
  'withdrawals skip',
  'user_scopes pass',
  'device_authorization pass',
  'console.callback skip',
  'console.availability skip',
  'console.refresh skip',
  'console.release skip',
  'console.environment skip',
  'daemon skip',
];

/** The verdicts when all is well but these. */
const wellBut = (...others: readonly string[]): string[] => {
  const changed = new Map(others.map((verdict) => [verdict.split(' ')[0], verdict]));
  return WELL.map((verdict) => changed.get(verdict.split(' ')[0]) ?? verdict);
};

describe('feishu-authd doctor', { concurrency: 4 }, () => {
  it('passes where all is well, changes nothing, opens no connection, and names what it cannot know', async () => {
    const app = scene.addApp();
    const env = scene.env(app);
    const report = await scene.diagnose(env);
    assert.deepEqual([report.code, report.stderr, report.verdicts], [0, '', WELL]);
    for (const line of report.lines) {
      assert.deepEqual([line.blame, line.feishu_code, line.log_id], [null, null, null], line.check);
      assert.equal(line.remedy !== null, line.status === 'skip', line.check);
    }
    assert.match(report.line('console.callback').remedy ?? '', /回调配置.*使用长连接接收回调.*doctor --user/);
    assert.match(report.line('console.refresh').remedy ?? '', /刷新 user_access_token/);
    assert.match(report.line('console.release').remedy ?? '', /版本管理与发布/);
    assert.deepEqual(await scene.redis.client.keys(`${env['REDIS_KEY_PREFIX']}*`), []);
    await assert.rejects(stat(env['STATE_DIR'] ?? ''), { code: 'ENOENT' });
    assert.deepEqual([scene.sim.connections(app.appId), scene.sim.messages()], [[], []]);
  });

  it('shows lines with the remedy under them, in Chinese where LANG says so', async () => {
    const env = { ...scene.env(scene.addApp()), FEISHU_APP_SECRET: 'notTheSecretOfThisApp' };
    const [chinese, english] = await Promise.all([
      scene.run(['doctor'], { ...env, LANG: 'zh_CN.UTF-8' }),
      scene.run(['doctor', '--lang', 'en'], { ...env, LANG: 'zh_CN.UTF-8' }),
    ]);
    assert.deepEqual([chinese.code, english.code], [1, 1]);
    assert.match(
      chinese.stdout,
      /^失败 {2}应用凭证 +App Secret 错误，或应用已停用（飞书错误码 10014，日志号 \w+）\n +→ 对照开发者后台「凭证/m,
    );
    assert.match(chinese.stdout, /\n通过 12，警告 0，失败 3，跳过 8\n$/);
    assert.equal(chinese.stderr, 'feishu-authd: 有 3 项检查失败\n');
    for (const line of chinese.stdout.split('\n').slice(0, -3)) assert.match(line, /\p{Script=Han}/u);
    assert.match(
      english.stdout,
      /^FAIL {2}Credentials +Wrong app secret, .+ \(Feishu's code 10014, log id \w+\)\n +→ Compare/m,
    );
    assert.match(english.stdout, /\n12 passed, 0 warned, 3 failed, 8 skipped\n$/);
  });

  it('tells a wrong secret by every call that needs it', async () => {
    const report = await scene.diagnose({ ...scene.env(scene.addApp()), FEISHU_APP_SECRET: 'notTheSecretOfThisApp' });
    assert.equal(report.code, 1);
    const codes = ['credentials', 'long_connection', 'device_authorization'].map((check) => {
      const { blame, feishu_code: code, remedy, status } = report.line(check);
      assert.match(remedy ?? '', /FEISHU_APP_SECRET/);
      return [status, blame, code];
    });
    assert.deepEqual(codes, [
      ['fail', 'refused', 10014],
      ['fail', 'refused', 514],
      ['fail', 'refused', null],
    ]);
    assert.match(report.line('device_authorization').message, /invalid_client/);
    assert.match(report.line('credentials').log_id ?? '', /^\w{20,}$/);
    assert.deepEqual([report.line('brand').status, report.line('user_scopes').status], ['skip', 'skip']);
  });

  it('tells why credentials are refused', async () => {
    const codes = [10015, 99991543, 99991673];
    const apps = codes.map((code) => {
      const { appId, appSecret } = scene.addApp();
      scene.sim.faults.add({ on: 'api', api: 'tenant_access_token', kind: 'code', code, appId });
      return { app_id: appId, app_secret: appSecret };
    });
    const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, ...rest } = scene.env(scene.addApp());
    const report = await scene.diagnose({
      ...rest,
      CONFIG_FILE: await scene.file('refused.json', JSON.stringify({ apps })),
    });
    const lines = report.lines.filter(({ check }) => check === 'credentials');
    assert.deepEqual(
      lines.map(({ feishu_code: code, message }) => [code, message]),
      [
        [10015, 'Wrong app secret'],
        [99991543, 'App id or app secret is wrong'],
        [99991673, 'The app is not available in this tenant'],
      ],
    );
  });

  it('tells the other brand by the code of the endpoint', async () => {
    const report = await scene.diagnose(scene.env(scene.addApp({ brand: 'lark' })));
    const brand = report.line('brand');
    assert.deepEqual([report.code, brand.status, brand.feishu_code], [2, 'fail', 1000040351]);
    assert.match(brand.remedy ?? '', /FEISHU_BRAND=lark/);
    assert.equal(report.line('long_connection').feishu_code, 1000040351);
  });

  it('tells the other brand by asking its host, over TLS and the proxy of the daemon', async (t) => {
    const clouds = await playClouds(t);
    const app = clouds.lark.addApp({ brand: 'lark', enabledScopes: ['offline_access'] });
    givesSecureAddress(clouds.lark, app.appId);
    const env = { ...withoutHosts(scene.env(app)), ...clouds.env };
    const wrong = await scene.diagnose(env);
    assert.deepEqual([wrong.code, wrong.line('brand').blame], [2, 'configuration'], JSON.stringify(wrong.lines));
    assert.match(wrong.line('brand').message, /belongs to Lark/);
    assert.match(wrong.line('brand').remedy ?? '', /FEISHU_BRAND=lark/);
    assert.match(
      wrong.line('host.open').message,
      /^https:\/\/open\.feishu\.cn answers in \d+ ms by proxy http:\/\/127/,
    );
    const right = await scene.diagnose({ ...env, FEISHU_BRAND: 'lark' });
    assert.deepEqual([right.code, right.verdicts], [0, WELL], JSON.stringify(right.lines));
    assert.deepEqual(clouds.strays(), []);
  });

  it('tells an address that is not in the IP allow-list, although the credentials are accepted', async () => {
    const report = await scene.diagnose(scene.env(scene.addApp({ ipAllowed: false })));
    const line = report.line('ip_allow_list');
    assert.deepEqual([report.code, line.status, line.feishu_code], [1, 'fail', 99991401]);
    assert.match(line.remedy ?? '', /IP 白名单/);
    assert.deepEqual([report.line('credentials').status, report.line('user_scopes').status], ['pass', 'skip']);
  });

  it('names scopes of AUTH_SCOPES and of clients that are missing, and those that users cannot grant', async () => {
    const app = scene.addApp({ tenantScopes: ['im:message', 'application:application:self_manage', 'hr:only_app'] });
    const client = (id: string, scopes: string[], apps?: string[]) => ({
      id,
      secret_sha256: [createHash('sha256').update(id).digest('hex')],
      actions: ['ask'],
      scopes,
      ...(apps === undefined ? {} : { apps }),
    });
    const clients = [client('crm', ['crm:read', 'hr:only_app']), client('other', ['x:y'], ['cli_0000000000000000'])];
    const second = { app_id: 'cli_0000000000000000', app_secret: 'secretOfTheSecondApp1' };
    const apps = [{ app_id: app.appId, app_secret: app.appSecret, auth_scopes: ['docx:document'] }, second];
    const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, ...env } = scene.env(app);
    const file = await scene.file('scopes.json', JSON.stringify({ apps, clients }));
    const report = await scene.diagnose({ ...env, CONFIG_FILE: file }, '--app-id', app.appId);
    assert.equal(report.code, 1, report.stderr);
    const lines = report.lines.filter(({ check }) => check === 'user_scopes');
    assert.deepEqual(
      lines.map(({ message, status }) => [status, message]),
      [
        ['fail', 'Not enabled in the console: docx:document crm:read'],
        ['fail', 'Enabled for the app itself only, not for users: hr:only_app'],
      ],
    );
    assert.match(lines[0]?.remedy ?? '', /权限管理.*USER.*版本管理与发布/);
    assert.match(lines[1]?.remedy ?? '', /take it out of AUTH_SCOPES/);
    const device = report.line('device_authorization');
    assert.match(device.message, /\(invalid_scope\): docx:document crm:read hr:only_app$/);
  });

  it('finds out by device authorization which scope is refused where the app may not ask for its scopes', async () => {
    const app = scene.addApp({ tenantScopes: [], enabledScopes: ['docx:document'] });
    const report = await scene.diagnose({ ...scene.env(app), AUTH_SCOPES: 'docx:document' });
    const scopes = report.line('user_scopes');
    assert.deepEqual([report.code, scopes.status, scopes.feishu_code], [1, 'skip', 99991672]);
    assert.match(scopes.remedy ?? '', /application:application:self_manage/);
    assert.equal(report.line('ip_allow_list').status, 'pass');
    assert.match(report.line('device_authorization').message, /: offline_access$/);
  });

  it('tells permissions of the bot that are missing', async () => {
    const app = scene.addApp({ tenantScopes: ['application:application:self_manage', 'im:message:update'] });
    const report = await scene.diagnose(scene.env(app));
    assert.deepEqual([report.code, report.verdicts], [1, wellBut('bot_scopes fail', 'withdrawals warn')]);
    assert.match(report.line('withdrawals').remedy ?? '', /auth:user_access_token:read.*revoked_v4/);
    assert.match(report.line('bot_scopes').message, /may not send cards \(one of im:message, im:message:send_as_bot/);
  });

  it('asks for no long connection where callbacks come by HTTP, and names the address to register', async () => {
    const app = scene.addApp();
    const byHttp = { CARD_CALLBACK: 'http', FEISHU_ENCRYPT_KEY: 'k'.repeat(32), CALLBACK_SERVER_ENABLED: 'true' };
    const report = await scene.diagnose({ ...scene.env(app), ...byHttp });
    assert.deepEqual([report.code, scene.sim.endpointCalls(app.appId)], [0, []]);
    const { message, remedy, status } = report.line('long_connection');
    assert.equal(status, 'skip');
    assert.ok(message.includes(`/callback/cards/${app.appId} `), message);
    assert.match(`${remedy}`, /回调配置.*事件配置/);
    assert.match(`${report.line('console.callback').remedy}`, /callback server/);
  });

  it('warns of what passes by itself', async () => {
    const app = scene.addApp();
    const busy = { on: 'api', kind: 'code', appId: app.appId } as const;
    scene.sim.faults.add({ ...busy, api: 'endpoint', code: 1 });
    scene.sim.faults.add({ ...busy, api: 'app_info', code: 99991400 });
    scene.sim.faults.add({ ...busy, api: 'device_authorization', code: 20050, status: 500 });
    const report = await scene.diagnose(scene.env(app));
    assert.equal(report.code, 0);
    for (const [check, code] of [
      ['long_connection', 1],
      ['user_scopes', 99991400],
      ['device_authorization', 20050],
    ] as const) {
      const { feishu_code: found, remedy, status } = report.line(check);
      assert.deepEqual([status, found, remedy], ['warn', code, 'Run doctor again in a minute.'], check);
    }
  });

  it('tells a portal that answers in place of Feishu', async () => {
    const app = scene.addApp();
    scene.sim.faults.add({ on: 'api', api: '*', kind: 'html', status: 200, appId: app.appId });
    const report = await scene.diagnose(scene.env(app));
    assert.equal(report.code, 4);
    for (const check of ['credentials', 'long_connection', 'device_authorization']) {
      assert.deepEqual([report.line(check).status, report.line(check).blame], ['fail', 'network'], check);
    }
  });

  it('ends in time when Feishu takes calls and never answers', async () => {
    const app = scene.addApp();
    scene.sim.faults.add({ on: 'api', api: '*', kind: 'hang', appId: app.appId });
    const startedAt = performance.now();
    const report = await scene.diagnose(scene.env(app));
    assert.deepEqual([report.code, report.line('credentials').blame], [4, 'network']);
    assert.match(report.line('credentials').message, /no reply within 5000 ms/);
    assert.ok(performance.now() - startedAt < 20_000);
  });

  it('has lines for each of several apps, and for one of them by --app-id', async () => {
    const good = scene.addApp();
    const bad = scene.addApp();
    const apps = [
      { app_id: good.appId, app_secret: good.appSecret },
      { app_id: bad.appId, app_secret: 'notTheSecretOfThisApp' },
    ];
    const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, ...rest } = scene.env(good);
    const env = { ...rest, CONFIG_FILE: await scene.file('several.json', JSON.stringify({ apps })) };
    const [all, one, none, text] = await Promise.all([
      scene.diagnose(env),
      scene.diagnose(env, '--app-id', good.appId),
      scene.diagnose(env, '--app-id', 'cli_ffffffffffffffff'),
      scene.run(['doctor'], env),
    ]);
    const credentials = all.lines.filter(({ check }) => check === 'credentials');
    assert.deepEqual(
      credentials.map(({ app_id: id, status }) => [id, status]),
      [
        [good.appId, 'pass'],
        [bad.appId, 'fail'],
      ],
    );
    assert.equal(all.lines.filter(({ check }) => check === 'host.open').length, 1);
    assert.deepEqual([all.code, one.code, one.verdicts], [1, 0, WELL]);
    assert.deepEqual([none.code, none.lines], [2, []]);
    assert.match(none.stderr, /--app-id cli_f+ is none of cli_\w+, cli_\w+\n$/);
    assert.match(text.stdout, new RegExp(`FAIL {2}Credentials +${bad.appId}: Wrong app secret`));
  });

  it('tells a Redis that evicts keys and does not keep them', async (t) => {
    const redis = await newRedisServer(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
    t.after(() => redis.close());
    const env = { ...scene.env(scene.addApp()), REDIS_URL: redis.url };
    const [refused, allowed] = await Promise.all([
      scene.diagnose(env),
      scene.diagnose({ ...env, REDIS_ALLOW_EVICTION: 'true' }),
    ]);
    assert.deepEqual([refused.code, refused.verdicts], [2, wellBut('redis.eviction fail', 'redis.persistence warn')]);
    assert.match(refused.line('redis.eviction').message, /maxmemory-policy is allkeys-lru/);
    assert.match(refused.line('redis.eviction').remedy ?? '', /maxmemory-policy noeviction/);
    assert.match(refused.line('redis.persistence').remedy ?? '', /appendonly yes/);
    assert.deepEqual([allowed.code, allowed.line('redis.eviction').status], [0, 'warn']);
    const replica = await newRedisServer(['--replicaof', '127.0.0.1', String(redis.port), '--appendonly', 'no']);
    t.after(() => replica.close());
    const following = await scene.diagnose({ ...env, REDIS_URL: replica.url });
    assert.deepEqual([following.code, following.line('redis').status], [2, 'fail']);
    assert.match(following.line('redis').remedy ?? '', /primary/);
  });

  it('tells a Redis that is away, wants a password, or is none', async (t) => {
    const env = scene.env(scene.addApp());
    const locked = await newRedisServer(['--requirepass', 'thePasswordOfRedis1']);
    t.after(() => locked.close());
    const other = createTcpServer((socket) => socket.on('error', () => undefined).write('SSH-2.0-OpenSSH_9.2\r\n'));
    t.after(() => other.close());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const [away, noPassword, wrongPassword, right, ssh] = await Promise.all(
      [
        `redis://127.0.0.1:${await freePort()}`,
        locked.url,
        locked.url.replace('//', '//:notThePassword@'),
        locked.url.replace('//', '//:thePasswordOfRedis1@'),
        `redis://127.0.0.1:${(other.address() as AddressInfo).port}`,
      ].map((url) => scene.diagnose({ ...env, REDIS_URL: url })),
    );
    assert.deepEqual(
      [away, noPassword, wrongPassword, right, ssh].map((report) => [report?.code, report?.line('redis').blame]),
      [
        [4, 'network'],
        [2, 'configuration'],
        [2, 'configuration'],
        [0, null],
        [4, 'network'],
      ],
    );
    assert.match(away?.line('redis').message ?? '', /there is no connection \(ECONNREFUSED\)/);
    assert.match(wrongPassword?.line('redis').message ?? '', /WRONGPASS/);
    assert.match(ssh?.line('redis').message ?? '', /something else than Redis/);
    assert.deepEqual([away?.line('encryption_keys').status, away?.line('credentials').status], ['skip', 'pass']);
    assert.doesNotMatch(scene.written(), /thePasswordOfRedis1|notThePassword/);
  });

  it('tells keys the store was written with that are missing or others', async () => {
    const app = scene.addApp();
    const check = (base64: string): string =>
      createEnvelope([{ id: 'k1', key: Buffer.from(base64, 'base64') }]).checkValue('k1');
    const [missing, wrong, right] = [scene.env(app), scene.env(app), scene.env(app)];
    const { client } = scene.redis;
    await client.hset(`${missing['REDIS_KEY_PREFIX']}:keys`, 'k0', check(Buffer.alloc(32, 'x').toString('base64')));
    await client.hset(`${wrong['REDIS_KEY_PREFIX']}:keys`, 'k1', check(Buffer.alloc(32, 'x').toString('base64')));
    await client.hset(`${right['REDIS_KEY_PREFIX']}:keys`, 'k1', check(scene.encryptionKey));
    const before = (await client.keys('*')).sort();
    const reports = await Promise.all([missing, wrong, right].map((env) => scene.diagnose(env)));
    assert.deepEqual(
      reports.map(({ code, line }) => [code, line('encryption_keys').status]),
      [
        [2, 'fail'],
        [2, 'fail'],
        [0, 'pass'],
      ],
    );
    assert.match(reports[0]?.line('encryption_keys').message ?? '', /key "k0", which is not configured/);
    assert.match(reports[0]?.line('encryption_keys').remedy ?? '', /Add key "k0" to TOKEN_ENCRYPTION_KEYS again/);
    assert.match(reports[1]?.line('encryption_keys').message ?? '', /Key "k1" is not the key of that name/);
    assert.deepEqual((await client.keys('*')).sort(), before);
  });

  it('tells a state folder that cannot be written, is open to others, or holds tokens that wait', async () => {
    const app = scene.addApp();
    const [unwritable, open] = [scene.env(app), scene.env(app)];
    unwritable['STATE_DIR'] = join(await scene.file('no-folder', 'x'), 'state');
    const folder = open['STATE_DIR'] ?? '';
    await mkdir(join(folder, 'spool'), { recursive: true });
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'spool', '1-as_x-y.sealed'), 'x');
    const [no, yes] = await Promise.all([scene.diagnose(unwritable), scene.diagnose(open)]);
    assert.deepEqual([no.code, no.verdicts], [2, wellBut('state_dir fail')]);
    assert.match(no.line('state_dir').message, /cannot be written \(ENOTDIR\)/);
    assert.equal(yes.code, 0);
    assert.deepEqual([yes.line('state_dir').status, yes.line('spool').status], ['warn', 'warn']);
    assert.match(yes.line('state_dir').message, /mode 0755/);
    assert.match(yes.line('spool').message, /^1 token sets wait/);
  });

  it('wants password and TLS off loopback', () => {
    const verdict = (url: string): string => {
      const { means, status } = checkProtection(url);
      return `${status} ${means.en}`;
    };
    assert.match(verdict('redis://127.0.0.1:6379'), /^pass/);
    assert.match(verdict('redis://[::1]:6379'), /^pass/);
    assert.match(verdict('rediss://u:p@redis.internal:6379'), /^pass/);
    assert.match(verdict('redis://redis.internal:6379'), /^warn .+ without a password and without TLS$/);
    assert.match(verdict('redis://u:p@10.0.0.5:6379'), /^warn .+ without TLS$/);
    assert.match(verdict('rediss://10.0.0.5:6379'), /^warn .+ without a password$/);
  });

  it('tells a certificate that is not accepted, and passes with its authority', async (t) => {
    const { cert, key } = selfSigned();
    const port = await playHttps(t, { cert, key, upstream: () => new URL(scene.sim.baseUrl) });
    const app = scene.addApp();
    givesSecureAddress(scene.sim, app.appId, `127.0.0.1:${port}`);
    const env = { ...scene.env(app), ...everywhere(`https://127.0.0.1:${port}`) };
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: await scene.file('authority.pem', cert) };
    const [strict, trusted] = await Promise.all([scene.diagnose(env), scene.diagnose(trusting)]);
    assert.equal(strict.code, 4);
    for (const role of ['open', 'accounts', 'applink']) {
      const { blame, message, remedy } = strict.line(`host.${role}`);
      assert.equal(blame, 'network');
      assert.match(message, /certificate is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
      assert.match(remedy ?? '', /NODE_EXTRA_CA_CERTS/);
    }
    assert.deepEqual([strict.line('credentials').status, strict.line('device_authorization').status], ['skip', 'skip']);
    assert.deepEqual([trusted.code, trusted.verdicts], [0, WELL]);
  });

  it('tells a name that cannot be resolved, a closed port, a proxy that is away or refuses', async (t) => {
    const app = scene.addApp();
    const proxy = await startConnectProxy();
    t.after(() => proxy.close());
    proxy.behave({ refuse: 403 });
    const env = scene.env(app);
    const [dns, closed, away, refusing] = await Promise.all([
      scene.diagnose({ ...env, ...everywhere('https://open.doctor.invalid') }),
      scene.diagnose({ ...env, FEISHU_ACCOUNTS_BASE_URL: `http://127.0.0.1:${await freePort()}` }),
      scene.diagnose({ ...env, HTTP_PROXY: `http://me:pr0xyPassw0rd@127.0.0.1:${await freePort()}` }),
      scene.diagnose({ ...env, HTTP_PROXY: proxy.url }),
    ]);
    assert.deepEqual(
      [dns, closed, away, refusing].map(({ code }) => code),
      [4, 4, 4, 4],
    );
    assert.match(dns.line('host.open').message, /name cannot be resolved \(E(NOTFOUND|AI_AGAIN)\)/);
    assert.match(dns.line('host.open').remedy ?? '', /DNS/);
    assert.deepEqual(closed.verdicts, wellBut('host.accounts fail', 'device_authorization skip'));
    assert.match(closed.line('host.accounts').message, /there is no connection \(ECONNREFUSED\)/);
    assert.match(away.line('host.open').message, /proxy does not let .+ \(ECONNREFUSED\) by proxy http:\/\/127/);
    assert.match(refusing.line('host.open').message, /\(HTTP 403\) by proxy/);
    assert.match(refusing.line('host.open').remedy ?? '', /HTTPS_PROXY.*CONNECT/);
    assert.doesNotMatch(scene.written(), /pr0xyPassw0rd/);
  });

  it('names every problem of a configuration that would not start, and looks at nothing else', async () => {
    const env = { ...scene.env(scene.addApp()), HTTP_PORT: 'many', REDIS_URL: 'ftp://x', LOG_LEVLE: 'info' };
    const report = await scene.diagnose(env);
    assert.deepEqual(
      [report.code, report.verdicts],
      [2, ['configuration fail', 'configuration fail', 'configuration skip', 'daemon skip']],
    );
    assert.match(report.lines[0]?.message ?? '', /^HTTP_PORT "many" is not a whole number; accepted: a whole number/);
    assert.match(report.lines[1]?.message ?? '', /^REDIS_URL .+ accepted: redis:\/\/\[user:password@\]host/);
    const warned = await scene.diagnose({ ...scene.env(scene.addApp()), LOG_LEVLE: 'info' });
    assert.deepEqual([warned.code, warned.lines[1]?.status], [0, 'warn']);
    assert.match(warned.lines[1]?.message ?? '', /LOG_LEVLE.+did you mean LOG_LEVEL/);
  });
});

const GATEWAY = 'msg-frontier.feishu.cn';

/** The gateway's address as the real endpoint gives it: the daemon takes no plain one from an endpoint with TLS. */
function givesSecureAddress(sim: Simulator, appId: string, host = GATEWAY): void {
  const address = `wss://${host}/ws/v2?fpid=493&device_id=1&access_key=9f8e7d6c5b4a39281706&service_id=7`;
  sim.faults.add({ on: 'api', api: 'endpoint', kind: 'rewrite', appId, set: { 'data.URL': address } });
}

const everywhere = (url: string): Record<string, string> => ({
  FEISHU_API_BASE_URL: url,
  FEISHU_ACCOUNTS_BASE_URL: url,
  FEISHU_APPLINK_BASE_URL: url,
});

const withoutHosts = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^FEISHU_.+_BASE_URL$/.test(name)));

/** A TLS listener that hands what it gets to a plain HTTP server. */
async function playHttps(
  t: TestContext,
  options: { readonly cert: string; readonly key: string; readonly upstream: (servername: string) => URL },
): Promise<number> {
  const server = createServer({ cert: options.cert, key: options.key }, (socket) => {
    const { port } = options.upstream(socket.servername || '');
    const upstream = connect(Number(port), '127.0.0.1');
    for (const side of [socket, upstream]) {
      side.on('error', () => undefined);
      side.once('close', () => {
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Both clouds of Feishu under their real names, behind a proxy: what the daemon sees by default. */
async function playClouds(t: TestContext) {
  const roles = ['open', 'accounts', 'applink'];
  const hosts = [GATEWAY, ...roles.flatMap((role) => [`${role}.feishu.cn`, `${role}.larksuite.com`])];
  const lark = await startSimulator({ brand: 'lark' });
  t.after(() => lark.close());
  const { cert, key } = selfSigned(hosts);
  const upstream = (name: string): URL => new URL(name.endsWith('.larksuite.com') ? lark.baseUrl : scene.sim.baseUrl);
  const port = await playHttps(t, { cert, key, upstream });
  const routes = new Map(hosts.map((host) => [`${host}:443`, port]));
  const proxy = await startConnectProxy({ routes });
  t.after(() => proxy.close());
  return {
    lark,
    env: { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: await scene.file('clouds.pem', cert) },
    strays: () => proxy.tunnels.filter((target) => !routes.has(target)),
  };
}
