/**
 * What `doctor` says of what comes back to us by HTTP: the redirect URI of the authorization code grant, the callback
 * server, HTTP callbacks; and the way round what an app or a network does not allow. Each mistake is made on real sockets.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { checkCallbacks } from '../../src/doctor/callback-checks.js';
import { checkRedirectUri } from '../../src/doctor/checks/redirect-uri.js';
import type { CheckName, Finding } from '../../src/doctor/finding.js';
import { selfSigned } from '../http/self-signed.js';
import { freePort } from '../simulator/demo/free-port.js';
import type { App } from '../simulator/directory.js';
import { linkIn, newConsents } from '../support/consents.js';
import { type Daemon, newDaemon } from '../support/daemon.js';
import { type DoctorScene, newDoctorScene } from '../support/doctor.js';
import { findLeaks } from '../support/leaks.js';
import { type Scripted, startScriptedServer } from '../support/scripted-server.js';

const KEY = 'theEncryptKeyOfTheConsole1';
const TOKEN = 'theVerificationTokenOfTheConsole1';

let scene: DoctorScene;
let app: App;
let daemon: Daemon;
/** Of the daemon, and of a doctor that knows as much. */
let env: Record<string, string>;
let uri: string;

before(async () => {
  scene = await newDoctorScene();
  const port = await freePort();
  uri = `http://127.0.0.1:${port}/callback`;
  const callbackUrl = `${uri}/cards`;
  app = scene.addApp({ redirectUris: [uri], encryptKey: KEY, verificationToken: TOKEN });
  scene.sim.changeApp(app.appId, { callbackUrl: `${callbackUrl}/${app.appId}` });
  const { AUTHD_URL: _url, ...settings } = scene.env(app);
  env = {
    ...settings,
    AUTH_GRANT: 'authorization_code',
    CARD_CALLBACK: 'http',
    OAUTH_REDIRECT_URI: uri,
    CALLBACK_SERVER_ENABLED: 'true',
    CALLBACK_SERVER_HOST: '127.0.0.1',
    CALLBACK_SERVER_PORT: String(port),
    FEISHU_ENCRYPT_KEY: KEY,
    FEISHU_VERIFICATION_TOKEN: TOKEN,
  };
  daemon = await newDaemon({ redisUrl: scene.redis.url, feishuUrl: scene.sim.baseUrl, env });
  await daemon.readiness(200);
  Object.assign(env, { AUTHD_URL: daemon.baseUrl(), AUTHD_API_KEY: scene.apiKey });
});

after(async () => {
  const secrets = scene.secrets().set('encrypt key', KEY).set('verification token', TOKEN);
  const leaks = findLeaks(Buffer.from(scene.written()), secrets);
  await daemon.close();
  await scene.close();
  assert.deepEqual(leaks, [], 'no secret was written');
});

/** The checks of this machine with these settings on top, as lines by their names. */
async function look(more: Record<string, string> = {}, { daemonRuns = false, timeoutMs = 2_000 } = {}) {
  const { config } = loadConfig({ env: { ...env, ...more } });
  const findings = await checkCallbacks({ config, apps: config.apps, daemonRuns, timeoutMs });
  return (check: CheckName): Finding => {
    const found = findings.find((finding) => finding.check === check);
    assert.ok(found, `no line ${check}`);
    assert.ok(/\p{Script=Han}/u.test(found.means.zh + (found.remedy?.zh ?? '')), `${check} in Chinese`);
    return found;
  };
}

const says = ({ means, remedy, status }: Finding): string => `${status} ${means.en} → ${remedy?.en ?? ''}`;

/** Somebody else at the redirect URI. */
async function stranger(t: TestContext, answer: Scripted, path = '/callback'): Promise<string> {
  const server = await startScriptedServer(() => answer);
  t.after(() => server.stop());
  return `${server.url}${path}`;
}

