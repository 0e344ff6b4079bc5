/** What the command line makes of an API that refuses, is away, hangs, or is something else altogether. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { readProblem } from '../../src/cli/api-problem.js';
import { failureOfEnd } from '../../src/cli/session-end.js';
import type { FailureReason } from '../../src/domain/session.js';
import { freePort } from '../simulator/demo/free-port.js';
import { cli, type Ended, startCli } from '../support/cli.js';
import {
  type Asked,
  hang,
  hangUp,
  type Scripted,
  type ScriptedServer,
  startScriptedServer,
} from '../support/scripted-server.js';

const KEY = 'k3yOfTheCommandLine0123456789abcdef';
const OPEN_ID = 'ou_7d8a6e6df7621556ce0d21922b676706';
const SESSION_ID = 'as_0123456789abcdef_0199b3c2f4a1c0ffee5eed5eed5eed5e';

const SESSION = {
  session_id: SESSION_ID,
  state: 'pending',
  app_id: 'cli_0123456789abcdef',
  client_id: 'crm',
  open_id: OPEN_ID,
  scopes: ['offline_access'],
  granted_scopes: [],
  missing_scopes: [],
  reason: null,
  message_id: 'om_1',
  created_at: '2026-03-02T08:00:00.000Z',
  expires_at: '2026-03-03T08:00:00.000Z',
  ended_at: null as string | null,
  failure_reason: null as string | null,
  failure_detail: null as object | null,
  next_session_id: null,
  metadata: {},
};

const ended = (state: string, more: object = {}) => ({
  ...SESSION,
  state,
  ended_at: '2026-03-02T09:00:00.000Z',
  ...more,
});

const problem = (status: number, code: string, more: object = {}): Scripted => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  json: { type: `urn:feishu-authd:${code}`, title: 'It is so', status, detail: 'Because', code, ...more },
});

async function serve(t: TestContext, answer: (asked: Asked) => Scripted): Promise<ScriptedServer> {
  const server = await startScriptedServer(answer);
  t.after(() => server.stop());
  return server;
}

const against = (url: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  cli(args, { AUTHD_URL: url, AUTHD_API_KEY: KEY, AUTHD_TIMEOUT: '10', ...more });

const SHOW = ['sessions', 'show', SESSION_ID];

/** It ended with this code, without data and without the key, and with this on standard error. */
function assertFailed(result: Ended, code: number, stderr: string): void {
  assert.deepEqual([result.code, result.signal, result.stdout, result.stderr], [code, null, '', stderr]);
  assert.ok(!result.stderr.includes(KEY));
}

