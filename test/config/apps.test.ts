import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APP_ID, APP_SECRET, load, loadWith, MINIMUM, OTHER_APP_ID, problemsOf, variablesOf } from './load-support.js';

const KEYS_ONLY = { TOKEN_ENCRYPTION_KEYS: MINIMUM.TOKEN_ENCRYPTION_KEYS };
const app = { app_id: APP_ID, app_secret: APP_SECRET };
const other = { app_id: OTHER_APP_ID, app_secret: `${APP_SECRET}2` };

/** Loads with `apps` in CONFIG_FILE and no app in the environment. */
const loadApps = (apps: unknown, env = {}, files = {}) =>
  load({ env: { ...KEYS_ONLY, ...env }, file: { apps }, files });

describe('hosts', () => {
  it('follow the brand, all three together', () => {
    const [lark] = loadWith({ FEISHU_BRAND: 'lark' }).config.apps;
    assert.equal(lark?.openBaseUrl, 'https://open.larksuite.com');
    assert.equal(lark.accountsBaseUrl, 'https://accounts.larksuite.com');
    assert.equal(lark.applinkBaseUrl, 'https://applink.larksuite.com');
  });

  it('are taken as given, without slashes at the end, http on loopback', () => {
    const [changed] = loadWith({
      FEISHU_API_BASE_URL: 'http://127.0.0.1:8080//',
      FEISHU_ACCOUNTS_BASE_URL: 'http://[::1]:8081/base/',
      FEISHU_APPLINK_BASE_URL: 'https://links.example',
    }).config.apps;
    assert.equal(changed?.openBaseUrl, 'http://127.0.0.1:8080');
    assert.equal(changed.accountsBaseUrl, 'http://[::1]:8081/base');
    assert.equal(changed.applinkBaseUrl, 'https://links.example');
  });

  it('never mix a private API host with a public cloud', () => {
    const [own] = loadWith({ FEISHU_API_BASE_URL: 'https://open.corp.example' }).config.apps;
    assert.equal(own?.accountsBaseUrl, 'https://accounts.corp.example');
    assert.equal(own.applinkBaseUrl, 'https://applink.corp.example');
    const [single] = loadWith({ FEISHU_API_BASE_URL: 'http://localhost:9' }).config.apps;
    assert.equal(single?.accountsBaseUrl, 'http://localhost:9');
  });
});