describe('the spelling of the redirect URI', () => {
  const spelling = (value: string): string => {
    const { config } = loadConfig({ env: { ...env, OAUTH_REDIRECT_URI: value } });
    return checkRedirectUri({ uri: value, config }).map(says).join('\n');
  };
  const CASES: readonly [uri: string, says: RegExp][] = [
    [
      'https://auth.corp.example/callback',
      /^pass https:\/\/auth\.corp\.example\/callback is spelled .+ proxy must stand/,
    ],
    ['http://auth.corp.example/callback', /^warn .+ in clear → Use https/],
    ['https://localhost/callback', /^warn .+ browser on this machine only → .+ intranet is enough/],
    ['http://127.0.0.1:8000/callback', /^warn .+ this machine only[^\n]+$/],
    ['https://auth.corp.example/callback/', /^warn .+ ends with a slash.+ → Leave the slash out/],
    ['https://Auth.corp.example/callback', /^warn .+ upper case .+ → Write scheme and host in lower case/],
    ['https://auth.corp.example:443/callback', /^warn .+ default port.+ → Leave the port out/],
    ['https://auth.corp.example', /^warn .+ has no path.+ → End it with \/callback/],
    ['https://auth.corp.example/%63allback', /^warn .+ several ways .+ → Use letters/],
    ['https://auth.corp.example/a/../callback', /^warn .+\/\.\.\/ in its path/],
    ['https://auth.corp.example/callback?x=1', /^warn .+ has a query.+ → Leave everything from the \? on out/],
  ];
  for (const [value, expected] of CASES) it(`is judged: ${value}`, () => assert.match(spelling(value), expected));

  it('shows no password, and asks nobody', async () => {
    const value = 'https://me:secretOfMine1@auth.corp.example/callback';
    assert.match(spelling(value), /^fail OAUTH_REDIRECT_URI holds a user name or password → Take it out/);
    assert.doesNotMatch(spelling(value), /secretOfMine1/);
    const line = await look({ OAUTH_REDIRECT_URI: value });
    assert.throws(() => line('redirect_uri.reach'), /no line/);
    const report = await scene.run(['doctor', '--json'], { ...env, OAUTH_REDIRECT_URI: value });
    assert.deepEqual([report.code, /secretOfMine1/.test(report.stdout)], [2, false]);
  });

  it('says nothing of a proxy where there is none, or where it is named', () => {
    const value = 'https://auth.corp.example/callback';
    const { config } = loadConfig({
      env: { ...env, OAUTH_REDIRECT_URI: value, CALLBACK_SERVER_TRUSTED_PROXIES: '10.0.0.1' },
    });
    assert.doesNotMatch(checkRedirectUri({ uri: value, config }).map(says).join(), /proxy/);
  });
});

