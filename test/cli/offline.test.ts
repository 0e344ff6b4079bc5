/** What the command line does without a daemon: help, usage errors, keys, the configuration as it would be taken. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { Command } from 'commander';
import { confirmed } from '../../src/cli/confirm.js';
import { createProgram } from '../../src/cli/program.js';
import { keyring } from '../../src/config/secrets.js';
import { CONFIG_VARIABLES } from '../../src/config/variables.js';
import { cli } from '../support/cli.js';

const APP_SECRET = 'QkRzYmVmb3JlVGhlTW9ybmluZ1N0';
const API_SECRET = 'n8Yq2vT5wX7zB3dF6gH9jK1mP4rS0uVc';
const KEY = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');

const COMMANDS = [
  'start',
  'health',
  'doctor',
  'send',
  'sessions list',
  'sessions show',
  'sessions invalidate',
  'sessions cleanup',
  'users show',
  'users revoke',
  'tokens refresh',
  'keys generate',
  'keys status',
  'config print',
  'explain',
];

/** The help text of each command, by its full name. */
function helpTexts(): Map<string, string> {
  const out = new PassThrough();
  const nothing = { on: () => () => undefined, raise: () => undefined };
  const context = { env: {}, stdin: out, stdout: out, stderr: out, now: Date.now, interrupts: nothing };
  const texts = new Map<string, string>();
  const visit = (command: Command, name: string): void => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) });
    command.outputHelp();
    texts.set(name, text);
    for (const child of command.commands) visit(child, `${name} ${child.name()}`.trim());
  };
  visit(createProgram(context), '');
  return texts;
}

describe('help', { concurrency: 2 }, () => {
  it('lists every subcommand in one line each', async () => {
    const { code, stderr, stdout } = await cli(['--help']);
    assert.deepEqual([code, stderr], [0, '']);
    const listed = (stdout.split('Commands:\n')[1] ?? '').split('\n\n')[0]?.split('\n') ?? [];
    assert.equal(listed.length, COMMANDS.length, stdout);
    for (const [index, command] of COMMANDS.entries()) {
      assert.match(listed[index] ?? '', new RegExp(`^ {2}${command}( <\\w+>)? {2,}\\w.+$`));
    }
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.length > 80),
      [],
    );
  });

  it('has an example for every subcommand', () => {
    const texts = helpTexts();
    for (const command of COMMANDS) {
      assert.match(texts.get(command) ?? '', new RegExp(`\nExamples?:\n {2}.*feishu-authd ${command}`), command);
    }
    for (const [name, text] of texts) if (name !== '') assert.match(text, /\nExamples?:\n/, name);
  });

  it('offers --json wherever data is printed', () => {
    // health prints the daemon's own JSON.
    const without = ['start', 'health', 'users revoke'];
    const texts = helpTexts();
    for (const command of COMMANDS) {
      assert.equal(texts.get(command)?.includes('--json'), !without.includes(command), command);
    }
  });
});

