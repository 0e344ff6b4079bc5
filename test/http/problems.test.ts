import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { AuthdError, ERROR_TABLE, type ErrorCode, type ErrorEntry } from '../../src/errors.js';
import { clientErrorHandler } from '../../src/http/client-error.js';
import { PROBLEM_DOCUMENTS } from '../../src/http/instance.js';
import { API_CODES } from '../../src/http/problem.js';
import { bodyOf, rawGet, sendRaw, statusOf } from './raw.js';
import { ALICE, type Api, assertProblem, newApi, secretOf } from './support.js';

describe('problem documents', () => {
  let api: Api;
  before(async () => {
    api = await newApi();
  });
  after(() => api.close());

  const failWith = async (error: unknown) => {
    api.world.fault = () => Promise.reject(error);
    const answer = await api.call('GET', `/v1/users/${ALICE}`);
    api.world.fault = null;
    return answer;
  };

  describe('of our own errors', () => {
    for (const code of API_CODES) {
      const entry: ErrorEntry = ERROR_TABLE[code];
      it(`give ${code} the status ${entry.status} and the next step ${entry.next ?? '(none)'}`, async () => {
        const answer = await failWith(new AuthdError(code, 'What happened'));
        assertProblem(answer, entry.status, code);
        assert.deepEqual([answer.body['detail'], answer.body['next']], ['What happened', entry.next]);
      });
    }

    it('show what the error has to add, which replaces nothing of the standard', async () => {
      const details = { missing_scopes: ['a'], status: 200, code: 'x', type: 'x', title: 'x', detail: 'x' };
      const options = { remedy: 'Do this', feishuCode: 20_050, logId: 'log-1', retryAfterSeconds: 2.2, details };
      const answer = await failWith(new AuthdError('token_refresh_failed', 'Refused', options));
      assertProblem(answer, 502, 'token_refresh_failed');
      assert.equal(answer.headers.get('retry-after'), '3');
      const { remedy, feishu_code, log_id, missing_scopes, detail } = answer.body;
      assert.deepEqual([remedy, feishu_code, log_id, missing_scopes], ['Do this', 20_050, 'log-1', ['a']]);
      assert.equal(detail, 'Refused');
    });

    it('always say when to come back after 503 and 429', async () => {
      for (const code of ['upstream_unavailable', 'rate_limited'] as const) {
        const answer = await failWith(new AuthdError(code, 'Later'));
        assert.ok(Number(answer.headers.get('retry-after')) >= 1);
        assert.equal(answer.body['next'], 'wait');
      }
    });

    it('show codes that are not of the API as internal_error, and log them', async () => {
      const inner = (Object.keys(ERROR_TABLE) as ErrorCode[]).filter((code) => !API_CODES.some((api) => api === code));
      assert.ok(inner.length > 0);
      for (const code of inner) {
        const options = { remedy: 'inner remedy', details: { inner: 1 } };
        const answer = await failWith(new AuthdError(code, 'inner message', options));
        assertProblem(answer, 500, 'internal_error');
        assert.ok(!answer.text.includes('inner'));
        assert.equal(api.lines.findLast((line) => line['event'] === 'http.internal_error')?.['error_code'], code);
      }
    });
  });

  it('tell nothing of an unknown error, nor does the log, except where it came from', async () => {
    const error = Object.assign(new Error('SET authd:x sentinel-secret'), { command: { args: ['sentinel-secret'] } });
    assertProblem(await failWith(error), 500, 'internal_error');
    for (const thrown of ['sentinel-secret', { statusCode: 418, message: 'sentinel-secret' }]) {
      const answer = await failWith(thrown);
      assert.equal(answer.status, 500);
      assert.ok(!answer.text.includes('sentinel'));
    }
    assert.ok(!api.logged().includes('sentinel'));
    const said = api.lines.find((line) => line['event'] === 'http.internal_error');
    assert.match(String(said?.['stack']), /problems\.test\.ts/);
    assert.deepEqual([said?.['route'], said?.['client_id']], ['/v1/users/:open_id', 'boss']);
  });

  describe('of HTTP', () => {
    const KEY = `Authorization: Bearer ${secretOf('boss')}`;

    it('are 404 for unknown paths, whatever is sent there', async () => {
      for (const path of ['/status-page', '/v1', '/v1/', '/v2/sessions', '/admin', '//healthz', '/healthz/x']) {
        assertProblem(await api.call('GET', path), 404, 'invalid_request');
        assertProblem(await api.call('POST', path, { as: null, body: '{"' }), 404, 'invalid_request');
      }
    });

    it('are 405 with Allow for other methods of known paths, OPTIONS answers the same', async () => {
      const expected = [
        ['/v1/sessions', 'POST, GET, HEAD, OPTIONS'],
        ['/v1/sessions/cleanup', 'POST, OPTIONS'],
        [`/v1/users/${ALICE}/token`, 'GET, DELETE, OPTIONS'],
        ['/healthz', 'GET, HEAD, OPTIONS'],
      ] as const;
      for (const [path, allow] of expected) {
        for (const method of ['PUT', 'PATCH']) {
          const answer = await api.call(method, path, { body: '{"' });
          assertProblem(answer, 405, 'invalid_request');
          assert.equal(answer.headers.get('allow'), allow);
        }
        const options = await api.call('OPTIONS', path);
        assert.deepEqual([options.status, options.headers.get('allow'), options.text], [204, allow, '']);
      }
      assertProblem(await api.call('PUT', '/v1/sessions', { as: null }), 401, 'unauthorized');
      assert.equal((await api.call('OPTIONS', '/v1/sessions', { as: null })).status, 401);
    });

    it('answer HEAD like GET, without the body', async () => {
      for (const path of ['/healthz', '/readyz', '/v1/sessions', `/v1/users/${ALICE}`]) {
        const answer = await api.call('HEAD', path);
        assert.deepEqual([answer.status, answer.text], [200, '']);
      }
    });

    it('are 400 for JSON that is none', async () => {
      for (const body of ['{', '{"open_id": "ou_a",}', "{'open_id': 1}", '\u0000', '{"__proto__": {"a": 1}}', 'NaN']) {
        assertProblem(await api.call('POST', '/v1/sessions', { body }), 400, 'invalid_request');
      }
      const poisoned = { open_id: ALICE, metadata: { constructor: { prototype: {} } } };
      assertProblem(await api.call('POST', '/v1/sessions', { body: poisoned }), 400, 'invalid_request');
    });

    it('are 400 for bytes that are no UTF-8', async () => {
      const body = Buffer.from(`{"open_id":"${ALICE}","reason":"\u00e9"}`, 'latin1');
      const head = [
        'POST /v1/sessions HTTP/1.1',
        'Host: x',
        'Connection: close',
        KEY,
        'Content-Type: application/json',
      ];
      const request = Buffer.concat([
        Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`),
        body,
      ]);
      const response = await sendRaw(api.port, request);
      assert.deepEqual([statusOf(response), bodyOf(response)['code']], [400, 'invalid_request']);
    });

    it('are 400 for JSON that is no object, and for none at all', async () => {
      for (const body of ['null', '[]', '"x"', '7', 'true', '{}', '']) {
        assertProblem(await api.call('POST', '/v1/sessions', { body }), 400, 'invalid_request');
      }
      assertProblem(await api.call('POST', '/v1/sessions'), 400, 'invalid_request');
    });

    it('survive JSON nested as deep as the body may be long', async () => {
      const deep = `{"open_id":${'['.repeat(32_000)}${']'.repeat(32_000)}}`;
      assertProblem(await api.call('POST', '/v1/sessions', { body: deep }), 400, 'invalid_request');
    });

    it('are 415 for bodies that are not JSON', async () => {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/jsonp',
        'json',
        'a/b/c',
        '',
      ]) {
        const headers = { 'content-type': type };
        const answer = await api.call('POST', '/v1/sessions', { body: `{"open_id":"${ALICE}"}`, headers });
        assertProblem(answer, 415, 'invalid_request');
      }
      const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
      assert.equal((await api.call('POST', '/v1/sessions', { body: { open_id: ALICE }, headers })).status, 201);
    });

    it('are 413 for bodies over 64 KiB, announced or not, and 64 KiB are fine', async () => {
      const padded = (length: number) => JSON.stringify({ open_id: ALICE }).padEnd(length);
      assert.equal((await api.call('POST', '/v1/sessions', { body: padded(65_536) })).status, 201);
      assertProblem(await api.call('POST', '/v1/sessions', { body: padded(65_537) }), 413, 'payload_too_large');
      const chunk = `${(60_000).toString(16)}\r\n${' '.repeat(60_000)}\r\n`;
      const head = ['POST /v1/sessions HTTP/1.1', 'Host: x', KEY, 'Content-Type: application/json'];
      const response = await sendRaw(
        api.port,
        `${[...head, 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
      );
      assert.deepEqual([statusOf(response), bodyOf(response)['code']], [413, 'payload_too_large']);
    });

    it('reach a client that is still sending a body of megabytes', async () => {
      const body = ' '.repeat(8_000_000);
      assertProblem(await api.call('POST', '/v1/sessions', { body }), 413, 'payload_too_large');
      assertProblem(await api.call('POST', '/v1/sessions', { as: null, body }), 401, 'unauthorized');
    });

    it('are 400 or 404 for garbage in the path, never 500', async () => {
      const paths = [
        '/%',
        '/%zz',
        '/%ff',
        '/v1/users/%',
        '/v1/users/%ff/token',
        '/v1/sessions/%c0%af',
        '/\u00ff',
        '/v1/../..',
      ];
      for (const path of [...paths, '*', '/v1/users/ou_a;x/token', '/?%ff=%', '/..;/']) {
        const response = await sendRaw(api.port, rawGet(path, [KEY]));
        assert.ok([400, 404].includes(statusOf(response)), `${path}: ${response}`);
        assert.match(response, /content-type: application\/problem\+json/i);
        assert.match(response, /x-content-type-options: nosniff/i);
        assert.equal(bodyOf(response)['code'], 'invalid_request');
      }
    });

    it('are 414 for a path part that is too long', async () => {
      assertProblem(await api.call('GET', `/v1/users/ou_${'a'.repeat(2_000)}`), 414, 'invalid_request');
    });

    it('are 431 for headers that are too large', async () => {
      const response = await sendRaw(api.port, rawGet('/healthz', [`X-Big: ${'a'.repeat(40_000)}`]));
      assert.deepEqual([statusOf(response), bodyOf(response)['code']], [431, 'invalid_request']);
    });

    it('are 400 for bytes that are no HTTP', async () => {
      const garbage = ['\r\n\r\nx\r\n\r\n', 'GET /healthz HTTP/9.9\r\n\r\n', '\u0016\u0003\u0001', 'x'.repeat(100_000)];
      for (const bytes of garbage) {
        const response = await sendRaw(api.port, bytes);
        assert.deepEqual([statusOf(response), bodyOf(response)['status']], [400, 400]);
      }
    });

    it('are 408 for a request that does not arrive in time', async () => {
      // Node finds out after 10 s and more: here its verdict is given at once.
      const late = Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      const answerWith = clientErrorHandler(PROBLEM_DOCUMENTS.toSocket);
      const server = createServer((socket) => answerWith(late, socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const response = await sendRaw((server.address() as AddressInfo).port, 'GET / HTTP');
      server.close();
      assert.deepEqual([statusOf(response), bodyOf(response)['code']], [408, 'invalid_request']);
    });

    it('never repeat what was sent in a way a browser would run', async () => {
      const script = '<script>alert(1)</script>';
      const { headers, text } = await api.call('GET', `/v1/sessions?${encodeURIComponent(script)}=1`);
      assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal((JSON.parse(text) as { code: string }).code, 'invalid_request');
    });
  });

  it('leave one debug line each, with the route’s pattern and nothing of the URL', async () => {
    const before = api.lines.length;
    await api.call('GET', `/v1/users/ou_sentinel?app_id=sentinel`);
    await api.call('GET', '/sentinel/path?sentinel=1');
    const lines = api.lines.slice(before).filter((line) => line['event'] === 'http.request');
    assert.deepEqual(
      lines.map((line) => [line['method'], line['route'], line['status'], line['client_id'], line['level']]),
      [
        ['GET', '/v1/users/:open_id', 404, 'boss', 20],
        ['GET', 'other', 404, undefined, 20],
      ],
    );
    assert.ok(lines.every((line) => typeof line['ms'] === 'number'));
    assert.ok(!api.logged().includes('sentinel'));
  });
});
