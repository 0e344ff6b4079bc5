import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FeishuReply } from '../../src/domain/feishu-exchange.js';
import { TOKEN_CODES } from '../../src/oauth/token-codes.js';
import { judgeTokenAnswer, type TokenAnswer } from '../../src/oauth/token-endpoint.js';
import { feishuReply } from '../support/feishu-reply.js';

const NOW = 1_700_000_000_000;
const ASKED = ['offline_access', 'contact:user.base:readonly'];
const judge = (reply: FeishuReply): TokenAnswer => judgeTokenAnswer(reply, { nowMs: NOW, askedScopes: ASKED });

const full = {
  code: 0,
  access_token: 'eyJaccess',
  expires_in: 7_200,
  refresh_token: 'eyJrefresh',
  refresh_token_expires_in: 604_800,
  token_type: 'Bearer',
  scope: 'offline_access contact:user.base:readonly',
};

function tokens(changes: Record<string, unknown>, status = 200) {
  const judged = judge(feishuReply(status, { ...full, ...changes }));
  assert.equal(judged.kind, 'tokens', JSON.stringify(judged));
  assert.ok(judged.kind === 'tokens');
  return judged.tokenSet;
}

describe('judging an answer of the token endpoint: tokens', () => {
  it('gives the token set with absolute times', () => {
    assert.deepEqual(tokens({}), {
      accessToken: 'eyJaccess',
      expiresAt: NOW + 7_200_000,
      expiresIn: 7_200,
      refreshToken: 'eyJrefresh',
      refreshExpiresAt: NOW + 604_800_000,
      tokenType: 'Bearer',
      scopes: ASKED,
    });
  });

  it('accepts the absence of code, and a 0 in quotes', () => {
    assert.equal(tokens({ code: undefined }).accessToken, 'eyJaccess');
    assert.equal(tokens({ code: '0' }).accessToken, 'eyJaccess');
  });

  it('takes a token whatever the status: it will not be given again', () => {
    assert.equal(tokens({}, 400).accessToken, 'eyJaccess');
    assert.equal(tokens({}, 502).accessToken, 'eyJaccess');
  });

  const lives: readonly (readonly [unknown, number])[] = [
    [7_200, 7_200],
    ['7200', 7_200],
    [undefined, 7_200],
    [0, 7_200],
    [-1, 7_200],
    ['x', 7_200],
    [30, 30],
    [0.2, 1],
    [1e9, 2_592_000],
    [Number.POSITIVE_INFINITY, 7_200],
  ];
  for (const [expiresIn, seconds] of lives) {
    it(`takes expires_in ${String(expiresIn)} as ${seconds} s`, () => {
      const set = tokens({ expires_in: expiresIn });
      assert.equal(set.expiresIn, seconds);
      assert.equal(set.expiresAt, NOW + seconds * 1_000);
    });
  }

  const refreshLives: readonly (readonly [unknown, number | null])[] = [
    ['604800', 604_800],
    [undefined, null],
    [0, null],
    ['x', null],
    [1e12, 365 * 86_400],
  ];
  for (const [expiresIn, seconds] of refreshLives) {
    it(`takes refresh_token_expires_in ${String(expiresIn)} as ${seconds ?? 'not known'}`, () => {
      const at = tokens({ refresh_token_expires_in: expiresIn }).refreshExpiresAt;
      assert.equal(at, seconds === null ? null : NOW + seconds * 1_000);
    });
  }

  it('takes a missing or empty refresh token as "cannot be renewed"', () => {
    for (const missing of [undefined, null, '', 7]) {
      const set = tokens({ refresh_token: missing });
      assert.equal(set.refreshToken, null);
      assert.equal(set.refreshExpiresAt, null);
    }
  });

  it('stands for the asked scopes when the answer names none, for exactly its own otherwise', () => {
    assert.deepEqual(tokens({ scope: undefined }).scopes, ASKED);
    assert.deepEqual(tokens({ scope: 'a  b a' }).scopes, ['a', 'b']);
    assert.deepEqual(tokens({ scope: '' }).scopes, []);
  });

  it('defaults the type to Bearer', () => {
    assert.equal(tokens({ token_type: undefined }).tokenType, 'Bearer');
  });

  for (const odd of ['', null, 7, 'with space', 'line\nbreak', 'x'.repeat(20_000)]) {
    it(`takes no ${String(odd).slice(0, 12)} for a token`, () => {
      assert.equal(judge(feishuReply(200, { ...full, access_token: odd })).kind, 'transient');
    });
  }
});