describe('wrong usage', { concurrency: 4 }, () => {
  const wrong: [args: string, words: RegExp][] = [
    ['', /^Usage: feishu-authd/],
    ['sessions', /^Usage: feishu-authd sessions/],
    ['sesions list', /unknown command 'sesions'[\s\S]*Did you mean sessions/],
    ['sessions list --lmit 3', /unknown option '--lmit'[\s\S]*Did you mean --limit/],
    ['sessions list --limit 3x', /'3x' is invalid. It is not a whole number from 1 to 100\./],
    ['sessions list --limit 101', /'101' is invalid/],
    ['sessions list --state done', /'done' is invalid. It is none of pending, authorizing/],
    ['sessions show', /missing required argument 'session_id'/],
    ['sessions show a b', /too many arguments/],
    ['sessions cleanup', /required option '--expiry-days <days>'/],
    ['send', /required option '--open-id <id>'/],
    ['send --open-id ou_1 --ttl 9', /'9' is invalid/],
    ['explain 1 --lang de', /'de' is invalid. It is none of zh, en\./],
    ['keys generate --id a:b', /'a:b' is invalid/],
    ['doctor --wait 0', /'0' is invalid. It is not a whole number from 1 to 3600\./],
  ];
  for (const [args, words] of wrong) {
    it(`ends with 2 and nothing on standard output: feishu-authd ${args}`, async () => {
      const { code, stderr, stdout } = await cli(args.split(' ').filter((arg) => arg !== ''));
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, words);
    });
  }

  it('tells all that is wrong with the settings of the client at once, without the key', async () => {
    const env = { AUTHD_URL: `ftp://u:${API_SECRET}@h`, AUTHD_API_KEY: `${API_SECRET} x`, AUTHD_TIMEOUT: '5s' };
    const { code, stderr, stdout } = await cli(['sessions', 'list'], env);
    assert.deepEqual([code, stdout], [2, '']);
    assert.equal(
      stderr,
      [
        'feishu-authd: The configuration has 3 problems:',
        '  AUTHD_URL its scheme is not one of the accepted ones; accepted: http://host[:port][/path] or https://…',
        '  AUTHD_API_KEY is not one printable word; accepted: the secret as one printable word',
        '  AUTHD_TIMEOUT "5s" is not a whole number; accepted: a whole number from 1 to 600 seconds',
        '',
      ].join('\n'),
    );
    const none = await cli(['users', 'show', 'ou_1']);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /\n {2}AUTHD_API_KEY is not set; accepted: the secret of a client/);
    const both = await cli(['users', 'show', 'ou_1'], { AUTHD_API_KEY: API_SECRET, AUTHD_API_KEY_FILE: '/x' });
    assert.match(both.stderr, /AUTHD_API_KEY_FILE is set, and AUTHD_API_KEY too: set one of them/);
    const missing = await cli(['users', 'show', 'ou_1'], { AUTHD_API_KEY_FILE: '/does/not/exist' });
    assert.match(missing.stderr, /AUTHD_API_KEY_FILE names a file that does not exist/);
  });
});

describe('keys generate', () => {
  it('prints an entry that the daemon takes, another one each time', async () => {
    const [first, second, named] = await Promise.all([
      cli(['keys', 'generate']),
      cli(['keys', 'generate', '--json']),
      cli(['keys', 'generate', '--id', 'k2']),
    ]);
    assert.match(first.stdout, /^k\d{8}-[0-9a-f]{4}:[A-Za-z0-9+/]{43}=\n$/);
    assert.match(first.stderr, /^Put it in front of the others in TOKEN_ENCRYPTION_KEYS/);
    const { entry, id } = JSON.parse(second.stdout);
    assert.ok(entry.startsWith(`${id}:`));
    assert.match(named.stdout, /^k2:/);
    const ring = keyring.parse([first.stdout, entry, named.stdout].map((text: string) => text.trim()).join(','));
    assert.ok(ring.ok);
    assert.equal(new Set(ring.value.map(({ key }) => key.toString('hex'))).size, 3);
  });
});

async function configFile(t: TestContext, content: object): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'authd-test-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify(content), { mode: 0o600 });
  return { folder, file };
}

