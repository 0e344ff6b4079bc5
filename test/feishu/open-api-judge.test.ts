import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GENERIC_CODES } from '../../src/domain/feishu-codes.js';
import { FeishuError, type FeishuErrorKind, type FeishuMeaning } from '../../src/domain/feishu-error.js';
import type { FeishuReply } from '../../src/domain/feishu-exchange.js';
import { judgeReply } from '../../src/feishu/open-api/judge.js';
import { CARD_SUB_CODES, MESSAGE_CODES } from '../../src/feishu/open-api/message-codes.js';
import { judgeUserInfo, USER_INFO_CODES } from '../../src/feishu/open-api/user-info.js';
import { feishuReply as reply } from '../support/feishu-reply.js';

const SEND = { api: 'im.message.create', repeatable: false, codes: MESSAGE_CODES };
const READ = { api: 'application.get', repeatable: true, codes: {} };

function refusal(judge: () => unknown): FeishuError {
  try {
    judge();
  } catch (error) {
    assert.ok(error instanceof FeishuError);
    return error;
  }
  return assert.fail('it should have been refused');
}

describe('judging replies of the open platform', () => {
  it('gives the body of a success', () => {
    const body = { code: 0, data: { message_id: 'om_1' } };
    assert.equal(judgeReply(reply(200, body), SEND), body);
  });

  // status, body, call, kind, meaning
  const table: readonly (readonly [string, FeishuReply, typeof SEND | typeof READ, FeishuErrorKind, FeishuMeaning])[] =
    [
      ['429', reply(429, null, { rateLimited: true, retryAfterMs: 5_000 }), SEND, 'rate_limited', 'retry'],
      ['230020', reply(400, { code: 230020 }, { rateLimited: true }), SEND, 'rate_limited', 'retry'],
      ['HTML to a write', reply(502, null), SEND, 'uncertain', 'retry'],
      ['HTML to a read', reply(502, null), READ, 'transient', 'retry'],
      ['HTML with 200 to a write', reply(200, null), SEND, 'uncertain', 'retry'],
      ['code 0 in a 500 to a write', reply(500, { code: 0 }), SEND, 'uncertain', 'retry'],
      ['an unknown code in a 500 to a write', reply(500, { code: 424242 }), SEND, 'uncertain', 'retry'],
      ['an unknown code in a 400', reply(400, { code: 424242 }), SEND, 'refused', 'bug'],
      ['a redirect', reply(302, null), SEND, 'uncertain', 'retry'],
      ['user outside availability', reply(400, { code: 230013 }), SEND, 'refused', 'unreachable'],
      ['user has stopped the bot', reply(400, { code: 230053 }), SEND, 'refused', 'unreachable'],
      ['open_id of another app', reply(400, { code: 99992361 }), SEND, 'refused', 'unreachable'],
      ['recalled', reply(400, { code: 230011 }), SEND, 'refused', 'gone'],
      ['deleted', reply(400, { code: 230110 }), SEND, 'refused', 'gone'],
      ['older than 14 days', reply(400, { code: 230031 }), SEND, 'refused', 'gone'],
      ['no bot', reply(400, { code: 230006 }), SEND, 'refused', 'misconfigured'],
      ['no permission', reply(400, { code: 99991672 }), SEND, 'refused', 'misconfigured'],
      ['IP not allowed', reply(403, { code: 99991401 }), SEND, 'refused', 'misconfigured'],
      ['a code with HTTP 200', reply(200, { code: 230001 }), SEND, 'refused', 'bug'],
      ['the same uuid in flight', reply(400, { code: 230049 }), SEND, 'transient', 'retry'],
      ['a dead tenant token, twice', reply(400, { code: 99991663 }), SEND, 'transient', 'retry'],
    ];
  for (const [name, answer, call, kind, meaning] of table) {
    it(`calls ${name} ${kind}/${meaning}`, () => {
      const error = refusal(() => judgeReply(answer, call));
      assert.equal(error.kind, kind);
      assert.equal(error.meaning, meaning);
      assert.equal(error.api, call.api);
      assert.equal(error.feishuCode, answer.code);
      assert.equal(error.logId, 'LOG1');
      assert.equal(error.httpStatus, answer.status);
      assert.equal(error.retryAfterMs, answer.retryAfterMs);
    });
  }

  it('knows every code FEISHU.md §4.7 and §7 name, with a remedy in words', () => {
    const messages = [
      230001, 230002, 230006, 230009, 230011, 230013, 230017, 230018, 230019, 230020, 230022, 230025, 230026, 230027,
      230028, 230029, 230031, 230034, 230035, 230036, 230038, 230049, 230050, 230053, 230054, 230055, 230071, 230072,
      230075, 230099, 230110, 230111, 231003, 232009, 99992351, 99992361,
    ];
    const generic = [
      10003, 10012, 10013, 10014, 10015, 11232, 99991400, 99991401, 99991403, 99991543, 99991661, 99991662, 99991663,
      99991664, 99991665, 99991668, 99991671, 99991672, 99991673, 99991676, 99992351, 99992361, 99992402,
    ];
    assert.deepEqual(Object.keys(MESSAGE_CODES).map(Number).sort(byNumber), messages.sort(byNumber));
    assert.deepEqual(Object.keys(GENERIC_CODES).map(Number).sort(byNumber), generic.sort(byNumber));
    for (const entry of [...Object.values(MESSAGE_CODES), ...Object.values(GENERIC_CODES)]) {
      assert.match(entry.cause, /^[a-zF].{5,}[^.]$/, entry.cause);
      assert.match(entry.remedy, /^[A-Z].{15,}[.?]$/, entry.remedy);
    }
  });

  it('says why a card was refused, from the number in the text and nothing else of it', () => {
    const msg = 'Failed to create card content, ext=ErrCode: 200861; ErrMsg: sentinel text';
    const error = refusal(() => judgeReply(reply(400, { code: 230099, msg }), SEND));
    assert.match(error.message, /schema 2\.0/);
    assert.match(error.message, /ErrCode 200861/);
    assert.doesNotMatch(JSON.stringify(error) + error.message, /sentinel/);
    assert.equal(Object.keys(CARD_SUB_CODES).length, 15);
    const strange = refusal(() => judgeReply(reply(400, { code: 230099, msg: 'ext=ErrCode: 7' }), SEND));
    assert.match(strange.message, /unknown reason, ErrCode 7/);
  });

  it('names the permissions that are missing, and only what looks like one', () => {
    const violations = [{ subject: 'im:message' }, { subject: 'not a scope\n' }, null, { subject: 7 }];
    const body = { code: 99991672, error: { permission_violations: violations } };
    const error = refusal(() => judgeReply(reply(400, body), SEND));
    assert.match(error.remedy, /Any of: im:message\.$/);
    assert.deepEqual(error.toFailureDetail(), {
      feishu_code: 99991672,
      log_id: 'LOG1',
      remedy: error.remedy,
      for: 'operator',
    });
  });
});

