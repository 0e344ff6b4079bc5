import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FeishuError } from '../../src/domain/feishu-error.js';
import { judgeRefreshAnswer, type RefreshAnswer, refreshError } from '../../src/oauth/refresh-answer.js';
import { feishuReply } from '../support/feishu-reply.js';

const NOW = Date.parse('2026-03-02T08:00:00Z');
const SCOPES = ['offline_access', 'docs:read'];

const judge = (status: number, body: unknown): RefreshAnswer =>
  judgeRefreshAnswer(feishuReply(status, body), { nowMs: NOW, scopes: SCOPES });

const refused = (code: number, error = 'invalid_grant') => ({ code, error, error_description: 'sentinel' });

describe('judging the answer to a refresh', () => {
  it('takes the successor, with times counted from when the answer came', () => {
    const answer = judge(200, {
      code: 0,
      access_token: 'a',
      expires_in: 7200,
      refresh_token: 'r',
      refresh_token_expires_in: 604800,
      token_type: 'Bearer',
      scope: 'offline_access docs:read',
    });
    assert.deepEqual(answer, {
      kind: 'tokens',
      tokenSet: {
        accessToken: 'a',
        expiresAt: NOW + 7_200_000,
        expiresIn: 7_200,
        refreshToken: 'r',
        refreshExpiresAt: NOW + 604_800_000,
        tokenType: 'Bearer',
        scopes: SCOPES,
      },
    });
  });

  const table: readonly (readonly [name: string, status: number, body: unknown, kind: RefreshAnswer['kind']])[] = [
    ['success without a code', 200, { access_token: 'a', refresh_token: 'r' }, 'tokens'],
    ['success with status 500', 500, { code: 0, access_token: 'a', refresh_token: 'r' }, 'tokens'],
    ['success without an access token', 200, { code: 0 }, 'unknown'],
    ['half a document', 200, null, 'unknown'],
    ['HTML of a gateway', 502, null, 'unknown'],
    ['an empty 500', 500, {}, 'unknown'],
    ['20050', 500, refused(20050, 'server_error'), 'refused'],
    ['20072', 503, refused(20072, 'temporarily_unavailable'), 'refused'],
    ['99991400', 429, { code: 99991400, msg: 'sentinel' }, 'refused'],
    ['a bare 429', 429, null, 'refused'],
    ['a code nobody knows', 400, refused(29999, 'whatever'), 'refused'],
    ['a bare invalid_grant', 400, { error: 'invalid_grant' }, 'refused'],
    ['20026', 400, refused(20026), 'dead'],
    ['20037', 400, refused(20037), 'dead'],
    ['20064', 400, refused(20064), 'dead'],
    ['20073', 400, refused(20073), 'used'],
    ['20008', 400, refused(20008), 'left'],
    ['20066', 400, refused(20066), 'left'],
    ['20010', 400, refused(20010, 'access_denied'), 'operator'],
    ['20024', 400, refused(20024), 'operator'],
    ['21000', 400, refused(21000, 'access_denied'), 'operator'],
    ['a fault of ours', 400, refused(20063, 'invalid_request'), 'operator'],
    ['20002', 400, refused(20002, 'invalid_client'), 'operator'],
    ['20009', 400, refused(20009, 'unauthorized_client'), 'operator'],
    ['20048', 400, refused(20048, 'invalid_client'), 'operator'],
    ['20069', 400, refused(20069, 'unauthorized_client'), 'operator'],
    ['20074', 400, refused(20074, 'unauthorized_client'), 'operator'],
  ];
  for (const [name, status, body, kind] of table) {
    it(`takes ${name} as ${kind}`, () => {
      const answer = judge(status, body);
      assert.equal(answer.kind, kind);
      assert.doesNotMatch(JSON.stringify(answer), /sentinel/);
    });
  }

  it('tells what is the same for every user from what is about this grant', () => {
    const isWholeApp = (code: number, error: string): boolean => {
      const answer = judge(400, refused(code, error));
      assert.equal(answer.kind, 'operator');
      return answer.wholeApp;
    };
    for (const code of [20002, 20009, 20048, 20069, 20074]) assert.ok(isWholeApp(code, 'x'), String(code));
    for (const code of [20010, 20024, 20063, 21000, 21001]) assert.ok(!isWholeApp(code, 'access_denied'), String(code));
    const bare = judge(401, { error: 'invalid_client' });
    assert.ok(bare.kind === 'operator' && bare.wholeApp);
  });

  it('does not know the outcome of what was written, and knows that what never left was not taken', () => {
    const error = (kind: 'uncertain' | 'transient' | 'rate_limited') =>
      new FeishuError(kind, 'x', { api: 'oauth.token' });
    assert.equal(refreshError(error('uncertain')).kind, 'unknown');
    assert.equal(refreshError(error('transient')).kind, 'unsent');
    assert.equal(refreshError(error('rate_limited')).kind, 'unsent');
  });
});
