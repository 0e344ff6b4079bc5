/**
 * A running API over doubles of its ports. The doubles are as small as the interfaces allow: maps, and a way to make
 * any port hang, fail or wait. Everything the server logs is kept.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import type { ClientConfig } from '../../src/config/config.js';
import type { AskRequest, AskResult } from '../../src/domain/ask.js';
import type { AccessToken, GrantReading, GrantStatus, RenewedReading } from '../../src/domain/grant.js';
import type { KeyringStatus } from '../../src/domain/keyring.js';
import type { ReadinessReport } from '../../src/domain/readiness.js';
import { isLive, type Session } from '../../src/domain/session.js';
import type { StatusReport } from '../../src/domain/status-report.js';
import { createClientRegistry } from '../../src/http/clients.js';
import { readPageFiles } from '../../src/http/page-files.js';
import { DEFAULT_HTTP_LIMITS, type HttpDeps, type HttpLimits, type SessionQuery } from '../../src/http/ports.js';
import { buildServer } from '../../src/http/server.js';
import { newMetrics } from '../support/metrics.js';

export const APP_A = 'cli_aaaaaaaaaaaaaaaa';
export const APP_B = 'cli_bbbbbbbbbbbbbbbb';
export const ALICE = 'ou_alice';
export const BOB = 'ou_bob';
export const NOW = Date.parse('2026-03-02T08:00:00.000Z');

/** The secret of a test client; its id tells it apart. */
export const secretOf = (clientId: string): string => `${clientId}-secret-0123456789abcdef0123456789`;

/** Without limits and with every action, as API_KEYS makes them, unless told otherwise. */
export const newClient = (id: string, limits: Partial<ClientConfig> = {}): ClientConfig => ({
  id,
  displayName: null,
  secretSha256: [createHash('sha256').update(secretOf(id)).digest('hex')],
  apps: null,
  scopes: null,
  actions: ['ask', 'status', 'token', 'revoke', 'admin'],
  ...limits,
});

export const sessionIdOf = (appId: string, number: number): string =>
  `as_${appId.slice(4)}_${number.toString(16).padStart(32, '0')}`;

export const newSession = (fields: Partial<Session> = {}): Session => ({
  sessionId: sessionIdOf(APP_A, 1),
  appId: APP_A,
  clientId: 'boss',
  openId: ALICE,
  state: 'pending',
  scopes: ['offline_access'],
  grantedScopes: [],
  missingScopes: [],
  reason: null,
  metadata: {},
  chatId: null,
  messageId: null,
  createdAt: NOW,
  expiresAt: NOW + 3_600_000,
  endedAt: null,
  failureReason: null,
  failureDetail: null,
  nextSessionId: null,
  linkState: 'none',
  linkNumber: 0,
  link: null,
  codeFailure: null,
  mismatches: 0,
  cards: 0,
  shownAs: 'card',
  said: null,
  version: 1,
  shownVersion: 0,
  ...fields,
});

export const newGrant = (fields: Partial<GrantStatus> = {}): GrantStatus => ({
  status: 'active',
  appId: APP_A,
  openId: ALICE,
  scopes: ['offline_access', 'docs:read'],
  expiresAt: NOW + 7_200_000,
  refreshExpiresAt: NOW + 604_800_000,
  authorizedAt: NOW,
  renewable: true,
  clientIds: ['boss'],
  detail: null,
  ...fields,
});

const noGrant = (appId: string, openId: string): GrantStatus =>
  newGrant({
    status: 'none',
    appId,
    openId,
    scopes: [],
    expiresAt: null,
    refreshExpiresAt: null,
    authorizedAt: null,
    renewable: false,
    clientIds: [],
  });

export const newToken = (fields: Partial<AccessToken> = {}): AccessToken => ({
  accessToken: 'u-the-access-token',
  tokenType: 'Bearer',
  expiresAt: NOW + 7_200_000,
  expiresIn: 7_200,
  scopes: ['offline_access', 'docs:read'],
  ...fields,
});

const words = (about: string) => ({ en_us: about, zh_cn: `中文：${about}` });

