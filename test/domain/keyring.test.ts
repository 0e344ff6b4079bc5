import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type KeyringView,
  keyringStatus,
  nextResealStep,
  type ResealPass,
  type SealingProcess,
  targetKeyOf,
  unusedAfter,
  usesAfter,
} from '../../src/domain/keyring.js';

const NOW = 1_000_000;

const process = (fields: Partial<SealingProcess> = {}): SealingProcess => ({
  seals: 'k2',
  ring: ['k2', 'k1'],
  spooled: {},
  startedAt: NOW - 10_000,
  ...fields,
});

const pass = (fields: Partial<ResealPass> = {}): ResealPass => ({
  number: 1,
  targetKeyId: 'k2',
  startedAt: NOW - 2_000,
  finishedAt: NOW - 1_000,
  cursor: '0',
  runId: 'r',
  done: 10,
  total: 10,
  changed: false,
  resealed: 0,
  aside: 0,
  found: {},
  left: {},
  ...fields,
});

const view = (fields: Partial<KeyringView> = {}): KeyringView => ({
  now: NOW,
  registered: ['k1', 'k2'],
  busyUntil: {},
  processes: [process()],
  pass: null,
  uses: null,
  ...fields,
});

describe('what to do about former keys', () => {
  const busy = { k1: NOW + 1_000 };
  const cases: readonly (readonly [what: string, view: KeyringView, expected: object])[] = [
    ['a former key is registered: begin', view(), { kind: 'start', number: 1 }],
    ['none is: nothing', view({ registered: ['k2'] }), { kind: 'nothing' }],
    ['no process is known: nothing', view({ processes: [] }), { kind: 'nothing' }],
    [
      'a younger process seals with another key: nothing',
      view({ processes: [process(), process({ seals: 'k1', startedAt: NOW })] }),
      { kind: 'nothing' },
    ],
    [
      'an older one does: begin',
      view({ processes: [process(), process({ seals: 'k1', startedAt: 1 })] }),
      { kind: 'start', number: 1 },
    ],
    ['one lacks our key: wait', view({ processes: [process(), process({ ring: ['k1'] })] }), { kind: 'wait' }],
    ['a pass is under way: go on', view({ pass: pass({ finishedAt: null }) }), { kind: 'continue' }],
    [
      'it is under way though no former key is left: end it',
      view({ registered: ['k2'], pass: pass({ finishedAt: null }) }),
      { kind: 'continue' },
    ],
    [
      'it was for another key: begin',
      view({ pass: pass({ finishedAt: null, targetKeyId: 'k1' }) }),
      { kind: 'start', number: 1 },
    ],
    [
      'the last pass changed something: look again',
      view({ pass: pass({ changed: true }) }),
      { kind: 'start', number: 2 },
    ],
    [
      'somebody still seals with it: not yet',
      view({ pass: pass({ changed: true }), busyUntil: busy }),
      { kind: 'nothing' },
    ],
    [
      'somebody still seals with it, for a minute: look again',
      view({ pass: pass({ finishedAt: NOW - 60_000 }), busyUntil: busy }),
      { kind: 'start', number: 2 },
    ],
    [
      'somebody spools with it: not yet',
      view({ pass: pass(), processes: [process({ spooled: { k1: 1 } })] }),
      { kind: 'nothing' },
    ],
    ['its values cannot be opened: not yet', view({ pass: pass({ left: { k1: 1 } }) }), { kind: 'nothing' }],
  ];
  for (const [what, given, expected] of cases) {
    it(what, () => {
      const { kind, ...rest } = nextResealStep(given, 'k2');
      assert.deepEqual('number' in rest ? { kind, number: rest.number } : { kind }, expected);
    });
  }

  it('processes that were started in the same moment agree on one key', () => {
    const pair = [process({ seals: 'k1' }), process({ seals: 'k2' })];
    assert.equal(targetKeyOf(view({ processes: pair })), targetKeyOf(view({ processes: pair.toReversed() })));
  });
});

describe('what a finished pass shows', () => {
  it('keys it has not met are unused, unless it has changed anything', () => {
    const found = { k2: 4, k3: 1 };
    assert.deepEqual(unusedAfter(pass({ found }), ['k1', 'k2', 'k3']), ['k1']);
    assert.deepEqual(unusedAfter(pass({ found, changed: true }), ['k1', 'k2', 'k3']), []);
  });

  it('what was sealed anew counts for the new key', () => {
    const found = { k2: 4, k1: 3, k9: 1 };
    assert.deepEqual(usesAfter(pass({ found, resealed: 3, left: { k9: 1 } })), { k2: 7, k9: 1 });
  });
});

describe('the state of the keyring', () => {
  it('lists every key that is configured, registered, sealed with or used', () => {
    const { keys } = keyringStatus(
      view({
        registered: ['k2', 'k3'],
        processes: [process(), process({ seals: 'k4' })],
        uses: { k2: 5, k5: 1, k6: 0 },
      }),
      ['k2', 'k1'],
    );
    assert.deepEqual(
      keys.map(({ id, configured, removable, seals, uses }) => [id, seals, configured, uses, removable]),
      [
        ['k2', true, true, 5, false],
        ['k1', false, true, 0, true],
        ['k3', false, false, 0, false],
        ['k4', true, false, 0, false],
        ['k5', false, false, 1, false],
      ],
    );
  });

  it('runs until no former key is registered', () => {
    const reseal = (fields: Partial<KeyringView>) => keyringStatus(view(fields), ['k2', 'k1']).reseal;
    assert.deepEqual(reseal({}), { running: true, done: 0, total: 0, targetKeyId: 'k2', finishedAt: null });
    assert.deepEqual(reseal({ pass: pass({ done: 4, finishedAt: null }) }), {
      running: true,
      done: 4,
      total: 10,
      targetKeyId: 'k2',
      finishedAt: null,
    });
    const over = { registered: ['k2'], pass: pass() };
    assert.deepEqual([reseal(over).running, reseal(over).finishedAt], [false, NOW - 1_000]);
  });
});