describe('the way to the redirect URI', { concurrency: 4 }, () => {
  it('leads to the callback server, and the console would get its challenge back', async () => {
    const line = await look();
    assert.match(says(line('callback_server')), /^pass The callback server at http:\/\/127\.0\.0\.1:\d+ answers/);
    assert.match(says(line('redirect_uri.reach')), /^pass It leads to the callback server →/);
    assert.match(says(line('card_callback')), /^pass http:\/\/127.+\/callback\/cards\/cli_\w+ opens what is encrypted/);
    const byProxy = await look({ HTTPS_PROXY: 'http://127.0.0.1:9' });
    assert.match(says(byProxy('redirect_uri.reach')), /^pass .+ \(asked without HTTPS_PROXY/);
    assert.equal((await scene.sim.verifyCallbackUrl(app.appId)).ok, true);
  });

  it('leads to a path that the callback server does not serve', async () => {
    const line = await look({ OAUTH_REDIRECT_URI: uri.replace('/callback', '/auth/callback') });
    assert.match(says(line('redirect_uri.reach')), /^fail .+ path that is not served → Let the proxy/);
  });

  it('redirects, to https or to a login', async (t) => {
    const toLogin = { status: 302, headers: { location: 'https://sso.corp.example/login?next=%2Fcallback' } };
    const login = await look({ OAUTH_REDIRECT_URI: await stranger(t, toLogin) });
    const { blame } = login('redirect_uri.reach');
    assert.equal(blame, 'configuration');
    assert.match(
      says(login('redirect_uri.reach')),
      /^fail .+ redirects to https:\/\/sso\.corp\.example\/login \(HTTP 302\) → Let the proxy pass/,
    );
    let secure = '';
    const server = await startScriptedServer(() => ({ status: 301, headers: { location: secure } }));
    t.after(() => server.stop());
    secure = `${server.url.replace('http:', 'https:')}/callback`;
    const https = await look({ OAUTH_REDIRECT_URI: `${server.url}/callback` });
    const { remedy } = https('redirect_uri.reach');
    assert.ok(remedy?.en.startsWith(`Set OAUTH_REDIRECT_URI=${secure} and register exactly that`), remedy?.en);
    assert.deepEqual(
      [...new Set(server.asked.map(({ method, url }) => `${method} ${url.replace(/cli_\w+/, 'app')}`))].sort(),
      ['GET /callback', 'POST /callback/cards/app'],
    );
  });

  it('is answered by something else, or by a proxy with nobody behind', async (t) => {
    const nginx = { headers: { server: 'nginx/1.24.0' }, text: '<h1>Welcome to nginx!</h1>' };
    const page = await look({ OAUTH_REDIRECT_URI: await stranger(t, nginx) });
    assert.match(
      says(page('redirect_uri.reach')),
      /^fail .+ is not the callback server \(HTTP 200, nginx\/1\.24\.0\) → .+ pass \/callback on/,
    );
    assert.match(says(page('card_callback')), /^warn .+ \(HTTP 200\) → Let the proxy in front pass POST requests/);
    const gone = await stranger(t, { ...nginx, status: 502 });
    const behind = await look({ OAUTH_REDIRECT_URI: gone });
    assert.match(
      says(behind('redirect_uri.reach')),
      /^fail .+\(HTTP 502.+ → .+ CALLBACK_SERVER_HOST and CALLBACK_SERVER_PORT/,
    );
    const early = await look({ OAUTH_REDIRECT_URI: gone, CALLBACK_SERVER_PORT: String(await freePort()) });
    assert.match(says(early('redirect_uri.reach')), /^skip .+ does not run yet → Start the daemon/);
  });

  it('ends at a closed port: before the first start, and while the daemon runs', async () => {
    const port = String(await freePort());
    const closed = { OAUTH_REDIRECT_URI: `http://127.0.0.1:${port}/callback`, CALLBACK_SERVER_PORT: port };
    const early = await look(closed);
    assert.match(says(early('callback_server')), /^skip No callback server .+ECONNREFUSED\) → Start the daemon/);
    assert.match(says(early('redirect_uri.reach')), /^skip From here nobody listens there .+ → Start the daemon/);
    assert.match(says(early('card_callback')), /^skip Not tried/);
    const running = await look(closed, { daemonRuns: true });
    assert.match(says(running('callback_server')), /^fail .+ → .+ started with this configuration/);
    assert.deepEqual([running('redirect_uri.reach').status, running('redirect_uri.reach').blame], ['fail', 'network']);
  });

  it('has a name that only others may know, a certificate that only others may trust', async (t) => {
    const unknown = await look({ OAUTH_REDIRECT_URI: 'https://auth.doctor.invalid/callback' });
    assert.match(
      says(unknown('redirect_uri.reach')),
      /^warn From here its name cannot be resolved \(E\w+\) → .+ browser follows it, not Feishu: an address of the intranet/,
    );
    const { cert, key } = selfSigned();
    const server = createServer({ cert, key });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const strange = await look({ OAUTH_REDIRECT_URI: `https://127.0.0.1:${port}/callback` });
    assert.match(
      says(strange('redirect_uri.reach')),
      /^warn .+certificate is not accepted.+DEPTH_ZERO.+ → Renew.+NODE_EXTRA_CA_CERTS/,
    );
    const plain = await look({ OAUTH_REDIRECT_URI: uri.replace('http:', 'https:') });
    assert.match(says(plain('redirect_uri.reach')), /^fail .+does not speak TLS.+WRONG_VERSION_NUMBER/);
  });

  it('is never answered', async (t) => {
    const line = await look({ OAUTH_REDIRECT_URI: await stranger(t, () => undefined) }, { timeoutMs: 400 });
    assert.match(says(line('redirect_uri.reach')), /^fail From here nobody answers in time \(timeout\)/);
  });

  it('is not that of this process, or of no port that is known', async () => {
    const elsewhere = await look({ ROLES: 'worker' });
    assert.match(says(elsewhere('callback_server')), /^skip None in the process of this configuration/);
    assert.equal(elsewhere('redirect_uri.reach').status, 'pass');
    const unknown = await look({ CALLBACK_SERVER_PORT: '0' });
    assert.match(says(unknown('callback_server')), /^skip Only the daemon knows its port/);
  });

  it('has another program on the port of the callback server', async (t) => {
    const other = new URL(await stranger(t, { text: 'hello' }));
    const line = await look({ CALLBACK_SERVER_PORT: other.port });
    assert.match(
      says(line('callback_server')),
      /^fail .+ is not the callback server .+ → .+choose another CALLBACK_SERVER_PORT/,
    );
    assert.equal(line('callback_server').blame, 'configuration');
  });
});

describe('the trial of HTTP callbacks', () => {
  const tried = async (more: Record<string, string>): Promise<string> => says((await look(more))('card_callback'));

  it('finds another key, another token and an app that the running daemon does not take callbacks for', async () => {
    assert.match(
      await tried({ FEISHU_ENCRYPT_KEY: 'notTheKeyOfTheDaemon1' }),
      /^fail .+HTTP 401\) → .+FEISHU_ENCRYPT_KEY/,
    );
    assert.match(
      await tried({ FEISHU_VERIFICATION_TOKEN: 'notTheToken1' }),
      /^fail .+HTTP 401\) → .+VERIFICATION_TOKEN/,
    );
    assert.match(await tried({ FEISHU_APP_ID: 'cli_00000000000000ff' }), /^fail .+HTTP 404\) → .+restart it/);
  });

  it('warns of a public address that does not pass them on', async (t) => {
    const moved = { status: 301, headers: { location: 'https://auth.corp.example/' } };
    assert.match(
      await tried({ OAUTH_REDIRECT_URI: await stranger(t, moved) }),
      /^warn .+ → Feishu follows no redirects/,
    );
    assert.match(
      await tried({ OAUTH_REDIRECT_URI: 'https://auth.doctor.invalid/callback' }),
      /^warn From here nobody answers .+ → Feishu must reach this address from the internet/,
    );
  });
});