/** Two apps, one process, a finding, an error. */
export const newStatusReport = (fields: Partial<StatusReport> = {}): StatusReport => ({
  now: NOW,
  processId: 'p1',
  redisAnswers: true,
  redisPersistenceOk: true,
  encryptionKeysMissing: 0,
  processes: [
    {
      id: 'p1',
      host: 'one',
      pid: 7,
      version: '0.0.0',
      roles: ['gateway', 'api'],
      startedAt: NOW - 60_000,
      silentMs: 1_400,
      connections: [APP_A, APP_B].map((appId) => ({
        appId,
        state: 'reconnecting',
        since: NOW - 30_000,
        lastEventAt: null,
        trouble: { cause: 'forbidden', feishuCode: 403, logId: 'log-1' },
      })),
      stalledQueues: [],
      spoolEntries: 0,
      troubles: [],
    },
  ],
  apps: [APP_A, APP_B].map((appId) => ({
    appId,
    callbacks: 'long_connection',
    overview: {
      sessions: {
        created: 3,
        counted: 3,
        byState: { pending: 1, failed: 2 },
        byFailure: { user_unreachable: 2 },
        newest: [
          {
            sessionId: sessionIdOf(appId, 1),
            state: 'failed',
            failureReason: 'user_unreachable',
            clientId: 'boss',
            createdAt: NOW - 9_000,
            endedAt: NOW - 8_000,
          },
        ],
      },
      suspended: 1,
      reauthorizationRequired: 2,
      revoked: 3,
      unclicked: 0,
      refreshHalt: null,
    },
    grants: { active: 4, expiringWithin1d: 0, expiringWithin7d: 1 },
    budgets: [{ api: 'im.message.create', usedRatio: 0.25 }],
  })),
  queues: [{ name: 'card-update', jobs: { waiting: 1 }, oldestAgeSeconds: 0.5 }],
  verdict: 'does_not_work',
  findings: [APP_A, APP_B].map((appId) => ({
    name: 'app_not_connected',
    severity: 'broken',
    appId,
    subject: null,
    value: null,
    trouble: { cause: 'forbidden', feishuCode: 403, logId: 'log-1' },
    meaning: { cause: words('not allowed'), remedy: words('publish it') },
  })),
  troubles: [APP_B, null].map((appId) => ({
    level: 'error',
    event: 'ws.connect_failed',
    appId,
    cause: 'forbidden',
    feishuCode: 403,
    logId: 'log-1',
    message: 'Feishu does not allow this',
    count: 2,
    firstAt: NOW - 20_000,
    lastAt: NOW - 10_000,
    processes: ['one:7'],
    meaning: null,
  })),
  failureMeanings: { user_unreachable: { cause: words('cannot be reached'), remedy: words('availability') } },
  ...fields,
});

/** What the ports know and were asked. Tests change it as they go. */
export class World {
  now = NOW;
  readonly sessions = new Map<string, Session>();
  /** By `app/user`. */
  readonly grants = new Map<string, { grant: GrantStatus; token: AccessToken | null }>();
  readonly asked: AskRequest[] = [];
  readonly listed: SessionQuery[] = [];
  readonly cleaned: number[] = [];
  readonly forgotten: string[] = [];
  /** Refreshes that were waited for. */
  readonly renewed: { readonly seen: number; readonly force: boolean }[] = [];
  /** Grants whose token was handed out. */
  readonly used: string[] = [];
  /** What a refresh does, and why it did not. */
  renew: (appId: string, openId: string) => RenewedReading['kept'] = () => ({
    retryAfterMs: 7_200,
    detail: null,
    operator: false,
    asked: false,
  });
  /** Emits `waiting` with each started wait, `ended` with each session `end` was called for. */
  readonly events = new EventEmitter();
  waits = 0;
  keyring: KeyringStatus = {
    keys: [{ id: 'k1', seals: true, configured: true, uses: null, removable: false }],
    reseal: { running: false, done: 0, total: 0, targetKeyId: 'k1', finishedAt: null },
  };
  status = newStatusReport();
  readiness: ReadinessReport = { status: 'ready', parts: [{ part: 'redis', ok: true, detail: '' }] };
  answer: (request: AskRequest) => AskResult = (request) => ({
    kind: 'created',
    session: newSession({ clientId: request.clientId, appId: request.appId, openId: request.openId }),
  });
  /** Stands in for every port call: `() => never` throws, a promise that never settles hangs. */
  fault: (() => Promise<void>) | null = null;

  reading(appId: string, openId: string): GrantReading {
    const known = this.grants.get(`${appId}/${openId}`);
    if (known === undefined) return { now: this.now, grant: noGrant(appId, openId), generation: 0, tokens: [] };
    const { grant, token } = known;
    return { now: this.now, grant, generation: 1, tokens: token === null ? [] : [token] };
  }

  add(session: Session): Session {
    this.sessions.set(session.sessionId, session);
    return session;
  }

  end(sessionId: string, fields: Partial<Session> = {}): void {
    const session = this.sessions.get(sessionId);
    assert.ok(session !== undefined);
    this.sessions.set(sessionId, { ...session, state: 'completed', endedAt: this.now, ...fields });
    this.events.emit('ended', sessionId);
  }

  give(grant: GrantStatus, token: AccessToken | null): void {
    this.grants.set(`${grant.appId}/${grant.openId}`, { grant, token });
  }
}

const hang = (): Promise<void> => new Promise(() => undefined);
/** A fault for `World`: the store does not answer. */
export const HANGS = hang;

