/** The pure parts of a session: its id, its screen, its duties; and what readiness says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dutiesOf } from '../../src/domain/duties.js';
import { judgeReadiness } from '../../src/domain/readiness.js';
import { covers, missingFrom, parseScopes, withOfflineAccess } from '../../src/domain/scopes.js';
import { SCREENS, screenOf } from '../../src/domain/screen.js';
import { LINK_STATES, SESSION_STATES, type Session } from '../../src/domain/session.js';
import { appOfSession, newSessionId } from '../../src/domain/session-id.js';
import { aSession } from '../feishu/cards-support.js';

const session = (changes: Partial<Session>): Session => aSession({ shownVersion: 5, version: 5, ...changes });
const kinds = (changes: Partial<Session>): string[] => dutiesOf(session(changes), 0).map(({ kind }) => kind);

describe('session ids', () => {
  it('carry their app and sort by age', () => {
    const id = newSessionId('cli_0123456789abcdef', 1_700_000_000_000);
    assert.equal(appOfSession(id), 'cli_0123456789abcdef');
    assert.ok(id < newSessionId('cli_0123456789abcdef', 1_700_000_000_001));
    assert.notEqual(id, newSessionId('cli_0123456789abcdef', 1_700_000_000_000));
    assert.ok(!id.includes(':') && !/^\d+$/.test(id), 'fit for BullMQ');
  });

  it('of others belong to no app', () => {
    for (const text of ['', 'as_', 'as_xyz', `as_0123456789abcdef_${'g'.repeat(32)}`, '../../etc']) {
      assert.equal(appOfSession(text), null);
    }
    assert.throws(() => newSessionId('cli_short', 0), TypeError);
  });
});

describe('screens', () => {
  it('exist for every state a session can be in', () => {
    const seen = new Set<string>();
    for (const state of SESSION_STATES) {
      for (const linkState of LINK_STATES) {
        for (const linkNumber of [1, 2]) {
          for (const failureReason of ['identity_mismatch', 'insufficient_scope', 'upstream_error'] as const) {
            seen.add(screenOf({ state, linkState, linkNumber, failureReason }));
          }
        }
      }
    }
    assert.deepEqual([...seen].sort(), [...SCREENS].sort());
  });

  it('offer a link only while it lives', () => {
    const of = (linkState: Session['linkState'], linkNumber = 1) =>
      screenOf({ state: 'authorizing', linkState, linkNumber, failureReason: null });
    assert.equal(of('live'), 'link');
    assert.deepEqual([of('claimed'), of('claimed', 2), of('none')], ['request', 'link-expired', 'request']);
    assert.deepEqual(
      [of('dead'), of('wrong_account'), of('settling')],
      ['link-expired', 'wrong-account', 'confirming'],
    );
  });
});

describe('duties', () => {
  it('follow from the record alone', () => {
    assert.deepEqual(kinds({ state: 'pending', linkState: 'none' }), ['expiry']);
    assert.deepEqual(kinds({ state: 'pending', linkState: 'none', shownVersion: 0 }), ['expiry', 'card']);
    assert.deepEqual(kinds({ state: 'authorizing', linkState: 'claimed' }), ['expiry', 'link']);
    assert.deepEqual(kinds({ state: 'authorizing', linkState: 'live' }), ['expiry', 'poll']);
    assert.deepEqual(kinds({ state: 'authorizing', linkState: 'dead' }), ['expiry']);
    assert.deepEqual(kinds({ state: 'completed', linkState: 'live' }), []);
    assert.deepEqual(kinds({ state: 'expired', linkState: 'none', shownVersion: 4 }), ['card']);
  });

  it('settle kept tokens also of a session that was replaced meanwhile', () => {
    assert.deepEqual(kinds({ state: 'superseded', linkState: 'settling' }), ['poll']);
  });
});

describe('scopes', () => {
  it('are sets that keep their order', () => {
    assert.deepEqual(parseScopes(' a  b a\tc '), ['a', 'b', 'c']);
    assert.deepEqual(withOfflineAccess(['a', 'offline_access']), ['offline_access', 'a']);
    assert.deepEqual(missingFrom(['a'], ['b', 'a', 'c']), ['b', 'c']);
    assert.ok(covers(['a', 'b'], ['b']) && !covers(['a'], ['A']));
  });
});

describe('readiness', () => {
  const part = (name: string, ok: boolean) => ({ part: name, ok, detail: '' });

  it('is degraded while one connection of several works, and unavailable for anything else', () => {
    const connection = (ok: boolean) => part('long_connection', ok);
    assert.equal(judgeReadiness([part('redis', true), connection(true)]).status, 'ready');
    assert.equal(judgeReadiness([part('redis', true), connection(true), connection(false)]).status, 'degraded');
    assert.equal(judgeReadiness([part('redis', true), connection(false)]).status, 'unavailable');
    assert.equal(judgeReadiness([part('redis', false), connection(true), connection(false)]).status, 'unavailable');
  });
});