describe('apps of CONFIG_FILE', () => {
  it('are all there, each with its own brand, hosts, scopes and secret file', () => {
    const { config } = loadApps(
      [
        { ...app, auth_scopes: 'docs:read calendar:read' },
        {
          app_id: OTHER_APP_ID,
          app_secret_file: '/s/2',
          brand: 'lark',
          auth_scopes: ['im:read'],
          auth_grant: 'device_code',
        },
        { ...other, app_id: 'cli_aaaaaaaaaaaaaaaa', api_base_url: 'http://127.0.0.1:1' },
      ],
      { AUTH_SCOPES: 'contact:read' },
      { '/s/2': 'secret-two-two\n' },
    );
    assert.deepEqual(
      config.apps.map(({ appId, appSecret, openBaseUrl, authScopes }) => ({
        appId,
        appSecret,
        openBaseUrl,
        authScopes,
      })),
      [
        {
          appId: APP_ID,
          appSecret: APP_SECRET,
          openBaseUrl: 'https://open.feishu.cn',
          authScopes: ['offline_access', 'docs:read', 'calendar:read'],
        },
        {
          appId: OTHER_APP_ID,
          appSecret: 'secret-two-two',
          openBaseUrl: 'https://open.larksuite.com',
          authScopes: ['offline_access', 'im:read'],
        },
        {
          appId: 'cli_aaaaaaaaaaaaaaaa',
          appSecret: `${APP_SECRET}2`,
          openBaseUrl: 'http://127.0.0.1:1',
          authScopes: ['offline_access', 'contact:read'],
        },
      ],
    );
  });

  it('can be switched off one by one, which is said', () => {
    const { config, warnings } = loadApps([app, { ...other, enabled: false }]);
    assert.deepEqual(
      config.apps.map(({ appId }) => appId),
      [APP_ID],
    );
    assert.ok(warnings.includes(`The app ${OTHER_APP_ID} is switched off (enabled: false in CONFIG_FILE)`));
    assert.deepEqual(
      variablesOf(() => loadApps([{ ...app, enabled: false }])),
      ['apps'],
    );
  });

  it('are refused by the place of the fault', () => {
    const names = variablesOf(() =>
      loadApps([
        app,
        { ...app },
        { app_id: 'cli_x', app_secret: 's', brand: 'fieshu', colour: 1 },
        'no',
        { app_id: OTHER_APP_ID },
      ]),
    );
    assert.deepEqual(names, [
      'apps[1].app_id',
      'apps[2]."colour"',
      'apps[2].app_id',
      'apps[2].brand',
      'apps[3]',
      'apps[4].app_secret',
    ]);
    assert.deepEqual(
      variablesOf(() => loadApps([])),
      ['apps'],
    );
    assert.deepEqual(
      variablesOf(() => loadApps({})),
      ['apps'],
    );
    assert.deepEqual(
      variablesOf(() => loadApps([{ ...app, app_secret_file: '/s/1' }], {}, { '/s/1': 'x' })),
      ['apps[0].app_secret_file'],
    );
    assert.deepEqual(
      variablesOf(() => loadApps([{ ...app, encrypt_key: 'k', encrypt_key_file: '/s/1' }], {}, { '/s/1': 'x' })),
      ['apps[0].encrypt_key_file'],
    );
  });

  it('have their own grant, kind of card and way of callbacks', () => {
    const byCode = { ...app, auth_grant: 'authorization_code', card: 'link' };
    const byHttp = { ...other, card_callback: 'http', encrypt_key_file: '/s/1', verification_token: 'token-two' };
    const settings = { OAUTH_REDIRECT_URI: 'https://a.example/callback', CALLBACK_SERVER_ENABLED: '1' };
    const { config, secrets } = loadApps([byCode, byHttp], settings, {
      '/s/1': 'key-two\n',
      '/s/2': 'secret-two-two\n',
    });
    assert.deepEqual(
      config.apps.map(({ authGrant, card, cardCallback, encryptKey, verificationToken }) => [
        authGrant,
        card,
        cardCallback,
        encryptKey,
        verificationToken,
      ]),
      [
        ['authorization_code', 'link', 'long_connection', null, null],
        ['device_code', 'card', 'http', 'key-two', 'token-two'],
      ],
    );
    assert.ok(secrets.includes('key-two') && secrets.includes('token-two'));
  });

  it('are refused when the message would be dead in minutes, or clicks could come from anybody', () => {
    assert.deepEqual(
      variablesOf(() => loadApps([{ ...app, card: 'link' }])),
      ['apps[0].card'],
    );
    assert.deepEqual(
      variablesOf(() => loadApps([{ ...app, card_callback: 'http' }], { CALLBACK_SERVER_ENABLED: '1' })),
      ['apps[0].encrypt_key'],
    );
  });

  it('exclude FEISHU_APP_ID', () => {
    assert.deepEqual(
      variablesOf(() => load({ env: MINIMUM, file: { apps: [app] } })),
      ['FEISHU_APP_ID', 'FEISHU_APP_SECRET'],
    );
  });
});

describe('AUTH_SCOPES', () => {
  it('takes spaces and commas, adds offline_access, keeps the order', () => {
    const { config } = loadWith({ AUTH_SCOPES: ' b:read, a:read  offline_access\nc:read ' });
    assert.deepEqual(config.apps[0]?.authScopes, ['offline_access', 'b:read', 'a:read', 'c:read']);
  });

  it('says that duplicates were taken as one', () => {
    const { config, warnings } = loadWith({ AUTH_SCOPES: 'a:read b:read a:read' });
    assert.deepEqual(config.apps[0]?.authScopes, ['offline_access', 'a:read', 'b:read']);
    assert.ok(warnings.includes('AUTH_SCOPES names a:read more than once: taken as one'));
  });

  it('refuses bad names by their position and more than 50', () => {
    assert.match(
      problemsOf(() => loadWith({ AUTH_SCOPES: 'a:read "b"' }))[0]?.problem ?? '',
      /entry 2 is not a scope name/,
    );
    const many = (count: number) => Array.from({ length: count }, (_, index) => `s:${index}`).join(' ');
    assert.equal(loadWith({ AUTH_SCOPES: many(49) }).config.apps[0]?.authScopes.length, 50);
    assert.deepEqual(
      variablesOf(() => loadWith({ AUTH_SCOPES: many(50) })),
      ['AUTH_SCOPES'],
    );
  });
});
