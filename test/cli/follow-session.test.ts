/** Waiting for a session never lasts for ever, whatever the daemon does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiClient } from '../../src/cli/api-client.js';
import { CommandFailure } from '../../src/cli/command-failure.js';
import { followSession } from '../../src/cli/follow-session.js';
import { noAnswer } from '../../src/cli/network-trouble.js';

const PENDING = {
  session_id: 'as_1',
  state: 'pending',
  message_id: 'om_1',
  created_at: '2026-03-02T08:00:00.000Z',
  expires_at: '2026-03-02T09:00:00.000Z',
  ended_at: null,
};

/** Each call takes `callMs` of the clock; the answers are given in order, the last one again and again. */
function follow(answers: readonly (object | Error)[], callMs: number) {
  let nowMs = 1_000_000;
  let calls = 0;
  const api: ApiClient = {
    async call() {
      const answer = answers[Math.min(calls, answers.length - 1)];
      calls += 1;
      nowMs += callMs;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    close: async () => undefined,
  };
  const notes: string[] = [];
  const following = {
    api,
    note: (line: string) => notes.push(line),
    now: () => nowMs,
    onSession: () => undefined,
    signal: new AbortController().signal,
  };
  return { notes, end: followSession(PENDING, following), calls: () => calls };
}

const AWAY = noAnswer('http://127.0.0.1:1', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), null);

describe('following a session', () => {
  it('gives up on a daemon that is away for two minutes', async () => {
    const { calls, end, notes } = follow([AWAY], 70_000);
    await assert.rejects(end, AWAY);
    assert.equal(calls(), 3);
    assert.equal(notes.filter((note) => note.endsWith('trying again')).length, 1);
  });

  it('gives up on a session that outlives its life by a quarter of an hour, by the clock of the daemon', async () => {
    const { end } = follow([PENDING], 26 * 60_000);
    await assert.rejects(end, (error: unknown) => {
      assert.ok(error instanceof CommandFailure);
      assert.deepEqual([error.exitCode, error.message], [4, 'The session has outlived its time and is still open']);
      return true;
    });
  });

  it('tells each step once', async () => {
    const asked = { ...PENDING, state: 'authorizing' };
    const { end, notes } = follow([PENDING, asked, asked, { ...asked, state: 'completed', ended_at: 'now' }], 1_000);
    assert.equal((await end)['state'], 'completed');
    assert.deepEqual(notes, [
      'The card is in her chat with the bot; waiting for her answer until 2026-03-02T09:00:00Z',
      'She has asked for the link; waiting for her consent until 2026-03-02T09:00:00Z',
    ]);
  });

  it('throws what is no passing trouble at once', async () => {
    const bug = new TypeError('x is not a function');
    const { calls, end } = follow([bug], 0);
    await assert.rejects(end, bug);
    assert.equal(calls(), 1);
  });
});