describe('the report by authorization code and HTTP', { concurrency: 4 }, () => {
  it('passes where all is well, and names the exact strings for the console in both languages', async () => {
    const report = await scene.diagnose(env);
    assert.equal(report.code, 0, JSON.stringify(report.lines));
    const address = `http://127.0.0.1:${new URL(uri).port}/callback/cards/${app.appId}`;
    const { settings } = report.line('setup') as { settings?: unknown };
    assert.deepEqual(settings, { auth_grant: 'authorization_code', card: 'card', card_callback: 'http' });
    assert.match(report.line('device_authorization').message, /^Not needed: .+ AUTH_GRANT=authorization_code/);
    assert.deepEqual(
      report.verdicts.filter((verdict) => /callback|redirect|device|key /.test(verdict)),
      [
        'device_authorization skip',
        'callback_server pass',
        'redirect_uri warn',
        'redirect_uri.reach pass',
        'card_callback pass',
        'console.redirect_uri skip',
        'console.callback skip',
        'console.encrypt_key skip',
      ],
    );
    assert.ok(
      report.line('console.redirect_uri').remedy?.startsWith(`Paste exactly ${uri} into 安全设置 > 重定向 URL`),
    );
    assert.ok(report.line('console.callback').remedy?.startsWith(`Register ${address}, as Feishu reaches it`));
    assert.match(report.line('console.encrypt_key').remedy ?? '', /加密策略.*FEISHU_ENCRYPT_KEY/);
    const chinese = await scene.run(['doctor', '--lang', 'zh'], env);
    for (const line of chinese.stdout.trim().split('\n')) if (line !== '') assert.match(line, /\p{Script=Han}/u);
    assert.ok(chinese.stdout.includes(`把 ${uri} 原样填入「安全设置 > 重定向 URL」`));
  });

  it('names the way round a device grant, a long connection and a network that is not there', async () => {
    const made = ['grantless', 'endpointless', 'forbidden', 'failing', 'blocked'].map((name) => scene.addApp({ name }));
    const [grantless, endpointless, forbidden, failing, blocked] = made.map(({ appId }) => appId);
    const { faults } = scene.sim;
    const api = 'device_authorization';
    faults.add({ on: 'api', api, kind: 'code', code: 20036, appId: grantless ?? '' });
    faults.add({ on: 'api', api, kind: 'html', status: 404, appId: endpointless ?? '' });
    faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 403, appId: forbidden ?? '' });
    faults.add({ on: 'api', api: 'endpoint', kind: 'code', code: 1000040343, appId: failing ?? '' });
    const gateway = `ws://127.0.0.1:${await freePort()}/ws/v2?fpid=493&device_id=1&access_key=0a&service_id=7`;
    faults.add({ on: 'api', api: 'endpoint', kind: 'rewrite', appId: blocked ?? '', set: { 'data.URL': gateway } });
    const { FEISHU_APP_ID: _id, FEISHU_APP_SECRET: _secret, ...rest } = scene.env(app);
    const apps = made.map(({ appId, appSecret }) => ({ app_id: appId, app_secret: appSecret }));
    const file = await scene.file('round.json', JSON.stringify({ apps }));
    const report = await scene.diagnose({ ...rest, CONFIG_FILE: file });
    const line = (check: string, appId: string | undefined) => {
      const found = report.lines.find((each) => each.check === check && each.app_id === appId);
      return `${found?.status} ${found?.message} → ${found?.remedy}`;
    };
    const byCode = /AUTH_GRANT=authorization_code.+CALLBACK_SERVER_ENABLED=true.+安全设置 > 重定向 URL/;
    for (const appId of [grantless, endpointless]) assert.match(line('device_authorization', appId), byCode);
    assert.match(
      line('device_authorization', endpointless),
      /^fail There is no device authorization at this host \(HTTP 404/,
    );
    const byHttp =
      /CARD_CALLBACK=http.+FEISHU_ENCRYPT_KEY.+https:\/\/<callback server>\/callback\/cards\/cli_\w+,.+回调配置/;
    for (const appId of [forbidden, failing, blocked]) assert.match(line('long_connection', appId), byHttp);
    assert.match(
      line('long_connection', blocked),
      /^fail Feishu gives .+ does not let it through to 127.+ECONNREFUSED/,
    );
    assert.deepEqual(
      [line('long_connection', failing), line('long_connection', grantless)].map((text) => text.split(' ')[0]),
      ['warn', 'pass'],
    );
  });
});