describe('an answer of the API that refuses', { concurrency: 3 }, () => {
  it('is told with what to do', async (t) => {
    const server = await serve(t, () => problem(401, 'unauthorized'));
    assertFailed(
      await against(server.url, SHOW),
      3,
      'feishu-authd: It is so (unauthorized): Because\n' +
        '  AUTHD_API_KEY is the secret alone, without the name it has in API_KEYS.\n',
    );
    assert.equal(server.asked[0]?.headers.authorization, `Bearer ${KEY}`);
  });

  const exits: [status: number, code: string, exit: number][] = [
    [401, 'unauthorized', 3],
    [403, 'forbidden', 3],
    [404, 'token_not_found', 3],
    [403, 'insufficient_scope', 3],
    [409, 'reauthorization_required', 3],
    [400, 'invalid_request', 2],
    [400, 'app_id_required', 2],
    [404, 'invalid_request', 1],
    [404, 'session_not_found', 1],
    [422, 'user_unreachable', 1],
    [429, 'rate_limited', 1],
    [502, 'token_refresh_failed', 1],
    [404, 'of_a_later_version', 1],
    [503, 'upstream_unavailable', 4],
    [500, 'internal_error', 5],
  ];
  for (const [status, code, exit] of exits) {
    it(`ends with ${exit} for ${status} ${code}`, () => {
      const answer = { status, retryAfter: null, text: '' };
      assert.equal(readProblem(answer, { code, title: 'It is so' }, KEY)?.exitCode, exit);
    });
  }

  it('is told with every detail that helps, in plain text', async (t) => {
    const { url } = await serve(t, () =>
      problem(403, 'forbidden', {
        detail: `Not\u001b[31m with ${KEY} or eyJhbGciOiJIUzI1NiJ9.e30.abc`,
        remedy: 'Do it right.',
        next: 'operator',
        errors: [
          { in: 'body', field: 'a', message: 'is first' },
          { in: 'body', field: 'b', message: 'is second' },
        ],
        missing_scopes: ['x:y', 'z'],
        app_ids: ['cli_1'],
        feishu_code: 20026,
        log_id: 'LOG1',
      }),
    );
    assertFailed(
      await against(url, SHOW),
      3,
      [
        'feishu-authd: It is so (forbidden): Not[31m with *** or [secret]',
        '  Do it right.',
        '  body: b is second',
        '  Missing: x:y z',
        '  Apps: cli_1',
        "  Feishu's code is 20026: feishu-authd explain 20026; log id LOG1",
        '  Tell the operator of the daemon.',
        '',
      ].join('\n'),
    );
  });

  it('says when to repeat the command', async (t) => {
    const limited = { ...(problem(429, 'rate_limited', { next: 'wait' }) as object), headers: { 'retry-after': '7' } };
    assertFailed(
      await against((await serve(t, () => limited)).url, SHOW),
      1,
      'feishu-authd: It is so (rate_limited): Because\n  Repeat it in 7 s.\n',
    );
    const away = problem(503, 'upstream_unavailable', { next: 'wait' });
    assertFailed(
      await against((await serve(t, () => away)).url, SHOW),
      4,
      'feishu-authd: It is so (upstream_unavailable): Because\n  Wait a moment and repeat it.\n',
    );
  });
});

describe('an API that is not there', { concurrency: 4 }, () => {
  const CHECK = '  Is the daemon running there (feishu-authd start), and is AUTHD_URL right?\n';

  it('refuses connections: 4', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    assertFailed(await against(url, SHOW), 4, `feishu-authd: Nothing listens at ${url}\n${CHECK}`);
  });

  it('never answers: 4 after AUTHD_TIMEOUT', async (t) => {
    const { url } = await serve(t, () => hang);
    const started = performance.now();
    const told = await against(url, SHOW, { AUTHD_TIMEOUT: '1' });
    assertFailed(told, 4, `feishu-authd: ${url} did not answer within 1 s\n${CHECK}`);
    assert.ok(performance.now() - started < 8_000);
  });

  it('stops in the middle of an answer: 4 after AUTHD_TIMEOUT', async (t) => {
    const { url } = await serve(t, () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"session_id":');
    });
    assertFailed(
      await against(url, SHOW, { AUTHD_TIMEOUT: '1' }),
      4,
      `feishu-authd: ${url} did not answer within 1 s\n${CHECK}`,
    );
  });

  it('hangs up: 4', async (t) => {
    const { url } = await serve(t, () => hangUp);
    assertFailed(
      await against(url, SHOW),
      4,
      `feishu-authd: The connection to ${url} failed (UND_ERR_SOCKET)\n${CHECK}`,
    );
  });

  it('is another server: 4, its words not repeated', async (t) => {
    const answers: [Scripted, number][] = [
      [{ text: '<html>Log in to the hotel network</html>' }, 200],
      [{ text: '' }, 200],
      [{ status: 302, headers: { location: 'http://elsewhere.invalid/' }, text: '' }, 302],
      [{ status: 404, json: { message: KEY } }, 404],
      [{ status: 502, text: '<html>Bad gateway</html>' }, 502],
    ];
    let current: Scripted = {};
    const { url } = await serve(t, () => current);
    for (const [answer, status] of answers) {
      current = answer;
      assertFailed(
        await against(url, SHOW),
        4,
        `feishu-authd: ${url} answered HTTP ${status} with something that does not come from feishu-authd\n` +
          '  Is AUTHD_URL right, and does no portal or proxy answer in place of the daemon?\n',
      );
    }
  });

  it('speaks plain text where TLS is expected, or something else than HTTP: 4', async (t) => {
    const { url } = await serve(t, () => ({}));
    const tls = await against(url.replace('http:', 'https:'), SHOW);
    assert.equal(tls.code, 4);
    assert.match(tls.stderr, /^feishu-authd: No secure connection to https:.+ \(ERR_SSL_WRONG_VERSION_NUMBER\)\n/);
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ssh = await against(`http://127.0.0.1:${port}`, SHOW);
    assert.deepEqual([ssh.code, ssh.stdout], [4, '']);
    assert.match(ssh.stderr, /^feishu-authd: What listens at .+ does not speak HTTP\n/);
  });

  it('sends more than any answer has: 4', async (t) => {
    const { url } = await serve(t, () => ({ json: { padding: 'x'.repeat(9 * 1_048_576) } }));
    const { code, stderr } = await against(url, SHOW, { AUTHD_TIMEOUT: '20' });
    assert.equal(code, 4);
    assert.match(stderr, /UND_ERR_RES_EXCEEDED_MAX_SIZE/);
  });
});

