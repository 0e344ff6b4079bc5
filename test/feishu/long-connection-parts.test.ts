/** The judgements of the long connection, without a socket: answers, handshakes, pauses, log lines, scrubbing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeEndpointAnswer } from '../../src/feishu/long-connection/endpoint.js';
import { type FailureReason, failure, failureOfCode } from '../../src/feishu/long-connection/failures.js';
import { judgeHandshake } from '../../src/feishu/long-connection/handshake.js';
import { networkFailure } from '../../src/feishu/long-connection/network-failure.js';
import { createPace } from '../../src/feishu/long-connection/pace.js';
import { scrubValue } from '../../src/feishu/long-connection/scrub.js';
import { longConnectionTimings } from '../../src/feishu/long-connection/timings.js';
import { createTroubleLog } from '../../src/feishu/long-connection/trouble-log.js';
import { captureLog, ERROR, WARN } from '../support/captured-log.js';

const REAL = longConnectionTimings({
  reconnectBaseMs: 1_000,
  reconnectMaxMs: 60_000,
  pongTimeoutSeconds: 20,
  rotateAfterSeconds: 21_600,
});

const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) => ({
  status,
  headers: { 'x-tt-logid': '20260101ABCDEF', ...headers },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

function judged(body: unknown, status?: number, headers?: Record<string, string>) {
  const result = judgeEndpointAnswer(answer(body, status, headers), { host: 'open.feishu.cn' }, false);
  assert.equal(result.ok, false);
  return result.ok ? assert.fail() : result.failure;
}

describe('the answer of the endpoint', () => {
  const URL_OK = 'wss://msg-frontier.feishu.cn/ws/v2?fpid=493&device_id=1&service_id=2&ticket=t';

  it('is an address only with code 0 and a secure URL', () => {
    const good = { code: 0, msg: '', data: { URL: URL_OK, ClientConfig: { PingInterval: 90 } } };
    assert.deepEqual(judgeEndpointAnswer(answer(good), {}, false), {
      ok: true,
      url: URL_OK,
      clientConfig: { PingInterval: 90 },
    });
    const plain = { code: 0, data: { URL: 'ws://127.0.0.1:1/ws?x=1' } };
    assert.equal(judgeEndpointAnswer(answer(plain), {}, false).ok, false, 'plaintext would give the ticket away');
    assert.equal(judgeEndpointAnswer(answer(plain), {}, true).ok, true);
  });

  it('without ClientConfig still is an address', () => {
    const result = judgeEndpointAnswer(answer({ code: 0, data: { URL: URL_OK } }), {}, false);
    assert.deepEqual(result, { ok: true, url: URL_OK, clientConfig: {} });
  });

  const CODES: [number, FailureReason, string][] = [
    [1, 'busy', 'backoff'],
    [403, 'forbidden', 'slow'],
    [514, 'credentials', 'slow'],
    [10003, 'credentials', 'slow'],
    [10014, 'credentials', 'slow'],
    [10015, 'credentials', 'slow'],
    [1000040343, 'internal', 'backoff'],
    [1000040345, 'busy', 'backoff'],
    [1000040350, 'connection_limit', 'limit'],
    [1000040351, 'wrong_brand', 'slow'],
    [99991400, 'rate_limited', 'backoff'],
    [4711, 'refused', 'backoff'],
  ];
  for (const [code, reason, retry] of CODES) {
    it(`${code} means ${reason}, with data, with data null and without data`, () => {
      for (const data of [{ data: {} }, { data: null }, {}]) {
        const why = judged({ code, msg: 'x', ...data });
        assert.deepEqual([why.reason, why.retry, why.feishuCode, why.logId], [reason, retry, code, '20260101ABCDEF']);
        assert.match(why.message, new RegExp(`code ${code}`));
        assert.ok(why.remedy.length > 10);
      }
    });
  }

  it('with a code and an HTTP error is judged by the code', () => {
    const why = judged({ code: 10014, msg: 'app secret invalid' }, 400);
    assert.deepEqual([why.reason, why.httpStatus], ['credentials', 400]);
  });

  const UNUSABLE: [string, unknown, number, FailureReason][] = [
    ['HTML with status 200', '<html>portal</html>', 200, 'not_json'],
    ['an empty body', '', 200, 'not_json'],
    ['a list', [], 200, 'not_json'],
    ['HTML with status 502', '<html>', 502, 'http_status'],
    ['a redirect', '', 302, 'http_status'],
    ['407', '', 407, 'proxy'],
    ['429', '', 429, 'rate_limited'],
    ['code 0 without data', { code: 0 }, 200, 'bad_answer'],
    ['code 0 with data null', { code: 0, data: null }, 200, 'bad_answer'],
    ['code 0 with an empty URL', { code: 0, data: { URL: '' } }, 200, 'bad_answer'],
    ['code 0 with a URL that is no address', { code: 0, data: { URL: 'not an address' } }, 200, 'bad_answer'],
    ['an https URL', { code: 0, data: { URL: 'https://x/' } }, 200, 'bad_answer'],
    ['no code at all', { data: { URL: URL_OK } }, 200, 'bad_answer'],
  ];
  for (const [name, body, status, reason] of UNUSABLE) {
    it(`of ${name} means ${reason} and is retried`, () => {
      const why = judged(body, status);
      assert.deepEqual([why.reason, why.retry], [reason, 'backoff']);
      assert.doesNotMatch(`${why.message}${why.remedy}`, /TypeError|undefined|null/);
    });
  }

  it('that names a pause is obeyed', () => {
    assert.equal(judged('', 429, { 'x-ogw-ratelimit-reset': '7' }).retryAfterMs, 7_000);
    assert.equal(judged('', 503, { 'retry-after': '3' }).retryAfterMs, 3_000);
    assert.equal(judged('', 503, { 'retry-after': 'tomorrow' }).retryAfterMs, undefined);
  });

  it('is quoted without what looks like a secret', () => {
    const why = judged({ code: 10014, msg: 'secret Zm9vYmFyYmF6cXV4MTIzNDU2 is wrong, see http://a/b?ticket=1' });
    assert.equal(why.feishuMessage, 'secret […] is wrong, see http://a/b?…');
  });
});

describe('a refused handshake', () => {
  const refused = (status: number, headers: Record<string, string>, proxy?: string) => {
    const facts = { host: 'gateway', ...(proxy === undefined ? {} : { proxy }) };
    const { reason, retry, feishuCode } = judgeHandshake({ kind: 'refused', status, headers }, facts);
    return [reason, retry, feishuCode];
  };

  it('is judged by its headers', () => {
    const limit = { 'handshake-status': '514', 'handshake-autherrcode': '1000040350' };
    assert.deepEqual(refused(400, limit), ['connection_limit', 'limit', 1000040350]);
    assert.deepEqual(refused(403, { 'handshake-status': '403' }), ['forbidden', 'slow', 403]);
    assert.deepEqual(refused(400, { 'handshake-status': '514' }), ['handshake_refused', 'backoff', 514]);
    assert.deepEqual(refused(400, { 'handshake-status': 'odd' }), ['handshake_refused', 'backoff', undefined]);
  });

  it('without headers came from somebody on the way', () => {
    assert.deepEqual(refused(502, {}), ['handshake_refused', 'backoff', undefined]);
    assert.deepEqual(refused(502, {}, 'http://proxy:3128'), ['proxy', 'backoff', undefined]);
  });
});

describe('a network error', () => {
  const withCode = (code: string) => Object.assign(new Error('connect http://u:p@proxy failed'), { code });

  it('is told by its code and never by its words', () => {
    const why = networkFailure(withCode('ENOTFOUND'), { host: 'open.feishu.cn' });
    assert.equal(why.reason, 'dns');
    assert.equal(why.message, 'The host name cannot be resolved (ENOTFOUND, open.feishu.cn)');
    assert.equal(networkFailure(withCode('ECONNRESET'), {}).reason, 'unreachable');
    assert.equal(networkFailure(withCode('CERT_HAS_EXPIRED'), {}).reason, 'tls');
    assert.equal(networkFailure({ cause: withCode('EAI_AGAIN') }, {}).reason, 'dns');
    assert.equal(networkFailure('odd', {}).reason, 'unreachable');
  });

  it('on the way to a proxy names the proxy', () => {
    const why = networkFailure(withCode('ECONNREFUSED'), { host: 'open.feishu.cn', proxy: 'http://proxy:3128' });
    assert.equal(why.reason, 'proxy');
    assert.match(why.message, /by proxy http:\/\/proxy:3128/);
  });
});

describe('the pause before the next attempt', () => {
  const BACKOFF = { retry: 'backoff' } as const;
  const pauses = (kind: { retry: 'backoff' | 'slow' | 'limit' }, count: number, random = Math.random) => {
    const pace = createPace(REAL, random);
    return Array.from({ length: count }, () => pace.next(kind));
  };

  it('is under a second at first, doubles from the base, never shrinks on the way and ends at the cap', () => {
    assert.deepEqual(
      pauses(BACKOFF, 9, () => 0).map((ms) => ms / 1000),
      [0, 1, 2, 4, 8, 16, 32, 60, 60],
    );
    for (let round = 0; round < 200; round += 1) {
      const [first = 0, ...rest] = pauses(BACKOFF, 9);
      assert.ok(first < 1_000);
      const rising = [first, ...rest.slice(0, 6)];
      assert.deepEqual(
        rising,
        [...rising].sort((a, b) => a - b),
      );
      assert.ok(rest.every((ms) => ms <= 60_000));
    }
  });

  it('lets a connection that dies at once pull at most 12 times in two minutes', () => {
    for (let round = 0; round < 200; round += 1) {
      let at = 0;
      const later = pauses(BACKOFF, 20).map((ms) => (at += ms + 100));
      assert.ok(later.filter((time) => time < 120_000).length + 1 <= 12);
    }
  });

  it('differs between two processes', () => {
    assert.notDeepEqual(pauses(BACKOFF, 5), pauses(BACKOFF, 5));
  });

  it('is long after a refusal, yet under a minute, so that a mended secret is seen', () => {
    assert.deepEqual(
      pauses({ retry: 'slow' }, 4, () => 0).map((ms) => ms / 1000),
      [15, 30, 60, 60],
    );
  });

  it('at the connection limit gives at most four pulls a minute and takes a free slot within 30 s', () => {
    for (const ms of pauses({ retry: 'limit' }, 200)) assert.ok(ms >= 18_000 && ms <= 24_000);
  });

  it('is at least as long as the other side asks, up to five minutes', () => {
    const pace = createPace(REAL, Math.random);
    const asked = pace.next({ retry: 'backoff', retryAfterMs: 10_000 });
    assert.ok(asked >= 10_000 && asked <= 12_500);
    assert.ok(pace.next({ retry: 'backoff', retryAfterMs: 86_400_000 }) <= 375_000);
  });

  it('starts over only when told so', () => {
    const pace = createPace(REAL, () => 0);
    for (let times = 0; times < 5; times += 1) pace.next(BACKOFF);
    assert.equal(pace.failures, 5);
    pace.reset();
    assert.equal(pace.next(BACKOFF), 0);
  });
});

describe('the log of troubles', () => {
  const withClock = () => {
    const log = captureLog();
    const clock = { ms: 0 };
    return { log, clock, trouble: createTroubleLog(log.logger, 'cli_1', () => clock.ms) };
  };

  it('says a refusal once as an error, then once a minute with a count, and again after it was up', () => {
    const { log, clock, trouble } = withClock();
    const wrong = failureOfCode(10014);
    for (let second = 0; second < 130; second += 10) {
      clock.ms = second * 1000;
      trouble.say('ws.connect_failed', wrong, {});
    }
    assert.deepEqual(
      log.lines.map(({ level, times }) => [level, times]),
      [
        [ERROR, undefined],
        [WARN, 7],
        [WARN, 13],
      ],
    );
    assert.equal(log.lines[0]?.['feishu_code'], 10014);
    assert.match(String(log.lines[0]?.msg), /App Secret again/);
    trouble.recovered();
    trouble.say('ws.connect_failed', wrong, {});
    assert.equal(log.lines.at(-1)?.level, ERROR);
  });

  it('warns of every passing failure, but does not flood', () => {
    const { log, clock, trouble } = withClock();
    for (let times = 0; times < 500; times += 1) trouble.say('ws.disconnected', failure('dropped'), {});
    assert.equal(log.lines.length, 20);
    clock.ms = 6_000;
    trouble.say('ws.disconnected', failure('dropped'), {});
    assert.equal(log.lines.at(-1)?.['lines_left_out'], 480);
    assert.ok(log.lines.every(({ level }) => level === WARN));
  });
});

describe('foreign text', () => {
  it('is logged without queries, opaque strings and raw objects', () => {
    const url = 'wss://gateway.example/ws/v2?access_key=00112233445566778899&ticket=abc';
    assert.doesNotMatch(scrubValue(['[ws]', `url: ${url}`]), /access_key|ticket|0011/);
    assert.equal(scrubValue(['[ws]', 'ws connect failed']), '[ws] ws connect failed');
    assert.equal(scrubValue([{ secret: 'x' }, null, 7]), '[object] null 7');
    assert.equal(scrubValue(new TypeError('bad eyJhbGciOiJIUzI1NiJ9.x')), 'TypeError: bad […]');
  });
});
