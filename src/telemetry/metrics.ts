/**
 * The metrics of one process, on a registry of their own: implements the port that everybody counts through
 * (domain/metrics.ts), shows gauges that somebody else has read, and writes the Prometheus text. Reads nothing itself.
 *
 * Label values from outside are held to the sets given at the start; anything else is `other`
 * (FAILURES G-metrics-cardinality).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CARD_ACTIONS, CLICK_EVENT } from '../domain/card-action.js';
import { CARD_RESULTS, type Metrics, REFRESH_RESULTS } from '../domain/metrics.js';
import { FAILURE_REASONS } from '../domain/session.js';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type Labels,
  METRIC_TABLE,
  PREFIX,
} from './metric-table.js';

export interface MetricsOptions {
  /** The configured apps and clients. */
  readonly appIds: readonly string[];
  readonly clientIds: readonly string[];
  /** Codes of Feishu and types of its events that get a series of their own. */
  readonly feishuCodes: readonly number[];
  readonly eventTypes: readonly string[];
  readonly version: string;
}

export interface Sample<Name extends GaugeName> {
  readonly labels: Labels<Name>;
  readonly value: number;
}

export interface MetricsRegistry {
  readonly counts: Metrics;
  /** Replaces all samples of a gauge; none: nothing is known right now, and nothing is said. */
  show<Name extends GaugeName>(name: Name, samples: readonly Sample<Name>[]): void;
  /** Prometheus text, of which `contentType` names the version. */
  text(): Promise<string>;
  readonly contentType: string;
}

const OTHER = 'other';
/** Routes come from the server itself; methods may be anything a caller writes. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function createMetrics(options: MetricsOptions): MetricsRegistry {
  const registry = new Registry();
  const described = (name: keyof typeof METRIC_TABLE) => {
    const { help, labels } = METRIC_TABLE[name];
    return { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
  };
  const counter = <Name extends CounterName>(name: Name) => {
    const metric = new Counter<string>(described(name));
    return (labels: Labels<Name>, by = 1): void => metric.inc({ ...labels }, by);
  };
  const histogram = <Name extends HistogramName>(name: Name) => {
    const metric = new Histogram<string>({ ...described(name), buckets: [...METRIC_TABLE[name].buckets] });
    return {
      // A clock that was set back must not throw away the observation, nor the flow that makes it.
      observe: (labels: Labels<Name>, seconds: number): void =>
        metric.observe({ ...labels }, Number.isFinite(seconds) ? Math.max(0, seconds) : 0),
      zero: (labels: Labels<Name>): void => metric.zero({ ...labels }),
    };
  };

  const sessions = counter('auth_session_total');
  const expired = counter('auth_session_expired_total');
  const succeeded = counter('auth_success_total');
  const failed = counter('auth_failure_total');
  const duration = histogram('auth_duration_seconds');
  const refreshed = counter('token_refresh_total');
  const reads = counter('token_reads_total');
  const reconnects = counter('ws_reconnects_total');
  const events = counter('events_total');
  const acks = histogram('card_ack_seconds');
  const updates = counter('card_update_total');
  const requests = counter('api_requests_total');
  const requestSeconds = histogram('api_request_seconds');
  const httpSeconds = histogram('http_request_seconds');

  const app = oneOf(options.appIds);
  const client = oneOf(options.clientIds);
  const eventType = oneOf(options.eventTypes);
  const method = oneOf(METHODS);
  const code = oneOf(['0', 'no_code', 'no_answer', ...options.feishuCodes.map(String)]);

  const counts: Metrics = {
    sessionCreated: (appId) => sessions({ app_id: app(appId) }),
    sessionCompleted(appId, seconds) {
      succeeded({ app_id: app(appId) });
      duration.observe({ app_id: app(appId) }, seconds);
    },
    sessionExpired: (appId) => expired({ app_id: app(appId) }),
    sessionFailed: (appId, reason) => failed({ app_id: app(appId), reason }),
    tokenRefreshed: (appId, result) => refreshed({ app_id: app(appId), result }),
    tokenRead: (clientId, result) => reads({ client: client(clientId), result }),
    eventReceived: ({ appId, type, result }) =>
      events({ app_id: app(appId), type: type === null ? OTHER : eventType(type), result }),
    wsReconnecting: (appId, reason) => reconnects({ app_id: app(appId), reason }),
    cardAcked: (action, seconds) => acks.observe({ action }, seconds),
    cardUpdated: (result) => updates({ result }),
    feishuCalled(call) {
      requests({ api: call.api, code: code(String(call.code)) });
      requestSeconds.observe({ api: call.api }, call.seconds);
    },
    httpAnswered(answer) {
      const labels = { route: answer.route ?? OTHER, method: method(answer.method), status: String(answer.status) };
      httpSeconds.observe(labels, answer.seconds);
    },
  };

  // A counter that is born with its first event hides that event from increase(): what may come stands at 0 before.
  for (const appId of options.appIds) {
    for (const count of [sessions, expired, succeeded]) count({ app_id: appId }, 0);
    for (const reason of [...FAILURE_REASONS, 'rejected']) failed({ app_id: appId, reason }, 0);
    for (const result of REFRESH_RESULTS) refreshed({ app_id: appId, result }, 0);
    events({ app_id: appId, type: CLICK_EVENT, result: 'answered' }, 0);
    duration.zero({ app_id: appId });
  }
  for (const result of CARD_RESULTS) updates({ result }, 0);
  for (const action of CARD_ACTIONS) acks.zero({ action });

  const gauges = createGauges(described);
  gauges.show('build_info', [{ labels: { version: options.version, node_version: process.version }, value: 1 }]);
  collectDefaultMetrics({ register: registry });

  return { counts, show: gauges.show, text: () => registry.metrics(), contentType: registry.contentType };
}

type Described = (name: GaugeName) => ConstructorParameters<typeof Gauge<string>>[0];

function createGauges(described: Described): Pick<MetricsRegistry, 'show'> {
  const names = Object.entries(METRIC_TABLE).flatMap(([name, { type }]) =>
    type === 'gauge' ? [name as GaugeName] : [],
  );
  const gauges = new Map(names.map((name) => [name, new Gauge<string>(described(name))]));
  const clear = (name: GaugeName, gauge: Gauge<string>): void => {
    gauge.reset();
    // The library shows a gauge without labels as 0 from the start: nothing is known is not nothing.
    if (METRIC_TABLE[name].labels.length === 0) gauge.remove();
  };
  for (const [name, gauge] of gauges) clear(name, gauge);
  return {
    show(name, samples) {
      const gauge = gauges.get(name);
      if (gauge === undefined) return;
      clear(name, gauge);
      for (const { labels, value } of samples) gauge.set({ ...labels }, value);
    },
  };
}

function oneOf(known: readonly string[]): (value: string) => string {
  const set = new Set(known);
  return (value) => (set.has(value) ? value : OTHER);
}