describe('feishu-authd send, when the daemon', { concurrency: 4 }, () => {
  const send = ['send', '--open-id', OPEN_ID];

  it('is away for a while: goes on waiting, saying so once', async (t) => {
    const polls: Scripted[] = [problem(503, 'upstream_unavailable'), hangUp, { json: ended('completed') }];
    const server = await serve(t, (asked) =>
      asked.method === 'POST' ? { status: 201, json: { ...SESSION, session: SESSION } } : (polls.shift() ?? {}),
    );
    const { code, stderr, stdout } = await against(server.url, [...send, '--json']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), ended('completed'));
    assert.equal(
      stderr,
      [
        `Session ${SESSION_ID}`,
        'The card is in her chat with the bot; waiting for her answer until 2026-03-03T08:00:00Z',
        'It is so (upstream_unavailable): Because; trying again',
        'The daemon answers again',
        'She has authorized',
        '',
      ].join('\n'),
    );
    assert.deepEqual(
      server.asked.slice(1).map(({ url }) => url),
      Array.from({ length: 3 }, () => `/v1/sessions/${SESSION_ID}?wait_seconds=3`),
    );
    assert.deepEqual(JSON.parse(server.asked[0]?.body ?? ''), { open_id: OPEN_ID });
  });

  it('does not know it any more: ends, and says where the session is', async (t) => {
    const { url } = await serve(t, (asked) =>
      asked.method === 'POST' ? { status: 201, json: SESSION } : problem(401, 'unauthorized'),
    );
    const { code, stderr } = await against(url, send);
    assert.equal(code, 3);
    assert.match(
      stderr,
      new RegExp(`\\(unauthorized\\): Because\n .+\n  The session goes on .+ show ${SESSION_ID}\n$`),
    );
  });

  it('has ended the session without consent: the exit code says so', async (t) => {
    const { url } = await serve(t, (asked) => ({ json: asked.method === 'POST' ? SESSION : ended('expired') }));
    const { code, stderr, stdout } = await against(url, [...send, '--json']);
    assert.deepEqual([code, JSON.parse(stdout)], [3, ended('expired')]);
    assert.match(stderr, /\nfeishu-authd: She did not answer in time\n {2}The same command asks her again\.\n$/);
  });

  it('hangs at Ctrl-C: ends all the same', async (t) => {
    const { url } = await serve(t, (asked) => (asked.method === 'POST' ? { json: SESSION } : hang));
    const sending = startCli(send, { AUTHD_URL: url, AUTHD_API_KEY: KEY });
    await sending.says('waiting for her answer');
    sending.signal('SIGTERM');
    const { signal, stderr } = await sending.ended;
    assert.equal(signal, 'SIGTERM');
    assert.match(stderr, /feishu-authd sessions show as_\S+\n$/);
  });
});

