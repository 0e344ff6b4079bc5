import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { effectiveConfig } from '../../src/config/effective.js';
import { loadConfig } from '../../src/config/load.js';
import { describeConfigProblems } from '../../src/config/problems.js';
import {
  API_SECRET,
  APP_SECRET,
  KEY,
  load,
  loadWith,
  MINIMUM,
  problemsOf,
  refusalOf,
  variablesOf,
} from './load-support.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const key = (fill: string): string => Buffer.from(fill.repeat(32).slice(0, 32)).toString('base64');

describe('secrets', () => {
  it('come from files by the _FILE twin of each, without line end and byte order mark', () => {
    const { config } = loadWith(
      {
        FEISHU_APP_SECRET: undefined,
        TOKEN_ENCRYPTION_KEYS: undefined,
        FEISHU_APP_SECRET_FILE: '/s/app',
        TOKEN_ENCRYPTION_KEYS_FILE: '/s/keys',
        API_KEYS_FILE: '/s/api',
        REDIS_URL_FILE: '/s/redis',
      },
      {
        files: {
          '/s/app': `\uFEFF${APP_SECRET}\n`,
          '/s/keys': `k1:${KEY}\r\n`,
          '/s/api': `crm:${API_SECRET}\n\n`,
          '/s/redis': 'redis://:pw-of-redis@h\n',
        },
      },
    );
    assert.equal(config.apps[0]?.appSecret, APP_SECRET);
    assert.equal(config.encryptionKeys[0]?.id, 'k1');
    assert.deepEqual(config.clients[0]?.secretSha256, [sha256(API_SECRET)]);
    assert.equal(config.redis.url, 'redis://:pw-of-redis@h');
  });

  it('come from the _file twin in CONFIG_FILE, too', () => {
    const { config } = loadWith(
      { FEISHU_APP_SECRET: undefined },
      { file: { feishu_app_secret_file: '/s/app' }, files: { '/s/app': APP_SECRET } },
    );
    assert.equal(config.apps[0]?.appSecret, APP_SECRET);
  });

  it('may not be given twice in one place', () => {
    const given = { FEISHU_APP_SECRET_FILE: '/s/app' };
    assert.deepEqual(
      variablesOf(() => loadWith(given, { files: { '/s/app': APP_SECRET } })),
      ['FEISHU_APP_SECRET_FILE'],
    );
  });

  it('are named when their file is missing or empty', () => {
    const env = { FEISHU_APP_SECRET: undefined, FEISHU_APP_SECRET_FILE: '/s/app', API_KEYS_FILE: '/s/none' };
    assert.deepEqual(
      problemsOf(() => loadWith(env, { files: { '/s/app': '\n' } })).map(
        ({ variable, problem }) => `${variable} ${problem}`,
      ),
      ['FEISHU_APP_SECRET_FILE names an empty file', 'API_KEYS_FILE names a file that does not exist'],
    );
  });

  it('are warned about when everybody can read their file', () => {
    const env = { API_KEYS_FILE: '/s/api' };
    const files = { '/s/api': `crm:${API_SECRET}` };
    assert.deepEqual(loadWith(env, { files, mode: 0o640 }).warnings, []);
    assert.deepEqual(loadWith(env, { files, mode: 0o644 }).warnings, [
      'The file of API_KEYS_FILE can be read by every user of this machine: chmod 600 it',
    ]);
    const open = loadWith({}, { file: { api_keys: `crm:${API_SECRET}` }, mode: 0o644 });
    assert.match(open.warnings[0] ?? '', /CONFIG_FILE holds a secret/);
  });

  it('take a keyring whose first key seals, and refuse bad rings without showing a key', () => {
    const { config } = loadWith({ TOKEN_ENCRYPTION_KEYS: `new:${key('abcdefghij')}, old:${KEY}` });
    assert.deepEqual(
      config.encryptionKeys.map(({ id }) => id),
      ['new', 'old'],
    );
    const bad: [ring: string, problem: RegExp][] = [
      [KEY, /no id/],
      [`k1:${Buffer.alloc(16, 'short-key').toString('base64')}`, /"k1" has 16 bytes/],
      [`k1:${KEY.slice(0, -6)}*****=`, /"k1" is not base64/],
      [`k1:${KEY},k1:${key('other')}`, /two keys with the id "k1"/],
      [`k1:${KEY},`, /key 2 has no id/],
      [`k 1:${KEY}`, /the id of key 1/],
    ];
    for (const [ring, expected] of bad) {
      const error = refusalOf(() => loadWith({ TOKEN_ENCRYPTION_KEYS: ring }));
      const text = describeConfigProblems(error);
      assert.match(text, expected);
      assert.ok(!text.includes(KEY.slice(0, 8)), text);
    }
  });

  it('make clients that may do everything from API_KEYS; one name may have an old and a new secret', () => {
    const other = API_SECRET.split('').reverse().join('');
    const { config } = loadWith({ API_KEYS: `crm:${API_SECRET},crm:${other},bi:${other}x` });
    assert.deepEqual(config.clients, [
      {
        id: 'crm',
        displayName: null,
        secretSha256: [sha256(API_SECRET), sha256(other)],
        apps: null,
        scopes: null,
        actions: ['ask', 'status', 'token', 'revoke', 'admin'],
      },
      { ...config.clients[1], id: 'bi', secretSha256: [sha256(`${other}x`)] },
    ]);
  });

  it('refuse API keys that are empty, short or shared', () => {
    const bad: [keys: string, problem: RegExp][] = [
      ['crm:', /the secret of "crm" is empty/],
      [`crm:${API_SECRET.slice(1)}`, /shorter than 32/],
      [`${API_SECRET}`, /no name/],
      [`a b:${API_SECRET}`, /the name of pair 1/],
      [`a:${API_SECRET},b:${API_SECRET}`, /one secret twice/],
      [`a:${API_SECRET} ${API_SECRET}`, /characters no header can carry/],
    ];
    for (const [keys, expected] of bad) {
      const text = describeConfigProblems(refusalOf(() => loadWith({ API_KEYS: keys })));
      assert.match(text, expected);
      assert.ok(!text.includes(API_SECRET.slice(0, 8)), text);
    }
  });

  it('are masked in what may be shown, passwords in URLs included', () => {
    const { settings } = loadWith({
      REDIS_URL: 'rediss://bob:hunter2-hunter2@h:6380/1?password=other-secret',
      HTTPS_PROXY: 'http://u:proxy-password@p:1',
      API_KEYS: `crm:${API_SECRET}`,
    });
    const shown = effectiveConfig(settings);
    assert.ok(shown.includes('REDIS_URL=rediss://bob:***@h:6380/1?***'));
    assert.ok(shown.includes('FEISHU_APP_SECRET=***'));
    const text = JSON.stringify(settings);
    for (const secret of [APP_SECRET, API_SECRET, KEY, 'hunter2', 'proxy-password', 'other-secret']) {
      assert.ok(!text.includes(secret.slice(0, 7)), secret);
    }
  });

  it('are all told to the scrubber', () => {
    const { secrets } = loadWith({
      API_KEYS: `crm:${API_SECRET}`,
      REDIS_URL: 'redis://:p%40ss-word@h',
      HTTP_PROXY: 'http://u:proxy-password@p:1',
    });
    for (const secret of [APP_SECRET, API_SECRET, KEY, 'p%40ss-word', 'p@ss-word', 'proxy-password']) {
      assert.ok(secrets.includes(secret), secret);
    }
  });

  it('never appear in an error, wherever they were put by mistake', () => {
    const misplaced = [
      'FEISHU_APP_ID',
      'REDIS_URL',
      'HTTP_HOST',
      'API_KEYS',
      'TOKEN_ENCRYPTION_KEYS',
      'REDIS_KEY_PREFIX',
    ];
    for (const name of misplaced) {
      const error = refusalOf(() => loadWith({ [name]: `${APP_SECRET}\u0000${API_SECRET}` }));
      const text = `${error.stack}${describeConfigProblems(error)}${JSON.stringify(error.details)}`;
      assert.ok(!text.includes(APP_SECRET.slice(0, 8)) && !text.includes(API_SECRET.slice(0, 8)), name);
    }
  });

  it('do not depend on anything but the configuration', () => {
    assert.deepEqual(
      variablesOf(() => load({ env: { ...MINIMUM, TOKEN_ENCRYPTION_KEYS: undefined } })),
      ['TOKEN_ENCRYPTION_KEYS'],
    );
  });
});

describe('secret files on disk', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'authd-config-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are read with their permissions', () => {
    const path = join(folder, 'app-secret');
    writeFileSync(path, `${APP_SECRET}\n`);
    chmodSync(path, 0o644);
    const env = {
      ...MINIMUM,
      FEISHU_APP_SECRET: undefined,
      FEISHU_APP_SECRET_FILE: path,
      API_KEYS: `crm:${API_SECRET}`,
    };
    const { config, warnings } = loadConfig({ env });
    assert.equal(config.apps[0]?.appSecret, APP_SECRET);
    assert.equal(warnings.length, 1);
    assert.deepEqual(
      problemsOf(() => loadConfig({ env: { ...env, FEISHU_APP_SECRET_FILE: folder } })).map(({ problem }) => problem),
      ['names a file that is a folder'],
    );
  });
});
