/** The verdict over a fleet: what counts as broken, what as degraded, and what is nobody's alarm. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppStatus, ConnectionNote, FleetStatus, SeenProcess, Trouble } from '../../src/domain/fleet.js';
import { mergeTroubles } from '../../src/domain/troubles.js';
import { judgeFleet } from '../../src/domain/verdict.js';

const NOW = 10_000_000;
const A = 'cli_a';
const B = 'cli_b';

const up = (appId = A): ConnectionNote => ({ appId, state: 'connected', since: 0, lastEventAt: null, trouble: null });
const down = (appId = A, forMs = 60_000): ConnectionNote => ({
  ...up(appId),
  state: 'reconnecting',
  since: NOW - forMs,
  trouble: { cause: 'forbidden', feishuCode: 403, logId: 'log' },
});

const newProcess = (pid: number, fields: Partial<SeenProcess> = {}): SeenProcess => ({
  id: `p${pid}`,
  host: 'host',
  pid,
  version: '1',
  roles: ['gateway', 'worker', 'api'],
  startedAt: 0,
  silentMs: 0,
  connections: [up()],
  stalledQueues: [],
  spoolEntries: 0,
  troubles: [],
  ...fields,
});

const overview = (fields: Partial<NonNullable<AppStatus['overview']>> = {}): AppStatus['overview'] => ({
  sessions: { created: 0, counted: 0, byState: {}, byFailure: {}, newest: [] },
  suspended: 0,
  reauthorizationRequired: 0,
  revoked: 0,
  unclicked: 0,
  refreshHalt: null,
  ...fields,
});

const newApp = (appId = A, fields: Partial<AppStatus> = {}): AppStatus => ({
  appId,
  callbacks: 'long_connection',
  overview: overview(),
  grants: { active: 1, expiringWithin1d: 0, expiringWithin7d: 0 },
  budgets: [{ api: 'im.message.create', usedRatio: 0.5 }],
  ...fields,
});

const fleet = (fields: Partial<FleetStatus> = {}): FleetStatus => ({
  now: NOW,
  processId: 'p1',
  redisAnswers: true,
  redisPersistenceOk: true,
  encryptionKeysMissing: 0,
  processes: [newProcess(1)],
  apps: [newApp()],
  queues: [{ name: 'card-update', jobs: {}, oldestAgeSeconds: 2 }],
  ...fields,
});

const said = (fields: Partial<FleetStatus>): string => {
  const { findings, verdict } = judgeFleet(fleet(fields));
  return [
    verdict,
    ...findings.map(({ name, appId, subject }) => [name, appId, subject].filter(Boolean).join(' ')),
  ].join(', ');
};

describe('the verdict over a fleet', () => {
  it('is that it works while everything does, and while a reconnection is brief', () => {
    assert.equal(said({}), 'works');
    assert.equal(said({ processes: [newProcess(1, { connections: [down(A, 14_000)] })] }), 'works');
  });

  it('is that it does not work without Redis, a gateway, a worker or any connection', () => {
    assert.equal(
      said({ redisAnswers: false, processes: [newProcess(1, { roles: ['api'] })] }),
      'does_not_work, redis_away',
    );
    assert.equal(said({ processes: [newProcess(1, { roles: ['worker'] })] }), 'does_not_work, no_gateway');
    assert.equal(said({ processes: [newProcess(1, { roles: ['gateway'] })] }), 'does_not_work, no_worker');
    const deaf = newProcess(1, { connections: [down()] });
    assert.equal(said({ processes: [deaf] }), `does_not_work, app_not_connected ${A}`);
    assert.deepEqual(judgeFleet(fleet({ processes: [deaf] })).findings[0]?.trouble?.feishuCode, 403);
    const stopped = newProcess(1, { connections: [{ ...down(A, 1_000), state: 'stopped' }] });
    assert.equal(said({ processes: [stopped] }), `does_not_work, app_not_connected ${A}`);
    assert.equal(said({ processes: [newProcess(1, { connections: [] })] }), `does_not_work, app_not_connected ${A}`);
  });

  it('is degraded while one of several connections or apps is down', () => {
    const processes = [newProcess(1), newProcess(2, { connections: [down()] })];
    assert.equal(said({ processes }), `degraded, connection_down ${A} host:2`);
    const apps = [newApp(A), newApp(B)];
    const one = newProcess(1, { connections: [up(A), down(B)] });
    assert.equal(said({ apps, processes: [one] }), `degraded, app_not_connected ${B}`);
    const none = newProcess(1, { connections: [down(A), down(B)] });
    assert.equal(said({ apps, processes: [none] }), `does_not_work, app_not_connected ${A}, app_not_connected ${B}`);
  });

  it('is degraded by late jobs, used budgets, suspended grants, silent callbacks, keys and persistence', () => {
    const late = [{ name: 'card-update', jobs: {}, oldestAgeSeconds: 61 }];
    assert.equal(said({ queues: late }), 'degraded, queue_stuck card-update');
    assert.equal(
      said({ processes: [newProcess(1, { stalledQueues: ['card-update'] })] }),
      'degraded, queue_stuck card-update',
    );
    const used = [newApp(A, { budgets: [{ api: 'oauth.token', usedRatio: 0.76 }] })];
    assert.equal(said({ apps: used }), `degraded, budget_used_up ${A} oauth.token`);
    assert.equal(
      said({ apps: [newApp(A, { overview: overview({ suspended: 2 }) })] }),
      `degraded, grants_suspended ${A}`,
    );
    const refreshHalt = { forMs: 1, detail: { feishu_code: 20074, remedy: 'r', for: 'operator' } } as const;
    const halted = [newApp(A, { overview: overview({ suspended: 2, refreshHalt }) })];
    assert.equal(said({ apps: halted }), `degraded, refresh_halted ${A}`, 'the cause, not what follows from it');
    assert.equal(said({ apps: [newApp(A, { overview: overview({ unclicked: 4 }) })] }), 'works');
    assert.equal(
      said({ apps: [newApp(A, { overview: overview({ unclicked: 5 }) })] }),
      `degraded, callbacks_silent ${A}`,
    );
    assert.equal(said({ encryptionKeysMissing: 1 }), 'degraded, encryption_key_missing');
    assert.equal(said({ redisPersistenceOk: false }), 'degraded, redis_persistence_off');
    assert.equal(said({ redisPersistenceOk: null, encryptionKeysMissing: null, queues: null }), 'works');
  });

  it('misses no long connection of an app whose clicks come by HTTP', () => {
    const http = newApp(A, { callbacks: 'http' });
    assert.equal(said({ apps: [http], processes: [newProcess(1, { roles: ['worker', 'api'] })] }), 'works');
    const deaf = newProcess(1, { connections: [down(B)] });
    assert.equal(said({ apps: [http, newApp(B)], processes: [deaf] }), `degraded, app_not_connected ${B}`);
  });

  it('names the worst first', () => {
    const processes = [newProcess(1, { roles: ['gateway', 'api'] })];
    assert.equal(said({ processes, redisPersistenceOk: false }), 'does_not_work, no_worker, redis_persistence_off');
  });
});

describe('the troubles of a fleet', () => {
  const trouble = (fields: Partial<Trouble>): Trouble => ({
    level: 'error',
    event: 'card.update_failed',
    appId: A,
    cause: null,
    feishuCode: 230020,
    logId: 'old',
    message: 'm',
    count: 1,
    firstAt: 100,
    lastAt: 200,
    ...fields,
  });

  it('are one list, the newest first, the same ones of several processes as one', () => {
    const one = newProcess(1, {
      troubles: [trouble({}), trouble({ event: 'redis.away', feishuCode: null, lastAt: 150 })],
    });
    const two = newProcess(2, { troubles: [trouble({ count: 3, firstAt: 50, lastAt: 300, logId: 'new' })] });
    const merged = mergeTroubles([one, two]);
    assert.deepEqual(
      merged.map(({ event, count, firstAt, lastAt, logId, processes }) => [
        event,
        count,
        firstAt,
        lastAt,
        logId,
        processes,
      ]),
      [
        ['card.update_failed', 4, 50, 300, 'new', ['host:1', 'host:2']],
        ['redis.away', 1, 100, 150, 'old', ['host:1']],
      ],
    );
  });
});
