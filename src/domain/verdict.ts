/**
 * What is to be said at the top of the status page: whether the fleet works, and what is wrong. Pure. Who can act, and
 * the words, are the page's business.
 */
import type { ConnectionNote, FleetStatus, SeenProcess } from './fleet.js';

export const FINDINGS = [
  'redis_away',
  'no_gateway',
  'no_worker',
  'app_not_connected',
  'connection_down',
  'queue_stuck',
  'refresh_halted',
  'encryption_key_missing',
  'grants_suspended',
  'callbacks_silent',
  'budget_used_up',
  'redis_persistence_off',
] as const;
export type FindingName = (typeof FINDINGS)[number];

export interface Finding {
  readonly name: FindingName;
  /** `broken`: users or clients cannot go on. */
  readonly severity: 'broken' | 'degraded';
  readonly appId: string | null;
  /** Which queue, API or process. */
  readonly subject: string | null;
  /** How many, or for how many seconds. */
  readonly value: number | null;
  /** What Feishu has said, where it has. */
  readonly trouble: ConnectionNote['trouble'];
}

export const VERDICTS = ['works', 'degraded', 'does_not_work'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A reconnection shorter than this is no reason to alarm anybody (CONTRACT §5). */
const RECONNECTING_MS = 15_000;
/** As in ops/prometheus/feishu-authd.rules.yml. */
const STUCK_SECONDS = 60;
const USED_UP = 0.75;
const SILENT_CARDS = 5;

export function judgeFleet(status: FleetStatus): { readonly verdict: Verdict; readonly findings: readonly Finding[] } {
  const findings = status.redisAnswers
    ? [...rolesMissing(status), ...connections(status), ...queues(status), ...apps(status), ...store(status)]
    : [finding('redis_away', 'broken')];
  const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
  const broken = sorted.some(({ severity }) => severity === 'broken');
  const impaired = findings.length > 0 ? 'degraded' : 'works';
  return { verdict: broken ? 'does_not_work' : impaired, findings: sorted };
}

/** How a process is called: a host may run several. */
export const nameOf = ({ host, pid }: Pick<SeenProcess, 'host' | 'pid'>): string => `${host}:${pid}`;

const rank = ({ severity, name }: Finding): number => (severity === 'broken' ? 0 : 100) + FINDINGS.indexOf(name);

function finding(name: FindingName, severity: Finding['severity'], more: Partial<Finding> = {}): Finding {
  return { name, severity, appId: null, subject: null, value: null, trouble: null, ...more };
}

const hasRole = (status: FleetStatus, role: SeenProcess['roles'][number]): boolean =>
  status.processes.some((process) => process.roles.includes(role));

/** The others get their clicks and events by HTTP. */
const byConnection = ({ apps }: FleetStatus) => apps.filter(({ callbacks }) => callbacks === 'long_connection');

function rolesMissing(status: FleetStatus): Finding[] {
  return [
    ...(hasRole(status, 'gateway') || byConnection(status).length === 0 ? [] : [finding('no_gateway', 'broken')]),
    ...(hasRole(status, 'worker') ? [] : [finding('no_worker', 'broken')]),
  ];
}

function connections(status: FleetStatus): Finding[] {
  if (!hasRole(status, 'gateway')) return [];
  const works = ({ state, since }: ConnectionNote): boolean =>
    state === 'connected' || (state !== 'stopped' && status.now - since < RECONNECTING_MS);
  const perApp = byConnection(status).map(({ appId }) => {
    const all = status.processes.flatMap((process) =>
      process.connections.flatMap((note) => (note.appId === appId ? [{ process, note }] : [])),
    );
    return { appId, all, down: all.filter(({ note }) => !works(note)) };
  });
  const isDeaf = ({ all, down }: (typeof perApp)[number]): boolean => down.length === all.length;
  const severity = perApp.length === status.apps.length && perApp.every(isDeaf) ? 'broken' : 'degraded';
  return perApp.flatMap((app) => {
    const first = app.down.find(({ note }) => note.trouble !== null) ?? app.down[0];
    const trouble = first?.note.trouble ?? null;
    if (isDeaf(app)) return [finding('app_not_connected', severity, { appId: app.appId, trouble })];
    return app.down.map(({ note, process }) =>
      finding('connection_down', 'degraded', { appId: app.appId, subject: nameOf(process), trouble: note.trouble }),
    );
  });
}

function queues(status: FleetStatus): Finding[] {
  const stalled = new Set(status.processes.flatMap((process) => process.stalledQueues));
  return (status.queues ?? []).flatMap(({ name, oldestAgeSeconds }) => {
    if (oldestAgeSeconds < STUCK_SECONDS && !stalled.has(name)) return [];
    return [finding('queue_stuck', 'degraded', { subject: name, value: Math.round(oldestAgeSeconds) })];
  });
}

function apps(status: FleetStatus): Finding[] {
  return status.apps.flatMap(({ appId, budgets, overview }) => {
    const usedUp = (budgets ?? []).filter(({ usedRatio }) => usedRatio > USED_UP);
    const found = usedUp.map(({ api, usedRatio }) =>
      finding('budget_used_up', 'degraded', { appId, subject: api, value: usedRatio }),
    );
    if (overview === null) return found;
    const { refreshHalt, suspended, unclicked } = overview;
    if (refreshHalt !== null) {
      const { feishu_code: feishuCode = null, log_id: logId = null } = refreshHalt.detail ?? {};
      const trouble = { cause: 'refresh_halted', feishuCode, logId };
      found.push(finding('refresh_halted', 'degraded', { appId, trouble }));
    } else if (suspended > 0) found.push(finding('grants_suspended', 'degraded', { appId, value: suspended }));
    if (unclicked >= SILENT_CARDS) found.push(finding('callbacks_silent', 'degraded', { appId, value: unclicked }));
    return found;
  });
}

function store({ encryptionKeysMissing, redisPersistenceOk }: FleetStatus): Finding[] {
  const missing = encryptionKeysMissing ?? 0;
  return [
    ...(missing > 0 ? [finding('encryption_key_missing', 'degraded', { value: missing })] : []),
    ...(redisPersistenceOk === false ? [finding('redis_persistence_off', 'degraded')] : []),
  ];
}