describe('judging user_info', () => {
  const data = { open_id: 'ou_1', union_id: 'on_1', tenant_key: 't1', name: 'Zhang' };

  it('gives the identity, without what was not told', () => {
    assert.deepEqual(judgeUserInfo(reply(200, { code: 0, data })), {
      openId: 'ou_1',
      unionId: 'on_1',
      tenantKey: 't1',
      name: 'Zhang',
    });
    const bare = judgeUserInfo(reply(200, { code: 0, data: { open_id: 'ou_1' } }));
    assert.deepEqual(bare, { openId: 'ou_1', unionId: null, tenantKey: null, name: null });
  });

  const finals: readonly (readonly [number, FeishuMeaning])[] = [
    [20005, 'token_invalid'],
    [99991668, 'token_invalid'],
    [99991677, 'token_invalid'],
    [20008, 'user_left'],
    [20021, 'user_left'],
    [20022, 'user_left'],
    [20023, 'user_left'],
  ];
  for (const [code, meaning] of finals) {
    it(`takes ${code} as final: ${meaning}`, () => {
      const error = refusal(() => judgeUserInfo(reply(200, { code })));
      assert.equal(error.kind, 'refused');
      assert.equal(error.meaning, meaning);
    });
  }

  const passing: readonly (readonly [string, FeishuReply])[] = [
    ['20050', reply(500, { code: 20050 })],
    ['429', reply(429, null, { rateLimited: true })],
    ['HTML', reply(502, null)],
    ['an unknown code in a 500', reply(500, { code: 1 })],
    ['a success without an open_id', reply(200, { code: 0, data: { name: 'x' } })],
    ['a success without data', reply(200, { code: 0 })],
  ];
  for (const [name, answer] of passing) {
    it(`learns nothing about the user from ${name}`, () => {
      const error = refusal(() => judgeUserInfo(answer));
      assert.ok(error.kind === 'transient' || error.kind === 'rate_limited', error.kind);
      assert.notEqual(error.meaning, 'token_invalid');
    });
  }

  it('has a remedy for each code', () => {
    for (const entry of Object.values(USER_INFO_CODES)) assert.match(entry.remedy, /^[A-Z].{15,}\.$/);
  });
});

const byNumber = (a: number, b: number): number => a - b;
