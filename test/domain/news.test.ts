import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newsOf } from '../../src/domain/news.js';
import type { Session } from '../../src/domain/session.js';

type Told = Parameters<typeof newsOf>[0];

const NOW = 1_000_000_000_000;
const HOUR_MS = 3_600_000;

const session = (changes: Partial<Session> = {}): Told => ({
  state: 'pending',
  linkState: 'none',
  linkNumber: 0,
  failureReason: null,
  mismatches: 0,
  said: null,
  endedAt: null,
  ...changes,
});
const ended = (changes: Partial<Session>): Told => session({ linkState: 'none', endedAt: NOW, ...changes });

describe('the news of a session that is shown as messages', () => {
  it('is the request, once, whatever happens to its link while it is the same', () => {
    assert.deepEqual(newsOf(session(), NOW), { message: 'request', id: 'link 1' });
    const said = { said: 'link 1', state: 'authorizing', linkNumber: 1 } as const;
    assert.equal(newsOf(session({ said: 'link 1' }), NOW), null);
    for (const linkState of ['live', 'claimed', 'settling'] as const) {
      assert.equal(newsOf(session({ ...said, linkState }), NOW), null, linkState);
    }
  });

  it('is nothing while it is being verified whose consent it was', () => {
    assert.equal(newsOf(session({ state: 'authorizing', linkState: 'settling', linkNumber: 1 }), NOW), null);
  });

  it('is the new link after each wrong account, also when the former one was never told', () => {
    const wrong = { state: 'authorizing', linkState: 'wrong_account' } as const;
    const second = session({ ...wrong, linkNumber: 1, mismatches: 1, said: 'link 1' });
    assert.deepEqual(newsOf(second, NOW), { message: 'wrong-account', id: 'link 2' });
    assert.equal(newsOf({ ...second, said: 'link 2' }, NOW), null);
    assert.equal(newsOf({ ...second, said: 'link 2', linkState: 'live', linkNumber: 2 }, NOW), null);
    const third = session({ ...wrong, linkNumber: 2, mismatches: 2, said: 'link 1' });
    assert.deepEqual(newsOf(third, NOW), { message: 'wrong-account', id: 'link 3' });
    assert.equal(newsOf({ ...second, said: 'link 10', linkNumber: 9 }, NOW), null, 'numbers, not texts');
  });

  it('is the end, once, by the screen that a card would show', () => {
    const ends = [
      [{ state: 'completed' }, 'authorized'],
      [{ state: 'rejected' }, 'rejected'],
      [{ state: 'expired' }, 'expired'],
      [{ state: 'invalidated' }, 'invalidated'],
      [{ state: 'failed', failureReason: 'upstream_error' }, 'failed'],
      [{ state: 'failed', failureReason: 'insufficient_scope' }, 'missing-scopes'],
      [{ state: 'failed', failureReason: 'identity_mismatch' }, 'wrong-account-final'],
    ] as const;
    for (const [changes, message] of ends) {
      for (const said of [null, 'link 1', 'link 3']) {
        assert.deepEqual(newsOf(ended({ ...changes, said }), NOW), { message, id: 'end' });
      }
      assert.equal(newsOf(ended({ ...changes, said: 'end' }), NOW), null);
    }
  });

  it('leaves a replaced request to the one that has replaced it', () => {
    assert.equal(newsOf(ended({ state: 'superseded', said: 'link 1' }), NOW), null);
  });

  it('is not told when it is three days old', () => {
    const late = ended({ state: 'completed', said: 'link 1' });
    assert.notEqual(newsOf(late, NOW + 72 * HOUR_MS), null);
    assert.equal(newsOf(late, NOW + 72 * HOUR_MS + 1), null);
  });
});
