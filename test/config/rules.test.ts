import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback } from '../../src/config/addresses.js';
import { configFingerprint } from '../../src/config/effective.js';
import { API_SECRET, KEY, loadWith, problemsOf, variablesOf } from './load-support.js';

const PEM = '-----BEGIN CERTIFICATE-----\n';
const TLS = { HTTP_TLS_CERT_FILE: '/t/cert', HTTP_TLS_KEY_FILE: '/t/key' };
const TLS_FILES = { files: { '/t/cert': PEM, '/t/key': PEM } };

describe('the listening address', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]']) {
    it(`may be ${host} without more`, () => {
      assert.equal(loadWith({ HTTP_HOST: host }).config.http.tls, null);
    });
  }

  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'auth.example', '127.0.0.1.example', '::ffff:10.0.0.1']) {
    it(`may be ${host} only with TLS or by an explicit word`, () => {
      assert.deepEqual(
        variablesOf(() => loadWith({ HTTP_HOST: host })),
        ['HTTP_HOST'],
      );
      const { config, warnings } = loadWith({ HTTP_HOST: host, HTTP_ALLOW_PLAINTEXT: 'true' });
      assert.equal(config.http.host, host);
      assert.ok(warnings.some((warning) => warning.includes('unencrypted')));
      assert.deepEqual(loadWith({ HTTP_HOST: host, ...TLS }, TLS_FILES).config.http.tls, {
        certFile: '/t/cert',
        keyFile: '/t/key',
      });
    });
  }

  it('knows loopback addresses from names that only look like them', () => {
    assert.ok(!isLoopback('localhost.example') && !isLoopback('127.1.example') && !isLoopback(''));
  });

  it('wants both TLS files, there and in PEM', () => {
    assert.deepEqual(
      variablesOf(() => loadWith({ HTTP_TLS_CERT_FILE: '/t/cert' }, TLS_FILES)),
      ['HTTP_TLS_KEY_FILE'],
    );
    const problems = problemsOf(() => loadWith(TLS, { files: { '/t/cert': 'DER' } }));
    assert.deepEqual(
      problems.map(({ variable, problem }) => `${variable} ${problem}`),
      ['HTTP_TLS_CERT_FILE names a file that is not PEM', 'HTTP_TLS_KEY_FILE names a file that does not exist'],
    );
    assert.match(
      loadWith(TLS, { ...TLS_FILES, mode: 0o644 }).warnings.join(),
      /HTTP_TLS_KEY_FILE can be read by every user/,
    );
  });
});

describe('the callback server', () => {
  it('needs its redirect URI and a port of its own', () => {
    const env = { AUTH_GRANT: 'authorization_code', CALLBACK_SERVER_ENABLED: 'true', CALLBACK_SERVER_PORT: '9780' };
    assert.deepEqual(
      variablesOf(() => loadWith(env)),
      ['OAUTH_REDIRECT_URI', 'CALLBACK_SERVER_PORT'],
    );
  });

  it('is said to have no effect without an app that needs it', () => {
    const env = { CALLBACK_SERVER_ENABLED: '1', OAUTH_REDIRECT_URI: 'https://a.example/cb' };
    const { config, warnings } = loadWith(env);
    assert.equal(config.oauthRedirectUri, 'https://a.example/cb');
    assert.ok(warnings.some((warning) => warning.startsWith('CALLBACK_SERVER_ENABLED has no effect')));
  });
});

describe('warnings', () => {
  it('name an eviction that was allowed and a key that was not drawn at random', () => {
    const { warnings } = loadWith({
      API_KEYS: `crm:${API_SECRET}`,
      REDIS_ALLOW_EVICTION: 'true',
      TOKEN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 'ab').toString('base64')}`,
    });
    assert.deepEqual(warnings, [
      'The key "k1" of TOKEN_ENCRYPTION_KEYS does not look random',
      'REDIS_ALLOW_EVICTION is on: Redis may throw tokens away when its memory is full',
    ]);
  });
});

describe('the fingerprint', () => {
  const fingerprint = (env = {}) => configFingerprint(loadWith(env).config);

  it('is the same for the same configuration and another for another', () => {
    assert.match(fingerprint(), /^[0-9a-f]{12}$/);
    assert.equal(fingerprint(), fingerprint({ HTTP_PORT: '9780' }));
    assert.notEqual(fingerprint(), fingerprint({ HTTP_PORT: '9781' }));
    assert.notEqual(fingerprint(), fingerprint({ TOKEN_ENCRYPTION_KEYS: `k2:${KEY}` }));
  });

  it('does not depend on secrets', () => {
    const key = Buffer.from('vutsrqponmlkjihgfedcba9876543210').toString('base64');
    const changed = { FEISHU_APP_SECRET: 'another-secret', TOKEN_ENCRYPTION_KEYS: `k1:${key}` };
    assert.equal(fingerprint(), fingerprint(changed));
    assert.equal(fingerprint({ REDIS_URL: 'redis://:one@h' }), fingerprint({ REDIS_URL: 'redis://:two@h' }));
  });
});
