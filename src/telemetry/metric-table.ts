/**
 * Our metrics as one table: name without the prefix, type, labels, buckets, what it says (CONTRACT §7). Data only.
 * Units: seconds, unless the name says otherwise. Every label is a bounded set; none holds a user, session or message.
 *
 * Gauges marked `fleet` are read from Redis when a scrape comes: they count all processes and are the same in each, so
 * dashboards take their maximum. All other metrics count this process.
 */

export const PREFIX = 'lark_service_';

interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

/** 5 s … 24 h: most people answer within a minute, some the next day. */
const DURATION = [5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 43_200, 86_400];
/** Ours is there within one second, Feishu gives up after three. */
const ACK = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5, 3];
const FEISHU_CALL = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Few, for there are many routes; the last one is for long polls. */
const HTTP = [0.01, 0.05, 0.25, 1, 2.5, 60];

export const METRIC_TABLE = {
  auth_session_total: { type: 'counter', labels: ['app_id'], help: 'Sessions created' },
  auth_session_active: { type: 'gauge', labels: ['app_id'], help: 'Sessions that wait for their user (fleet)' },
  auth_session_expired_total: { type: 'counter', labels: ['app_id'], help: 'Sessions that nobody answered in time' },
  auth_success_total: { type: 'counter', labels: ['app_id'], help: 'Sessions completed' },
  auth_failure_total: {
    type: 'counter',
    labels: ['app_id', 'reason'],
    help: 'Sessions failed, by failure_reason, or rejected by the user',
  },
  auth_duration_seconds: {
    type: 'histogram',
    labels: ['app_id'],
    buckets: DURATION,
    help: 'From asked to completed',
  },
  token_refresh_total: {
    type: 'counter',
    labels: ['app_id', 'result'],
    help: 'Refreshes by result: success, retry (grant kept), suspended (an operator must act), ended (ask again)',
  },
  token_active_count: { type: 'gauge', labels: ['app_id'], help: 'Grants that have not ended (fleet)' },
  grants_expiring: {
    type: 'gauge',
    labels: ['within'],
    help: 'Grants that end within this time unless they are renewed (fleet)',
  },
  token_reads_total: {
    type: 'counter',
    labels: ['client', 'result'],
    help: 'Token reads by client: issued, or the error code it was answered with',
  },
  ws_connected: { type: 'gauge', labels: ['app_id'], help: '1 while the long connection of this process is up' },
  ws_reconnects_total: {
    type: 'counter',
    labels: ['app_id', 'reason'],
    help: 'Long connections lost and replaced, by reason; rotation is the planned replacement',
  },
  ws_last_event_timestamp_seconds: {
    type: 'gauge',
    labels: ['app_id'],
    help: 'When this process last got a callback or event, Unix time; pongs do not count',
  },
  events_total: { type: 'counter', labels: ['app_id', 'type', 'result'], help: 'Callbacks and events from Feishu' },
  card_ack_seconds: {
    type: 'histogram',
    labels: ['action'],
    buckets: ACK,
    help: "From a click's arrival to our answer",
  },
  card_update_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Cards sent and updated: sent, patched, gone (the message has ended), uncertain (no answer), failed',
  },
  api_requests_total: {
    type: 'counter',
    labels: ['api', 'code'],
    help: "Calls to Feishu by its code (0: success), other, no_code (HTML, a gateway's error) or no_answer",
  },
  api_request_seconds: {
    type: 'histogram',
    labels: ['api'],
    buckets: FEISHU_CALL,
    help: 'Calls to Feishu, from sending to the last byte',
  },
  api_budget_used_ratio: {
    type: 'gauge',
    labels: ['app_id', 'api'],
    help: "Calls of the last minute over Feishu's limit of a minute; 1: used up (fleet)",
  },
  queue_jobs: { type: 'gauge', labels: ['queue', 'state'], help: 'Jobs by state (fleet)' },
  queue_oldest_job_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'How long the oldest due job has been waiting, at least (fleet)',
  },
  spool_entries: {
    type: 'gauge',
    labels: [],
    help: 'Token sets in STATE_DIR of this process: each refresh is there for some seconds, longer while Redis is away',
  },
  redis_persistence_ok: {
    type: 'gauge',
    labels: [],
    help: '1 while Redis keeps an append-only file and its last write went well (fleet)',
  },
  encryption_key_missing: {
    type: 'gauge',
    labels: [],
    help: 'Encryption keys that the store was written with and this process does not have',
  },
  http_request_seconds: {
    type: 'histogram',
    labels: ['route', 'method', 'status'],
    buckets: HTTP,
    help: 'HTTP requests by route pattern; paths that are no route are other',
  },
  build_info: { type: 'gauge', labels: ['version', 'node_version'], help: 'Always 1; the labels tell what runs' },
} as const satisfies Readonly<Record<string, MetricEntry>>;

type MetricName = keyof typeof METRIC_TABLE;
type OfType<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRIC_TABLE)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = OfType<'counter'>;
export type GaugeName = OfType<'gauge'>;
export type HistogramName = OfType<'histogram'>;
export type Labels<Name extends MetricName> = Readonly<Record<(typeof METRIC_TABLE)[Name]['labels'][number], string>>;
