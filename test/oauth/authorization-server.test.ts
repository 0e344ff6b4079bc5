import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FeishuReply } from '../../src/domain/feishu-exchange.js';
import { judgeDeviceAuthorization } from '../../src/oauth/authorization-server.js';
import { feishuReply } from '../support/feishu-reply.js';

const COMPLETE = 'https://accounts.feishu.cn/oauth/v1/device/verify?user_code=AB%2FC+D&flow=x#frag%20ment';
const answer = {
  device_code: 'dc-1',
  user_code: 'WDJB-MJHT',
  verification_uri: 'https://accounts.feishu.cn/oauth/v1/device/verify',
  verification_uri_complete: COMPLETE,
  expires_in: 180,
  interval: 7,
};

function link(changes: Record<string, unknown>) {
  const judged = judgeDeviceAuthorization(feishuReply(200, { ...answer, ...changes }));
  assert.equal(judged.kind, 'ok', JSON.stringify(judged));
  return judged;
}

describe('judging a device authorization', () => {
  it('gives the link with every byte as it came', () => {
    assert.deepEqual(link({}), {
      kind: 'ok',
      deviceCode: 'dc-1',
      userCode: 'WDJB-MJHT',
      verificationUri: 'https://accounts.feishu.cn/oauth/v1/device/verify',
      verificationUriComplete: COMPLETE,
      expiresInSeconds: 180,
      intervalSeconds: 7,
    });
    assert.equal(link({ code: 0 }).deviceCode, 'dc-1');
  });

  const links = [
    'https://accounts.feishu.cn/v?user_code=A-B&x=%E4%BD%A0',
    'https://ACCOUNTS.feishu.cn:443/v/../w?user_code=A',
    'http://127.0.0.1:9000/v?user_code=A',
    'http://localhost/v?user_code=A',
    'http://[::1]:1/v',
  ];
  for (const complete of links) {
    it(`takes ${complete} unchanged`, () => {
      assert.equal(link({ verification_uri_complete: complete }).verificationUriComplete, complete);
    });
  }

  const unfit = [
    undefined,
    null,
    '',
    7,
    'http://accounts.feishu.cn/v',
    'http://127.0.0.1.evil.example/v',
    'javascript:alert(1)',
    'lark://applink',
    'not a link',
    'https://a.example/with space',
    'https://a.example/\nx',
    `https://a.example/${'x'.repeat(2_100)}`,
  ];
  for (const complete of unfit) {
    it(`falls back to the page without the code for ${String(complete).slice(0, 40)}`, () => {
      assert.equal(link({ verification_uri_complete: complete }).verificationUriComplete, answer.verification_uri);
    });
  }

  it('uses the complete link for both when the page without the code is missing', () => {
    assert.equal(link({ verification_uri: undefined }).verificationUri, COMPLETE);
  });

  const lives: readonly (readonly [unknown, number])[] = [
    [600, 600],
    ['600', 600],
    [undefined, 240],
    [null, 240],
    ['soon', 240],
    [0, 240],
    [-5, 240],
    [Number.NaN, 240],
    [5, 5],
    [0.4, 1],
    [1e12, 3_600],
    ['1e3', 240],
  ];
  for (const [expiresIn, seconds] of lives) {
    it(`takes expires_in ${String(expiresIn)} as ${seconds} s`, () => {
      assert.equal(link({ expires_in: expiresIn }).expiresInSeconds, seconds);
    });
  }

  const intervals: readonly (readonly [unknown, number])[] = [
    [5, 5],
    ['8', 8],
    [1, 1],
    [0, 5],
    [-1, 5],
    [undefined, 5],
    [Number.NaN, 5],
    [100_000, 60],
  ];
  for (const [interval, seconds] of intervals) {
    it(`takes interval ${String(interval)} as ${seconds} s`, () => {
      assert.equal(link({ interval }).intervalSeconds, seconds);
    });
  }

  type Row = readonly [string, FeishuReply, 'misconfigured' | 'transient', RegExp];
  const refusals: readonly Row[] = [
    ['invalid_scope', feishuReply(400, { error: 'invalid_scope' }), 'misconfigured', /AUTH_SCOPES/],
    ['invalid_client', feishuReply(401, { error: 'invalid_client' }), 'misconfigured', /FEISHU_APP_SECRET/],
    ['20002', feishuReply(400, { code: 20002, error: 'invalid_client' }), 'misconfigured', /FEISHU_APP_SECRET/],
    ['20009', feishuReply(400, { code: 20009 }), 'misconfigured', /publish a version/],
    ['20010', feishuReply(400, { code: 20010 }), 'misconfigured', /可用范围/],
    ['20048', feishuReply(400, { code: 20048 }), 'misconfigured', /FEISHU_APP_ID/],
    ['20069', feishuReply(400, { code: 20069 }), 'misconfigured', /Enable the app/],
    ['20070', feishuReply(400, { code: 20070 }), 'misconfigured', /Report it/],
    ['99991401', feishuReply(403, { code: 99991401 }), 'misconfigured', /IP 白名单/],
    ['an error with HTTP 200', feishuReply(200, { error: 'unauthorized_client' }), 'misconfigured', /publish/],
    ['20050', feishuReply(500, { code: 20050, error: 'server_error' }), 'transient', /tried again/],
    ['20072', feishuReply(503, { code: 20072, error: 'invalid_client' }), 'transient', /tried again/],
    ['429', feishuReply(429, null, { retryAfterMs: 9_000 }), 'transient', /tried again/],
    ['429 with a final word', feishuReply(429, { error: 'invalid_client' }), 'transient', /tried again/],
    ['99991400', feishuReply(400, { code: 99991400 }, { rateLimited: true }), 'transient', /same app/],
    ['HTML', feishuReply(502, null), 'transient', /tried again/],
    ['HTML with 200', feishuReply(200, null), 'transient', /lacks what a link needs/],
    ['404 without JSON', feishuReply(404, null), 'transient', /tried again/],
    ['a redirect', feishuReply(302, null), 'transient', /lacks what a link needs/],
    ['an unknown code', feishuReply(400, { code: 424242 }), 'transient', /list of error codes/],
    ['an unknown error', feishuReply(400, { error: 'hasOwnProperty' }), 'transient', /list of error codes/],
    ['no device_code', feishuReply(200, { ...answer, device_code: '' }), 'transient', /lacks/],
    ['no user_code', feishuReply(200, { ...answer, user_code: 7 }), 'transient', /lacks/],
    [
      'no link at all',
      feishuReply(200, { ...answer, verification_uri: 'x', verification_uri_complete: 'y' }),
      'transient',
      /lacks/,
    ],
  ];
  for (const [name, reply, kind, remedy] of refusals) {
    it(`calls ${name} ${kind}`, () => {
      const judged = judgeDeviceAuthorization(reply);
      assert.ok(judged.kind !== 'ok');
      assert.equal(judged.kind, kind);
      assert.match(judged.detail.remedy, remedy);
      assert.equal(judged.detail.log_id, 'LOG1');
      assert.equal(judged.detail.feishu_code, reply.code ?? undefined);
      if (judged.kind === 'transient') assert.equal(judged.retryAfterMs, reply.retryAfterMs);
    });
  }

  it('takes nothing over from what Feishu wrote', () => {
    const body = { error: 'invalid_scope', error_description: 'sentinel', msg: 'sentinel' };
    assert.doesNotMatch(JSON.stringify(judgeDeviceAuthorization(feishuReply(400, body))), /sentinel/);
  });
});
