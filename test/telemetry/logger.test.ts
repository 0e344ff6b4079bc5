import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { leakOf, recordLog } from './log-support.js';

/** Unknown to the scrubber: only names and looks can tell. */
const TEXT = 'sentinel-kZ8vQ2';

describe('logger', () => {
  it('writes one JSON object a line with level, ISO time, fields and sentence', () => {
    const { logger, lines, last } = recordLog();
    logger.info({ event: 'session.created', session_id: 's1', feishu_code: 0 }, 'A client asks a user');
    assert.ok(lines[0]?.endsWith('}\n'));
    const { time, ...rest } = last();
    assert.deepEqual(rest, {
      level: 'info',
      event: 'session.created',
      session_id: 's1',
      feishu_code: 0,
      msg: 'A client asks a user',
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = recordLog({ level: 'warn' });
    logger.info('no');
    logger.warn('yes');
    assert.equal(lines.length, 1);
  });

  const secretNames = [
    ...[
      'token',
      'access_token',
      'accessToken',
      'refreshToken',
      'app_secret',
      'clientSecret',
      'password',
      'authorization',
    ],
    ...['Authorization', 'set-cookie', 'device_code', 'userCode', 'code', 'code_verifier', 'ticket', 'api_key', 'key'],
    ...['reason', 'metadata', 'link', 'url', 'verification_uri', 'verificationUriComplete', 'headers', 'body'],
  ];
  for (const name of secretNames) {
    it(`redacts ${name} at any depth, in children, too`, () => {
      const { logger, lines } = recordLog();
      logger.info({ [name]: TEXT, a: { b: [{ [name]: { deep: TEXT } }] } });
      logger
        .child({ [name]: TEXT })
        .child({ x: { [name]: [TEXT] } })
        .info('from a grandchild');
      assert.equal(leakOf(TEXT, lines.join('')), undefined);
      assert.equal(lines.length, 2);
    });
  }

  it('keeps what operators search for', () => {
    const { logger, last } = recordLog();
    const fields = {
      feishu_code: 99991663,
      close_code: 1006,
      code: 1006,
      failure_reason: 'user_unreachable',
      token_count: 2,
      key_id: 'k1',
      has_token: true,
      token: null,
    };
    logger.info(fields);
    assert.deepEqual({ ...last(), ...fields }, last());
  });

  it('writes chosen fields of an error and its causes, and nothing else that hangs on it', () => {
    const { logger, last } = recordLog();
    const inner = Object.assign(new Error('connect failed'), { code: 'ECONNRESET', config: { headers: { a: TEXT } } });
    const error = new AuthdError('upstream_unavailable', 'Feishu is away', {
      feishuCode: 230020,
      logId: '2025',
      details: { TEXT },
      cause: inner,
    });
    logger.error({ event: 'x', err: Object.assign(error, { request: { body: TEXT } }) }, 'failed');
    const { stack, cause, ...shown } = last()['err'] as Record<string, unknown>;
    assert.deepEqual(shown, {
      type: 'AuthdError',
      message: 'Feishu is away',
      code: 'upstream_unavailable',
      feishu_code: 230020,
      log_id: '2025',
    });
    assert.match(String(stack), /^at .*logger\.test/);
    const { stack: innerStack, ...innerShown } = cause as Record<string, unknown>;
    assert.deepEqual(innerShown, { type: 'Error', message: 'connect failed', code: 'ECONNRESET' });
    assert.ok(innerStack);
  });

  it('survives errors and objects that are made to break a logger', () => {
    const { logger, lines } = recordLog();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const endless = new Error('endless');
    endless.cause = endless;
    const trap = Object.defineProperty(new Error('trap'), 'code', { get: () => assert.fail('read') });
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`field_${index}`, 'x'.repeat(100)]));
    logger.info({
      circle,
      socket: process.stdin,
      big: 1n,
      date: new Date(Number.NaN),
      f: () => TEXT,
      text: 'x'.repeat(1e6),
    });
    logger.error(endless);
    logger.error({ err: trap });
    logger.info({ wide, list: Array.from({ length: 5000 }, () => wide) });
    assert.equal(lines.length, 4);
    for (const line of lines) assert.ok(JSON.parse(line) !== null && line.length < 1_000_000);
  });

  it('names objects of classes and does not open them', () => {
    const { logger, last } = recordLog();
    class Exchange {
      readonly options = { hostname: TEXT };
    }
    logger.info({ exchange: new Exchange(), list: [new Map([['a', TEXT]])] });
    assert.deepEqual([last()['exchange'], last()['list']], ['[Exchange]', ['[Map]']]);
  });

  it('says what an AggregateError hides', () => {
    const { logger, last } = recordLog();
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}`));
    // As node:net makes it: without a message of its own.
    const err = Object.assign(new AggregateError(refused, 'replaced'), { message: '' });
    logger.error({ err });
    assert.equal(
      (last()['err'] as { message: string }).message,
      'connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1',
    );
  });

  it('takes known secrets out of messages, stacks, arguments and fields', () => {
    const { logger, scrubber, lines } = recordLog();
    const secret = 'pR7"x\\Lq2Wm9Zt4Kv8';
    scrubber.add(secret);
    logger.info({ note: `got ${secret}`, list: [secret] }, `saw ${secret} %s`, secret);
    logger.error(new Error(`refused ${secret}`, { cause: new Error(secret) }));
    logger.child({ note: secret }, { msgPrefix: secret }).fatal('end');
    for (const line of lines) {
      assert.equal(leakOf(secret, line), undefined);
      assert.equal(leakOf(JSON.stringify(secret).slice(1, -1), line), undefined);
      JSON.parse(line);
    }
  });

  it('takes out what looks like a secret', () => {
    const { logger, last } = recordLog();
    const seen = (text: string): unknown => {
      logger.info(text);
      return last()['msg'];
    };
    assert.equal(seen('at wss://gw.example/ws/v2?ticket=abc&device_id=1 now'), 'at wss://gw.example/ws/v2?*** now');
    assert.equal(
      seen('open https://accounts.feishu.cn/oauth/v1/device?user_code=AB-CD.'),
      'open https://accounts.feishu.cn/oauth/v1/device?***',
    );
    assert.equal(seen('redis://bob:pass@h:1/0 away'), 'redis://h:1/0 away');
    assert.equal(seen('Authorization: Bearer abc.def-ghi'), 'Authorization: Bearer [secret]');
    assert.equal(seen('jwt eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIx.sig-x_y'), 'jwt [secret]');
    assert.equal(seen('token u-5Kx8zzQ9pfmH3rT7aBcDeF and ur-5Kx8zzQ9pfmH3rT7aBcDeF'), 'token [secret] and [secret]');
    assert.equal(
      seen('see https://open.feishu.cn/app/cli_0123456789abcdef'),
      'see https://open.feishu.cn/app/cli_0123456789abcdef',
    );
  });

  it('writes lines for people when asked', () => {
    const { logger, scrubber, lines } = recordLog({ format: 'pretty' });
    scrubber.add('pR7xLq2Wm9Zt4Kv8');
    logger.warn({ event: 'ws.disconnected', note: 'pR7xLq2Wm9Zt4Kv8', token: TEXT }, 'The connection dropped');
    assert.match(lines.join(''), /WARN.*The connection dropped.*ws\.disconnected.*\[secret\].*\[redacted\]/);
  });

  it('writes JSON where standard output is no terminal, and the last line before any end, also into a slow pipe', async () => {
    const module = new URL('../../src/telemetry/logger.ts', import.meta.url).href;
    const code = `
      import { createLogger } from ${JSON.stringify(module)};
      const logger = createLogger({ level: 'info', format: 'auto' });
      for (let i = 0; i < 3000; i++) logger.info({ event: 'noise', i }, 'x'.repeat(100));
      logger.fatal({ event: 'daemon.failed' }, 'the reason');
      logger.info({ event: 'daemon.stopped' }, 'the end');
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    // Far more than a pipe holds is written before anybody reads.
    await once(child.stdout, 'readable');
    const exit = once(child, 'close');
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    const lines = Buffer.concat(chunks).toString().trim().split('\n');
    assert.equal(lines.length, 3002);
    const ending = lines.slice(-2).map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      ending.map(({ level, msg }) => `${level}: ${msg}`),
      ['fatal: the reason', 'info: the end'],
    );
  });
});