describe('the end of a session', () => {
  it('is no failure when she has authorized', () => assert.equal(failureOfEnd(ended('completed')), null));

  const ends: [state: string, exit: number, words: string][] = [
    ['expired', 3, 'She did not answer in time'],
    ['rejected', 3, 'She declined'],
    ['invalidated', 1, 'The session was ended by an operator or its client'],
    ['superseded', 1, 'Another request has replaced the session'],
    ['of_a_later_version', 1, 'The session is of_a_later_version'],
  ];
  for (const [state, exit, words] of ends) {
    it(`ends with ${exit} for ${state}`, () => {
      const failure = failureOfEnd(ended(state));
      assert.deepEqual([failure?.exitCode, failure?.message], [exit, words]);
    });
  }

  const reasons: Readonly<Record<FailureReason, number>> = {
    identity_mismatch: 3,
    insufficient_scope: 3,
    code_expired: 3,
    app_misconfigured: 1,
    user_unreachable: 1,
    upstream_error: 1,
    internal_error: 5,
  };
  for (const [reason, exit] of Object.entries(reasons)) {
    it(`ends with ${exit} for failed/${reason}, with the remedy`, () => {
      const detail = { feishu_code: null, log_id: null, remedy: 'Do it.', for: 'user' };
      const failure = failureOfEnd(ended('failed', { failure_reason: reason, failure_detail: detail }));
      assert.deepEqual([failure?.exitCode, failure?.message], [exit, `The session failed: ${reason}`]);
      assert.deepEqual(failure?.advice, ['Do it.', `feishu-authd explain ${reason}`]);
    });
  }
});

describe('keys status', () => {
  const status = {
    keys: [
      { id: 'k2', seals: true, configured: true, uses: 120, removable: false },
      { id: 'k1', seals: false, configured: true, uses: 0, removable: true },
      { id: 'k0', seals: false, configured: false, uses: 3, removable: false },
      { id: 'kx', seals: false, configured: false, uses: null, removable: false },
    ],
    reseal: { running: true, done: 40, total: 123, target_key_id: 'k2', finished_at: null as string | null },
  };

  it('shows the keyring, the progress, and names a key that is missing', async (t) => {
    let current = status;
    const { url } = await serve(t, () => ({ json: current }));
    const running = await against(url, ['keys', 'status']);
    assert.equal(running.code, 0);
    assert.equal(
      running.stdout,
      [
        'KEY  SEALS  CONFIGURED  USES  REMOVABLE',
        'k2   yes    yes         120   no',
        'k1   no     yes         0     yes',
        'k0   no     no          3     no',
        'kx   no     no          -     no',
        '',
        're-sealing  40 of 123 records under k2, going on',
        '',
      ].join('\n'),
    );
    assert.equal(running.stderr, 'Key k0 is in use and not configured: put it back into TOKEN_ENCRYPTION_KEYS.\n');
    current = {
      ...status,
      reseal: { ...status.reseal, running: false, done: 123, finished_at: '2026-03-02T08:00:00.000Z' },
    };
    const over = await against(url, ['keys', 'status', '--json']);
    assert.deepEqual(JSON.parse(over.stdout), current);
    const text = await against(url, ['keys', 'status']);
    assert.match(text.stdout, /re-sealing {2}123 of 123 records under k2, finished 2026-03-02T08:00:00Z\n$/);
    current = { ...status, keys: [], reseal: { ...status.reseal, running: false } };
    assert.match((await against(url, ['keys', 'status'])).stdout, /re-sealing {2}not needed so far\n$/);
  });
});

describe('tokens refresh', () => {
  it('prints no token whatever the answer holds', async (t) => {
    const { url, asked } = await serve(t, () => ({
      json: { access_token: 'SECRET1', refresh_token: 'SECRET2', token: 'SECRET3', expires_in: 7200, scopes: ['a'] },
    }));
    for (const more of [[], ['--json']]) {
      const { code, stderr, stdout } = await against(url, ['tokens', 'refresh', OPEN_ID, '--app-id', 'cli_1', ...more]);
      assert.equal(code, 0);
      assert.match(stdout, /7200/);
      assert.doesNotMatch(stdout + stderr, /SECRET/);
    }
    assert.equal(asked[0]?.url, `/v1/users/${OPEN_ID}/token/refresh?app_id=cli_1`);
    assert.equal(asked[0]?.body, '{}');
  });
});
