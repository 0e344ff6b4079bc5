import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCallback } from '../../src/feishu/callback.js';

const SESSION = `as_0123456789abcdef_${'0'.repeat(32)}`;
const value = { action: 'authorize', session_id: SESSION };

const envelope = (event: object = {}, header: object = {}) => ({
  schema: '2.0',
  header: {
    event_id: 'e1',
    event_type: 'card.action.trigger',
    create_time: '1700000000000000',
    app_id: 'cli_1',
    ...header,
  },
  event: {
    operator: { open_id: 'ou_1' },
    token: 'c-secret',
    action: { value, tag: 'button' },
    context: { open_message_id: 'om_1', open_chat_id: 'oc_1' },
    ...event,
  },
});

const expected = {
  eventId: 'e1',
  appId: 'cli_1',
  openId: 'ou_1',
  messageId: 'om_1',
  action: 'authorize',
  sessionId: SESSION,
  createdAt: 1_700_000_000_000,
};

describe('a callback', () => {
  it('becomes a click', () => {
    assert.deepEqual(parseCallback(envelope()), { kind: 'click', action: expected });
  });

  it('may carry its value as a JSON string, also encoded twice', () => {
    for (const text of [JSON.stringify(value), JSON.stringify(JSON.stringify(value))]) {
      const parsed = parseCallback(envelope({ action: { value: text } }));
      assert.deepEqual(parsed, { kind: 'click', action: expected });
    }
  });

  it('may be flat, as old cards send it', () => {
    const flat = { open_id: 'ou_1', open_message_id: 'om_1', action: { value }, token: 'c-secret' };
    const parsed = parseCallback(flat);
    assert.ok(parsed.kind === 'click');
    assert.deepEqual([parsed.action.openId, parsed.action.messageId, parsed.action.createdAt], ['ou_1', 'om_1', null]);
  });

  it('takes the operator by open_id, whatever other ids it has, and by nothing else', () => {
    const ids = { open_id: 'ou_1', union_id: 'on_1', user_id: 'u1' };
    assert.equal(parseCallback(envelope({ operator: ids })).kind, 'click');
    assert.equal(parseCallback(envelope({ operator: { union_id: 'on_1' } })).kind, 'malformed');
  });

  it('has no message id but a real one', () => {
    const of = (context: unknown, outer?: string) => {
      const parsed = parseCallback(envelope({ context, open_message_id: outer }));
      return parsed.kind === 'click' ? parsed.action.messageId : 'malformed';
    };
    assert.equal(of({ open_message_id: 'om_1' }, 'c-temp-1'), 'om_1');
    assert.equal(of(undefined, 'c-temp-1'), null);
  });

  it('tells its time whether in seconds, milliseconds or microseconds', () => {
    for (const time of ['1700000000', '1700000000000', '1700000000000000', 1_700_000_000_000]) {
      const parsed = parseCallback(envelope({}, { create_time: time }));
      assert.equal(parsed.kind === 'click' ? parsed.action.createdAt : 0, 1_700_000_000_000);
    }
    for (const time of ['', 'soon', -5, null]) {
      const parsed = parseCallback(envelope({}, { create_time: time }));
      assert.equal(parsed.kind === 'click' ? parsed.action.createdAt : 0, null);
    }
  });

  it('that is no action of ours is malformed, and told by its keys only', () => {
    const foreign = [undefined, 'text', 5, [], {}, { action: 'pay' }, { action: 'authorize' }, { session_id: SESSION }];
    for (const other of foreign) {
      const parsed = parseCallback(envelope({ action: { value: other, form_value: { password: 'p4ss' } } }));
      assert.ok(parsed.kind === 'malformed');
      assert.ok(!JSON.stringify(parsed).includes('p4ss'));
    }
  });
});

describe('an event about a user', () => {
  const revoked = (event: object, header: object = {}) => ({
    schema: '2.0',
    header: {
      event_type: 'auth.user_access_token.revoked_v4',
      event_id: 'e3',
      create_time: '1700000000000',
      ...header,
    },
    event: { revoke_token_type: 'user_access_token ', revoke_reason: 'user action', open_id: 'ou_1', ...event },
  });
  const about = { type: 'auth.user_access_token.revoked_v4', eventId: 'e3', openId: 'ou_1' };

  it('tells of a withdrawal, whatever spaces are in its type and whatever it gives as the reason', () => {
    const types = (text: unknown) => {
      const parsed = parseCallback(revoked({ revoke_token_type: text, revoke_reason: 5 }));
      return parsed.kind === 'withdrawal' ? parsed.event.tokenTypes : parsed.kind;
    };
    assert.deepEqual(types('user_access_token '), ['user_access_token']);
    assert.deepEqual(types(' user_access_token  refresh_token'), ['user_access_token', 'refresh_token']);
    assert.deepEqual(types(undefined), []);
    const event = { ...about, createdAt: 1_700_000_000_000, tokenTypes: ['user_access_token'] };
    assert.deepEqual(parseCallback(revoked({})), { kind: 'withdrawal', event });
  });

  it('tells of somebody who has left', () => {
    const type = 'contact.user.deleted_v3';
    const header = { event_type: type, event_id: 'e4', create_time: '1700000000000' };
    const event = { object: { open_id: 'ou_1', name: 'Li Hua' }, old_object: { department_ids: ['0'] } };
    const left = { type, eventId: 'e4', openId: 'ou_1', createdAt: 1_700_000_000_000 };
    assert.deepEqual(parseCallback({ schema: '2.0', header, event }), { kind: 'left', event: left });
  });

  it('may lack its time, but not the user', () => {
    const parsed = parseCallback(revoked({}, { create_time: undefined }));
    assert.equal(parsed.kind === 'withdrawal' ? parsed.event.createdAt : 0, null);
    for (const event of [{ open_id: '' }, { open_id: null }, { open_id: 7 }]) {
      assert.deepEqual(parseCallback(revoked(event)), { kind: 'event', type: about.type, eventId: 'e3' });
    }
    const nobody = { header: { event_type: 'contact.user.deleted_v3', event_id: 'e5' }, event: { object: null } };
    assert.equal(parseCallback(nobody).kind, 'event');
  });
});

describe('other payloads', () => {
  it('are events by their type, in both versions of the envelope', () => {
    const v2 = { schema: '2.0', header: { event_type: 'im.message.receive_v1', event_id: 'e2' }, event: {} };
    assert.deepEqual(parseCallback(v2), { kind: 'event', type: 'im.message.receive_v1', eventId: 'e2' });
    const v1 = { uuid: 'u1', type: 'event_callback', event: { type: 'app_open' } };
    assert.deepEqual(parseCallback(v1), { kind: 'event', type: 'app_open', eventId: 'u1' });
  });

  it('or nothing, and never an error', () => {
    for (const rubbish of [null, undefined, 1, 'x', [], {}, { header: 5, event: 'x' }, { event: null }]) {
      assert.equal(parseCallback(rubbish).kind, 'nothing');
    }
  });
});