function portsOf(world: World): Pick<HttpDeps, 'ask' | 'sessions' | 'grants' | 'keyring' | 'readiness' | 'status'> {
  const faulty = async (): Promise<void> => world.fault?.();
  return {
    async ask(request) {
      await faulty();
      world.asked.push(request);
      return world.answer(request);
    },
    sessions: {
      async get(sessionId) {
        await faulty();
        return world.sessions.get(sessionId) ?? null;
      },
      async waitForEnd(sessionId, timeoutMs, signal) {
        await faulty();
        return waitForEnd(world, sessionId, timeoutMs, signal);
      },
      async list(query) {
        await faulty();
        world.listed.push(query);
        const sessions = [...world.sessions.values()].filter((session) => query.appIds.includes(session.appId));
        const own = sessions.filter((session) => query.clientId === null || session.clientId === query.clientId);
        return { sessions: own.slice(0, query.limit), nextCursor: own.length > query.limit ? 'next' : null };
      },
      async invalidate(sessionId) {
        await faulty();
        const session = world.sessions.get(sessionId);
        if (session !== undefined && isLive(session.state)) world.end(sessionId, { state: 'invalidated' });
        return world.sessions.get(sessionId) ?? null;
      },
      async cleanup(expiryDays) {
        await faulty();
        world.cleaned.push(expiryDays);
        return 7;
      },
    },
    grants: {
      async status(appId, openId) {
        await faulty();
        return world.grants.get(`${appId}/${openId}`)?.grant ?? noGrant(appId, openId);
      },
      async read(appId, openId) {
        await faulty();
        return world.reading(appId, openId);
      },
      async renew(appId, openId, seen, force) {
        await faulty();
        world.renewed.push({ seen, force });
        const kept = world.renew(appId, openId);
        return { ...world.reading(appId, openId), kept };
      },
      used(appId, openId) {
        world.used.push(`${appId}/${openId}`);
      },
      async forget(appId, openId, revokeAtFeishu) {
        await faulty();
        world.forgotten.push(`${appId}/${openId}${revokeAtFeishu ? ' at Feishu' : ''}`);
        world.grants.delete(`${appId}/${openId}`);
      },
    },
    keyring: {
      async status() {
        await faulty();
        return world.keyring;
      },
    },
    async status() {
      await faulty();
      return world.status;
    },
    async readiness() {
      await faulty();
      return world.readiness;
    },
  };
}

async function waitForEnd(world: World, sessionId: string, ms: number, signal: AbortSignal): Promise<Session | null> {
  world.waits += 1;
  world.events.emit('waiting');
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      world.events.off('ended', onEnd);
      resolve();
    };
    const onEnd = (endedId: string): void => {
      if (endedId === sessionId) done();
    };
    const timer = setTimeout(done, ms);
    world.events.on('ended', onEnd);
    signal.addEventListener('abort', () => {
      world.events.emit('let-go');
      done();
    });
  });
  world.waits -= 1;
  return world.sessions.get(sessionId) ?? null;
}

export interface Api {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly world: World;
  /** Every log line so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  /** Every log line as written. */
  readonly logged: () => string;
  /** Calls as client `as` (default `boss`; null: without a key) with a JSON body, if any. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly as?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; {} when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ApiOptions {
  readonly clients?: readonly ClientConfig[];
  readonly apps?: HttpDeps['apps'];
  readonly limits?: Partial<HttpLimits>;
  readonly tls?: HttpDeps['tls'];
}

/** Started on a free port of 127.0.0.1; whoever calls it closes it. */
export async function newApi(options: ApiOptions = {}): Promise<Api> {
  const world = new World();
  const written: string[] = [];
  const logger: Logger = pino({ level: 'trace' }, { write: (line) => written.push(line) });
  const metrics = newMetrics({ clientIds: (options.clients ?? [newClient('boss')]).map(({ id }) => id) });
  const app = await buildServer({
    ...portsOf(world),
    apps: options.apps ?? [{ appId: APP_A, authScopes: ['offline_access', 'docs:read'] }],
    clients: createClientRegistry(options.clients ?? [newClient('boss')]),
    sessionTtlSeconds: 86_400,
    limits: { ...DEFAULT_HTTP_LIMITS, ...options.limits },
    tls: options.tls ?? null,
    version: '0.0.0',
    statusPage: await readPageFiles(join(import.meta.dirname, '../../status-page')),
    metrics: metrics.counts,
    scrape: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    logger,
    now: () => world.now,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    port: Number(new URL(url).port),
    app,
    world,
    get lines() {
      return written.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    logged: () => written.join(''),
    call: (method, path, callOptions) => call(url + path, method, callOptions),
    close: () => app.close(),
  };
}

async function call(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
  const { as = 'boss', body, headers = {}, signal } = options;
  const response = await fetch(url, {
    method,
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${secretOf(as)}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) };
}

/** Holds an answer to be a problem document with this status and code. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const { type, title, detail } = answer.body;
  assert.deepEqual([answer.body['status'], answer.body['code'], type], [status, code, `urn:feishu-authd:${code}`]);
  assert.ok(typeof title === 'string' && title !== '' && typeof detail === 'string' && detail !== '');
}

/** The fields that a 400 names, each once. */
export function fieldsOf(answer: Answer): string[] {
  const errors = (answer.body['errors'] ?? []) as readonly { readonly in: string; readonly field: string }[];
  return [...new Set(errors.map((error) => `${error.in}:${error.field}`))];
}
