import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeConfigProblems } from '../../src/config/problems.js';
import {
  API_SECRET,
  APP_ID,
  APP_SECRET,
  KEY,
  load,
  loadWith,
  MINIMUM,
  problemsOf,
  refusalOf,
  variablesOf,
} from './load-support.js';

describe('loadConfig', () => {
  it('fills everything in from the least that starts', () => {
    const { config, warnings } = load({ env: MINIMUM });
    assert.deepEqual(config.apps, [
      {
        appId: APP_ID,
        appSecret: APP_SECRET,
        brand: 'feishu',
        openBaseUrl: 'https://open.feishu.cn',
        accountsBaseUrl: 'https://accounts.feishu.cn',
        applinkBaseUrl: 'https://applink.feishu.cn',
        authGrant: 'device_code',
        card: 'card',
        cardCallback: 'long_connection',
        encryptKey: null,
        verificationToken: null,
        authScopes: ['offline_access'],
      },
    ]);
    assert.deepEqual(config.session, { ttlSeconds: 86_400, retentionDays: 30 });
    assert.deepEqual(config.http, { host: '127.0.0.1', port: 9780, tls: null, allowPlaintext: false });
    assert.equal(config.metricsPort, null);
    assert.deepEqual(config.redis, { url: 'redis://127.0.0.1:6379', keyPrefix: 'authd', allowEviction: false });
    assert.deepEqual(config.encryptionKeys, [{ id: 'k1', key: Buffer.from(KEY, 'base64') }]);
    assert.deepEqual(config.ws, {
      reconnectBaseMs: 1000,
      reconnectMaxMs: 60_000,
      pongTimeoutSeconds: 20,
      rotateAfterSeconds: 21_600,
    });
    assert.deepEqual(config.roles, ['gateway', 'worker', 'api']);
    assert.deepEqual(config.clients, []);
    assert.deepEqual(warnings, ['Neither API_KEYS nor clients are configured: the API answers 401 to everyone']);
  });

  it('reports every problem of one start at once', () => {
    const names = variablesOf(() =>
      load({
        env: { HTTP_PORT: '80x', AUTH_SESSION_TTL: '600abc', HTTP_HOST: '0.0.0.0', CARD_TIMEZONE: 'Mars/Base' },
        file: { clients: [{ id: 'a b' }], nonsense: 1, log_level: 'loud' },
      }),
    );
    assert.deepEqual(names.sort(), [
      '"nonsense" in CONFIG_FILE',
      'AUTH_SESSION_TTL',
      'CARD_TIMEZONE',
      'FEISHU_APP_ID',
      'FEISHU_APP_SECRET',
      'HTTP_HOST',
      'HTTP_PORT',
      'TOKEN_ENCRYPTION_KEYS',
      'clients[0].id',
      'clients[0].secret_sha256',
      'log_level in CONFIG_FILE',
    ]);
  });

  it('says each problem in a line with the variable, what is wrong and what is accepted', () => {
    const text = describeConfigProblems(refusalOf(() => loadWith({ HTTP_PORT: '80x', ROLES: 'api,cook' })));
    assert.deepEqual(text.split('\n'), [
      'The configuration has 2 problems:',
      '  HTTP_PORT "80x" is not a whole number; accepted: a whole number from 0 to 65535 (0: a free one)',
      '  ROLES "cook" is not one of the accepted words; accepted: one or more of gateway, worker, api, comma-separated',
    ]);
  });

  it('is frozen to the leaves', () => {
    const { config } = loadWith({ API_KEYS: `crm:${API_SECRET}` });
    for (const part of [config, config.apps, config.apps[0], config.ws, config.roles, config.clients[0]?.actions]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  it('takes white space, quotes and byte order marks off values', () => {
    const { config } = loadWith({
      FEISHU_APP_ID: `\uFEFF ${APP_ID} \r\n`,
      FEISHU_APP_SECRET: `"${APP_SECRET}"\n`,
      REDIS_URL: "'redis://h:1'",
      HTTP_PORT: ' 80 ',
    });
    assert.equal(config.apps[0]?.appId, APP_ID);
    assert.equal(config.apps[0]?.appSecret, APP_SECRET);
    assert.equal(config.redis.url, 'redis://h:1');
    assert.equal(config.http.port, 80);
  });

  it('prefers the environment to CONFIG_FILE, and takes JSON types there', () => {
    const file = {
      http_port: 1000,
      metrics_port: '1001',
      log_level: 'debug',
      roles: ['api'],
      http_allow_plaintext: true,
    };
    const { config } = loadWith({ LOG_LEVEL: 'warn' }, { file });
    assert.equal(config.log.level, 'warn');
    assert.equal(config.http.port, 1000);
    assert.equal(config.metricsPort, 1001);
    assert.deepEqual(config.roles, ['api']);
    assert.equal(config.http.allowPlaintext, true);
  });

  it('refuses wrong JSON types, unknown keys and a file that is no JSON object', () => {
    assert.deepEqual(
      variablesOf(() =>
        loadWith({}, { file: { http_port: [80], http_allow_plaintext: 'on', log_level: 3, HTTP_PORT: 1 } }),
      ),
      [
        '"HTTP_PORT" in CONFIG_FILE',
        'http_port in CONFIG_FILE',
        'http_allow_plaintext in CONFIG_FILE',
        'log_level in CONFIG_FILE',
      ],
    );
    assert.deepEqual(
      variablesOf(() => loadWith({}, { file: '[]' })),
      ['CONFIG_FILE'],
    );
    assert.deepEqual(
      variablesOf(() => loadWith({ CONFIG_FILE: '/missing' })),
      ['CONFIG_FILE'],
    );
  });

  it('never quotes a broken CONFIG_FILE, which may hold secrets', () => {
    for (const text of [`{"feishu_app_secret": "${APP_SECRET}" x}`, `{"a": ${APP_SECRET}}`, `${APP_SECRET}`]) {
      const error = refusalOf(() => loadWith({}, { file: text }));
      assert.ok(!`${error.stack}${describeConfigProblems(error)}`.includes(APP_SECRET.slice(0, 8)));
    }
  });

  it('names the separate metrics port only when it is another one', () => {
    assert.equal(loadWith({ METRICS_PORT: '9780' }).config.metricsPort, null);
    assert.equal(loadWith({ METRICS_PORT: '9781' }).config.metricsPort, 9781);
  });

  it('refuses a first backoff longer than the last', () => {
    const env = { WS_RECONNECT_BASE_MS: '5000', WS_RECONNECT_MAX_MS: '4000' };
    assert.deepEqual(
      variablesOf(() => loadWith(env)),
      ['WS_RECONNECT_BASE_MS'],
    );
  });

  it('takes proxies in either case, with or without scheme', () => {
    const { config } = loadWith({ https_proxy: 'proxy:3128', HTTP_PROXY: 'http://u:p@proxy:1', no_proxy: 'localhost' });
    assert.deepEqual(config.proxy, {
      httpsProxy: 'http://proxy:3128',
      httpProxy: 'http://u:p@proxy:1',
      noProxy: 'localhost',
    });
  });

  it('warns about variables that look like ours, with the likely name, and not about those of others', () => {
    const { warnings } = loadWith({
      API_KEYS: `crm:${API_SECRET}`,
      HTTP_PROT: '1',
      FEISHU_APP_NAME: 'x',
      REDISURL: 'x',
      LOGNAME: 'root',
      FTP_PROXY: 'x',
      HOME: '/root',
      REDIS_PORT: 'tcp://10.0.0.1:6379',
      REDIS_SERVICE_HOST: '10.0.0.1',
      AUTHD_URL: 'http://127.0.0.1:9780',
      AUTHD_API_KEY: API_SECRET,
      AUTHD_API_KEY_FILE: '/run/secrets/key',
      AUTHD_TIMEOUT: '5',
    });
    assert.deepEqual(warnings, [
      'The environment variable FEISHU_APP_NAME is not known and has no effect',
      'The environment variable HTTP_PROT is not known and has no effect; did you mean HTTP_PORT?',
      'The environment variable REDISURL is not known and has no effect; did you mean REDIS_URL?',
    ]);
  });

  it('wants a redirect URI and the callback server for the authorization code grant', () => {
    const problems = problemsOf(() => loadWith({ AUTH_GRANT: 'authorization_code' }));
    assert.deepEqual(
      problems.map(({ variable }) => variable),
      ['OAUTH_REDIRECT_URI', 'CALLBACK_SERVER_ENABLED'],
    );
    const elsewhere = { OAUTH_REDIRECT_URI: 'https://a.example/callback', ROLES: 'gateway,worker' };
    assert.equal(
      loadWith({ AUTH_GRANT: 'authorization_code', ...elsewhere }).config.apps[0]?.authGrant,
      'authorization_code',
    );
  });

  it('takes addresses and networks of trusted proxies, and nothing else', () => {
    const { config } = loadWith({ CALLBACK_SERVER_TRUSTED_PROXIES: '10.0.0.1, fd00::/8' });
    assert.deepEqual(config.callbackServer.trustedProxies, ['10.0.0.1', 'fd00::/8']);
    const [problem] = problemsOf(() => loadWith({ CALLBACK_SERVER_TRUSTED_PROXIES: '10.0.0.0/33' }));
    assert.equal(problem?.variable, 'CALLBACK_SERVER_TRUSTED_PROXIES');
  });
});
