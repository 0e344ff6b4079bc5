/** What a line of the log means is looked up where its code was met. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meaningOf } from '../../src/app/meanings.js';
import { explainLocalized } from '../../src/cli/explain.js';

const remedyOf = (event: string, known: { feishuCode?: number; cause?: string } = {}): string =>
  meaningOf(explainLocalized, { event, feishuCode: null, cause: null, ...known })?.remedy.en_us ?? '';

describe('the meaning of a trouble', () => {
  it('is that of Feishu’s code where it was met', () => {
    assert.match(remedyOf('ws.connect_failed', { feishuCode: 1000040350 }), /next free/);
    assert.match(remedyOf('token.refresh_halted', { feishuCode: 20074 }), /刷新 user_access_token/);
    assert.match(remedyOf('session.failed', { feishuCode: 230013, cause: 'user_unreachable' }), /可用范围/);
    assert.match(
      remedyOf('card.update_failed', { feishuCode: 99991672 }),
      /权限管理/,
      'a code that every API may answer',
    );
  });

  it('is that of the cause, else that of the event, else nothing', () => {
    assert.match(remedyOf('ws.disconnected', { cause: 'tls' }), /NODE_EXTRA_CA_CERTS/);
    assert.match(remedyOf('session.failed', { cause: 'identity_mismatch' }), /switch to the account/);
    assert.match(remedyOf('card.update_failed', { feishuCode: 123456789 }), /Look up feishu_code/);
    assert.match(remedyOf('redis.error', { cause: 'ECONNREFUSED' }), /REDIS_URL/);
    assert.equal(meaningOf(explainLocalized, { event: 'nobody.knows', cause: null, feishuCode: null }), null);
  });

  it('is there in both languages', () => {
    const meaning = meaningOf(explainLocalized, { event: 'store.lost', cause: null, feishuCode: null });
    assert.match(meaning?.cause.zh_cn ?? '', /丢失/);
    assert.match(meaning?.cause.en_us ?? '', /^Redis has lost/);
  });
});
