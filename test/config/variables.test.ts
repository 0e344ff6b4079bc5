import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Fastify from 'fastify';
import { withDefaults } from '../../src/config/schema.js';
import { CONFIG_VARIABLES, VARIABLE_NAMES, VARIABLES } from '../../src/config/variables.js';
import { loadWith, problemsOf, variablesOf } from './load-support.js';

describe('variables', () => {
  it('all have a default of their own format', () => {
    const values = withDefaults({});
    for (const name of VARIABLE_NAMES) assert.deepEqual(values[name], VARIABLES[name].default, name);
  });

  it('reach convict as finished values only', () => {
    assert.throws(() => withDefaults({ LOG_LEVEL: 'loud' as 'info' }));
  });

  it('are listed for the README with name, default and meaning', () => {
    const rows = new Map(CONFIG_VARIABLES.map((row) => [row.name, row]));
    assert.equal(rows.size, VARIABLE_NAMES.length + 3);
    assert.equal(rows.get('HTTP_PORT')?.default, '9780');
    assert.equal(rows.get('ROLES')?.default, 'gateway,worker,api');
    assert.ok(CONFIG_VARIABLES.every(({ doc }) => doc.length > 5));
  });

  const refused: [name: string, text: string][] = [
    ['HTTP_PORT', '80x'],
    ['HTTP_PORT', '65536'],
    ['HTTP_PORT', '-1'],
    ['HTTP_PORT', '080'],
    ['HTTP_PORT', '1e3'],
    ['HTTP_PORT', '0x50'],
    ['HTTP_PORT', '8 0'],
    ['AUTH_SESSION_TTL', '600abc'],
    ['AUTH_SESSION_TTL', '9'],
    ['AUTH_SESSION_TTL', '604801'],
    ['AUTH_SESSION_TTL', '60.5'],
    ['AUTH_SESSION_RETENTION_DAYS', '0'],
    ['TOKEN_REFRESH_THRESHOLD', '0'],
    ['TOKEN_REFRESH_THRESHOLD', '1'],
    ['TOKEN_REFRESH_THRESHOLD', '.1'],
    ['TOKEN_REFRESH_THRESHOLD', 'NaN'],
    ['TOKEN_REFRESH_POLICY', 'never'],
    ['CALLBACK_SERVER_ENABLED', 'yes'],
    ['CALLBACK_SERVER_ENABLED', 'TRUE'],
    ['HTTP_ALLOW_PLAINTEXT', '2'],
    ['FEISHU_BRAND', 'Lark'],
    ['AUTH_GRANT', 'password'],
    ['ROLES', 'gateway,wroker'],
    ['ROLES', 'api,api'],
    ['ROLES', ','],
    ['LOG_LEVEL', 'verbose'],
    ['LOG_FORMAT', 'text'],
    ['CARD_TIMEZONE', 'Asia/Peking2'],
    ['CARD_LIMIT_PER_USER_PER_HOUR', '0'],
    ['SHUTDOWN_TIMEOUT', '0'],
    ['WS_PONG_TIMEOUT', '301'],
    ['WS_ROTATE_AFTER', '-1'],
    ['REDIS_KEY_PREFIX', 'a{b}'],
    ['REDIS_KEY_PREFIX', 'a b'],
    ['REDIS_URL', 'http://127.0.0.1'],
    ['REDIS_URL', '127.0.0.1:6379'],
    ['REDIS_URL', 'redis://h/zero'],
    ['FEISHU_API_BASE_URL', 'http://open.feishu.cn'],
    ['FEISHU_API_BASE_URL', 'https://user:pw@open.feishu.cn'],
    ['FEISHU_ACCOUNTS_BASE_URL', 'accounts.feishu.cn'],
    ['FEISHU_APPLINK_BASE_URL', 'https://applink.feishu.cn?x=1'],
    ['OAUTH_REDIRECT_URI', '/callback'],
    ['OAUTH_REDIRECT_URI', 'https://a.example/cb#x'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', '0.0.0.0/0'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', '10.0.0.5, ::/0'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', '10.0.0.0/00'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', '10.0.0.0/33'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', 'fd00::/129'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', 'fe80::1%br-lan'],
    ['CALLBACK_SERVER_TRUSTED_PROXIES', 'nginx'],
    ['HTTP_HOST', '300.1.1.1'],
    ['HTTP_HOST', 'a b'],
    ['HTTPS_PROXY', 'socks5://127.0.0.1:1080'],
    ['FEISHU_APP_ID', 'cli_01234567 89abcdef'],
    ['FEISHU_APP_ID', 'cli_0123456789abcde\u200b'],
    ['FEISHU_APP_SECRET', 'two words'],
    ['TOKEN_ENCRYPTION_KEYS', 'k1:'],
    ['API_KEYS', 'nosecret'],
  ];
  for (const [name, text] of refused) {
    it(`refuses ${name}=${JSON.stringify(text)} by its name`, () => {
      const [problem, ...others] = problemsOf(() => loadWith({ [name]: text }));
      assert.deepEqual(others, []);
      assert.equal(problem?.variable, name);
      assert.notEqual(problem.accepted, '');
    });
  }

  it('takes the limits of every number, and all words for booleans', () => {
    const { config } = loadWith({
      HTTP_PORT: '65535',
      AUTH_SESSION_TTL: '10',
      WS_ROTATE_AFTER: '0',
      METRICS_PORT: '0',
    });
    assert.equal(config.http.port, 65_535);
    assert.equal(config.session.ttlSeconds, 10);
    assert.equal(config.ws.rotateAfterSeconds, 0);
    assert.equal(config.metricsPort, 0);
    for (const [text, expected] of [
      ['true', true],
      ['1', true],
      ['false', false],
      ['0', false],
    ] as const) {
      assert.equal(loadWith({ HTTP_ALLOW_PLAINTEXT: text }).config.http.allowPlaintext, expected);
    }
  });

  it('takes every notation of trusted proxies that the HTTP server takes', async () => {
    const text = '10.0.0.5,10.0.0.0/08,128.0.0.0/1,::1,fd00::/8,::ffff:10.0.0.5,::ffff:10.0.0.0/104,fe80::1%eth0/64';
    const { trustedProxies } = loadWith({ CALLBACK_SERVER_TRUSTED_PROXIES: text }).config.callbackServer;
    assert.deepEqual(trustedProxies, text.split(','));
    assert.doesNotThrow(() => Fastify({ trustProxy: [...trustedProxies] }));
  });

  it('says what is wrong with a network that is every address', () => {
    const [problem] = problemsOf(() => loadWith({ CALLBACK_SERVER_TRUSTED_PROXIES: '10.0.0.5,0.0.0.0/0' }));
    assert.match(problem?.problem ?? '', /entry 2 .*every address/);
  });

  it('takes empty variables for absent ones', () => {
    const { config } = loadWith({ HTTP_PORT: '', FEISHU_API_BASE_URL: ' ', HTTPS_PROXY: '', CONFIG_FILE: '' });
    assert.equal(config.http.port, 9780);
    assert.equal(config.proxy.httpsProxy, null);
  });

  it('refuses empty secrets', () => {
    const names = ['FEISHU_APP_SECRET', 'TOKEN_ENCRYPTION_KEYS', 'API_KEYS'];
    assert.deepEqual(variablesOf(() => loadWith(Object.fromEntries(names.map((name) => [name, ' \n'])))).sort(), [
      'API_KEYS',
      'FEISHU_APP_SECRET',
      'TOKEN_ENCRYPTION_KEYS',
    ]);
  });
});