describe('judging an answer of the token endpoint: everything else', () => {
  // RFC 8628 §3.5 and §6.2 of FEISHU.md: status, body -> kind
  const table: readonly (readonly [string, number, unknown, TokenAnswer['kind']])[] = [
    ['pending', 400, { error: 'authorization_pending' }, 'pending'],
    ['pending with its code', 400, { code: 20094, error: 'authorization_pending' }, 'pending'],
    ['pending with HTTP 200', 200, { error: 'authorization_pending' }, 'pending'],
    ['pending with the code of an end', 400, { code: 20004, error: 'authorization_pending' }, 'pending'],
    ['slow_down', 400, { code: 20095, error: 'slow_down' }, 'slow_down'],
    ['slow_down as 429', 429, { error: 'slow_down' }, 'slow_down'],
    ['access_denied', 400, { error: 'access_denied' }, 'denied'],
    ['expired_token', 400, { error: 'expired_token' }, 'expired'],
    ['invalid_grant', 400, { error: 'invalid_grant' }, 'expired'],
    ['invalid_grant with 20003', 400, { code: 20003, error: 'invalid_grant' }, 'expired'],
    ['20004', 400, { code: 20004 }, 'expired'],
    ['20065', 400, { code: 20065 }, 'expired'],
    ['20001', 400, { code: 20001, error: 'invalid_request' }, 'refused'],
    ['20002', 400, { code: 20002, error: 'invalid_client' }, 'refused'],
    ['20008', 400, { code: 20008, error: 'invalid_grant' }, 'refused'],
    ['20009', 400, { code: 20009, error: 'unauthorized_client' }, 'refused'],
    ['20010', 400, { code: 20010, error: 'invalid_grant' }, 'refused'],
    ['20036', 400, { code: 20036, error: 'unsupported_grant_type' }, 'refused'],
    ['20048', 400, { code: 20048, error: 'invalid_client' }, 'refused'],
    ['20063', 400, { code: 20063, error: 'invalid_request' }, 'refused'],
    ['20066', 400, { code: 20066 }, 'refused'],
    ['20069', 400, { code: 20069 }, 'refused'],
    ['20070', 400, { code: 20070 }, 'refused'],
    ['21001', 400, { code: 21001 }, 'refused'],
    ['99991401', 403, { code: 99991401 }, 'refused'],
    ['invalid_client without a code', 401, { error: 'invalid_client' }, 'refused'],
    ['20050', 500, { code: 20050, error: 'server_error' }, 'transient'],
    ['20050 called invalid_grant', 400, { code: 20050, error: 'invalid_grant' }, 'transient'],
    ['20072', 503, { code: 20072 }, 'transient'],
    ['429', 429, null, 'transient'],
    ['429 with a final word', 429, { error: 'invalid_client' }, 'transient'],
    ['11232', 400, { code: 11232 }, 'transient'],
    ['HTML', 502, null, 'transient'],
    ['HTML with 200', 200, null, 'transient'],
    ['nothing', 500, null, 'transient'],
    ['an empty object', 200, {}, 'transient'],
    ['an array', 200, [], 'transient'],
    ['a bare string', 200, 'ok', 'transient'],
    ['a redirect', 302, null, 'transient'],
    ['20094 without an error', 400, { code: 20094 }, 'transient'],
    ['an unknown code', 400, { code: 424242 }, 'transient'],
    ['an unknown error', 400, { error: 'constructor' }, 'transient'],
    ['an error that is no string', 400, { error: { x: 1 } }, 'transient'],
    ['a token beside an error', 200, { ...full, error: 'authorization_pending' }, 'pending'],
    ['a token beside a code', 200, { ...full, code: 20050 }, 'transient'],
  ];
  for (const [name, status, body, kind] of table) {
    it(`takes ${name} as ${kind}`, () => {
      assert.equal(judge(feishuReply(status, body)).kind, kind);
    });
  }

  it('says who can do what about a refusal, and nothing Feishu wrote', () => {
    const body = { code: 20069, error_description: 'sentinel', error: 'unauthorized_client' };
    const judged = judge(feishuReply(400, body));
    assert.deepEqual(judged, {
      kind: 'refused',
      detail: {
        feishu_code: 20069,
        log_id: 'LOG1',
        remedy: 'Enable the app in the admin console (企业应用管理, Workplace > Manage Apps).',
        for: 'operator',
      },
    });
  });

  it('passes on when to come again', () => {
    const judged = judge(feishuReply(503, { code: 20072 }, { retryAfterMs: 4_000 }));
    assert.ok(judged.kind === 'transient');
    assert.equal(judged.retryAfterMs, 4_000);
    assert.equal(judged.detail.feishu_code, 20072);
  });
});

describe('the table of token codes', () => {
  const byClass: Readonly<Record<string, readonly number[]>> = {
    retry: [20050, 20072],
    operator: [20002, 20009, 20024, 20027, 20029, 20048, 20069, 20071, 20074],
    user: [20008, 20010, 20066, 21000, 21001],
    restart: [20003, 20004, 20049, 20065],
    grant_dead: [20026, 20037, 20064, 20073],
    bug: [20001, 20036, 20063, 20067, 20068, 20070],
  };
  it('holds every code of FEISHU.md §6.1 and §6.2 in its class, with a remedy in words', () => {
    const found: Record<string, number[]> = {};
    for (const [code, entry] of Object.entries(TOKEN_CODES)) {
      found[entry.class] = [...(found[entry.class] ?? []), Number(code)];
      assert.match(entry.remedy, /^[A-Z].{15,}[.?]$/, code);
      assert.match(entry.cause, /^[a-zF].{5,}[^.]$/, code);
    }
    assert.deepEqual(found, byClass);
  });
});