describe('config print', () => {
  const clients = [
    { id: 'crm', secret_sha256: ['ab'.repeat(32)], actions: ['ask', 'token'], scopes: ['docx:document'] },
  ];
  const base = {
    feishu_app_id: 'cli_0123456789abcdef',
    http_port: 9000,
    redis_url: 'redis://u:hunter2@redis:6379',
    clients,
  };

  it('shows the effective values and where each came from, without any secret', async (t) => {
    const { file, folder } = await configFile(t, base);
    await writeFile(join(folder, 'api-keys'), `reports:${API_SECRET}`, { mode: 0o600 });
    const env = {
      CONFIG_FILE: file,
      FEISHU_APP_SECRET: APP_SECRET,
      TOKEN_ENCRYPTION_KEYS: `k1:${KEY}`,
      API_KEYS_FILE: join(folder, 'api-keys'),
      HTTP_PORT: '9001',
      HTTPS_PROXY: 'http://me:pr0xyPassw0rd@proxy:3128',
      AUTHD_URL: 'http://127.0.0.1:9001',
      AUTHD_API_KEY: API_SECRET,
    };
    const [text, asJson] = await Promise.all([cli(['config', 'print'], env), cli(['config', 'print', '--json'], env)]);
    assert.deepEqual([text.code, text.stderr, asJson.code, asJson.stderr], [0, '', 0, '']);
    const view = JSON.parse(asJson.stdout);
    const settings = new Map<string, object>(view.settings.map((each: { name: string }) => [each.name, each]));
    const expected = [
      { name: 'FEISHU_APP_ID', value: 'cli_0123456789abcdef', from: 'feishu_app_id in CONFIG_FILE', source: 'file' },
      { name: 'FEISHU_APP_SECRET', value: '***', from: 'FEISHU_APP_SECRET', source: 'environment' },
      { name: 'HTTP_PORT', value: '9001', from: 'HTTP_PORT', source: 'environment' },
      { name: 'METRICS_PORT', value: '', from: 'default', source: 'default' },
      { name: 'API_KEYS', value: '***', from: 'API_KEYS_FILE', source: 'environment' },
      { name: 'REDIS_URL', value: 'redis://u:***@redis:6379', from: 'redis_url in CONFIG_FILE', source: 'file' },
      { name: 'LOG_LEVEL', value: 'info', from: 'default', source: 'default' },
    ];
    for (const setting of expected) assert.deepEqual(settings.get(setting.name), setting);
    assert.equal(settings.size, CONFIG_VARIABLES.length - 3);
    assert.deepEqual(
      view.clients.map(({ id, secrets }: { id: string; secrets: number }) => [id, secrets]),
      [
        ['reports', 1],
        ['crm', 1],
      ],
    );
    assert.equal(view.apps[0].accounts_base_url, 'https://accounts.feishu.cn');
    const rows = text.stdout.split('\n').map((line) => line.split(/ {2,}/));
    for (const row of [
      ['FEISHU_APP_ID', 'cli_0123456789abcdef', 'file'],
      ['API_KEYS', '***', 'environment (API_KEYS_FILE)'],
      ['HTTPS_PROXY', 'http://me:***@proxy:3128/', 'environment'],
      ['METRICS_PORT', '-', 'default'],
      ['crm', '1', 'ask token', 'all', 'docx:document offline_access'],
    ]) {
      assert.ok(
        rows.some((found) => found.join('|') === row.join('|')),
        `${row.join(' ')} is not in\n${text.stdout}`,
      );
    }
    for (const secret of [APP_SECRET, API_SECRET, KEY, 'hunter2', 'pr0xyPassw0rd', 'abab']) {
      assert.ok(!(text.stdout + asJson.stdout).includes(secret), secret);
    }
  });

  it('names every problem of a configuration that would not start, with 2', async (t) => {
    const { file } = await configFile(t, { ...base, http_prot: 1 });
    const { code, stderr, stdout } = await cli(['config', 'print'], { CONFIG_FILE: file, LOG_LEVEL: 'loud' });
    assert.deepEqual([code, stdout], [2, '']);
    for (const name of ['"http_prot" in CONFIG_FILE', 'LOG_LEVEL', 'FEISHU_APP_SECRET', 'TOKEN_ENCRYPTION_KEYS']) {
      assert.ok(stderr.includes(`\n  ${name} `), stderr);
    }
  });
});

describe('a question at a terminal', () => {
  const ask = async (answer: string | null, isTTY = true): Promise<{ agreed: boolean; shown: string }> => {
    const stdin = Object.assign(new PassThrough(), { isTTY });
    const stderr = Object.assign(new PassThrough(), { isTTY });
    if (answer === null) stdin.end();
    else stdin.write(answer);
    const agreed = await confirmed('Forget it?', { stdin, stderr });
    return { agreed, shown: String(stderr.read() ?? '') };
  };

  for (const [answer, agreed] of [
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['yesterday\n', false],
    [null, false],
  ] as const) {
    it(`takes ${JSON.stringify(answer)} for ${agreed ? 'yes' : 'no'}`, async () => {
      assert.deepEqual(await ask(answer), { agreed, shown: 'Forget it? [y/N] ' });
    });
  }

  it('is not asked where nobody could answer', async () => {
    assert.deepEqual(await ask(null, false), { agreed: true, shown: '' });
  });
});

describe('standard output', () => {
  it('may be closed by whoever reads it', async () => {
    const main = resolve(import.meta.dirname, '../../dist/main.js');
    const child = spawn(process.execPath, [main, 'explain', '99991668'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    assert.deepEqual([code, stderr], [0, '']);
  });
});