describe('a network that lets no WebSocket through', () => {
  it('shows in the running daemon, with the way round', async (t) => {
    const deaf = scene.addApp();
    scene.sim.faults.add({ on: 'handshake', kind: 'refuse', status: 403, appId: deaf.appId });
    const { AUTHD_URL: _url, ...settings } = scene.env(deaf);
    const running = await newDaemon({ redisUrl: scene.redis.url, feishuUrl: scene.sim.baseUrl, env: settings });
    t.after(() => running.close());
    await running.line('ws.connecting');
    const report = await scene.diagnose({ ...settings, AUTHD_URL: running.baseUrl() });
    assert.equal(report.line('long_connection').status, 'pass');
    const { message, remedy, status } = report.line('daemon');
    assert.deepEqual([report.code, status], [0, 'warn'], message);
    assert.match(`${remedy}`, /HTTPS through but no WebSocket.+CARD_CALLBACK=http.+\/callback\/cards\/cli_/);
  });
});

describe('feishu-authd doctor --user by authorization code', { concurrency: 2 }, () => {
  const ask = (openId: string, wait: number) => scene.diagnose(env, '--user', openId, '--wait', String(wait));
  const newPerson = () => {
    const user = scene.sim.addUser({ locale: 'en_us' });
    const openId = scene.sim.openId(user, app.appId);
    const link = async (): Promise<string> => {
      const card = await scene.sim.until(() => scene.sim.messagesTo(openId)[0], 20_000);
      return linkIn(scene.sim, card.content) ?? '';
    };
    return { user, openId, link };
  };

  it('passes when her browser comes back, without a click', async () => {
    const { link, openId, user } = newPerson();
    const asked = ask(openId, 30);
    const consents = newConsents(scene.sim);
    assert.equal(consents.consent({ link: await link(), user }), 'ok');
    const report = await asked;
    await consents.pages();
    assert.deepEqual(
      [report.code, report.verdicts.filter((verdict) => verdict.startsWith('user.'))],
      [0, ['user.card pass', 'user.click pass', 'user.consent pass', 'user.refresh pass']],
      JSON.stringify(report.lines),
    );
  });

  it('tells what may be wrong when nobody comes back: 20029 with the exact string', async () => {
    const { openId } = newPerson();
    const report = await ask(openId, 4);
    const { message, remedy, status } = report.line('user.click');
    assert.deepEqual([report.code, status], [1, 'fail']);
    assert.match(report.stderr, /let her open the link and agree on Feishu's page/);
    assert.match(message, /^Neither a click nor a return from Feishu's page reached the daemon within 4 s/);
    assert.ok(remedy?.includes(`20029: paste exactly ${uri} into`), `${remedy}`);
    assert.match(`${remedy}`, /20027.+20010.+does not reach OAUTH_REDIRECT_URI.+\/callback\/cards\/cli_/);
  });
});
