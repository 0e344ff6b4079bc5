/**
 * What a simulator can be told at start, with the values Feishu really uses as defaults. Owns no behaviour.
 * Units are in the names: `…Ms` milliseconds, `…Seconds` seconds. Source: FEISHU.md §0.
 */

import type { Route } from './http/listener.js';

/** Every HTTP call the simulator plays, by the name that faults, latencies and the call ledger use. */
export const API_NAMES = [
  'endpoint',
  'tenant_access_token',
  'message.send',
  'message.get',
  'message.put',
  'message.patch',
  'message.delete',
  'card.update',
  'device_authorization',
  'authorize',
  'token',
  'user_info',
  'revoke',
  'app_info',
] as const;

export type ApiName = (typeof API_NAMES)[number];

/** The settings the gateway hands to clients, in seconds (ReconnectCount: attempts, negative = for ever). */
export interface ClientConfig {
  PingInterval: number;
  ReconnectInterval: number;
  ReconnectNonce: number;
  ReconnectCount: number;
}

/** Feishu's ceilings. Scale them down to make a test meet one quickly. */
export interface Limits {
  /** Calls per app and API in any 1 s. */
  appApiPerSecond: number;
  /** Calls per app and API in any 60 s. */
  appApiPerMinute: number;
  /** Messages to one user in any 1 s. */
  userPerSecond: number;
  /** Messages to one chat in any 1 s. */
  chatPerSecond: number;
  /** PATCHes of one message in any 1 s. */
  messagePerSecond: number;
  /** Live connections per app. */
  connectionsPerApp: number;
  /** How long the slot of a connection that died without a close frame stays taken. */
  connectionLingerMs: number;
  /** How long an ack may take. */
  ackTimeoutMs: number;
  /** How long connecting to a callback or event address may take. */
  connectTimeoutMs: number;
  /** How long a send with the same `uuid` returns the first message. */
  uuidWindowMs: number;
  /** How long a card may be updated. */
  updateWindowMs: number;
  /** Life of a callback's update token. */
  callbackTokenLifeMs: number;
  /** Successful uses of a callback's update token. */
  callbackTokenUses: number;
  /** Life of an unused connection ticket. */
  ticketLifeMs: number;
  /** false: calls over the limits are counted but served. */
  enforce: boolean;
}

/** What nobody knows of the revoke endpoint (FEISHU.md §6.5, §10 no. 5). */
export interface RevokeBehaviour {
  /** What becomes of the other tokens of the same person. */
  sibling: 'lives' | 'dies';
  /** true: it is told by an event as well. */
  event: boolean;
  /** true: HTTP 200 without a body; else `{"code": 0}`. */
  emptyAnswer: boolean;
}

export interface SimulatorOptions {
  port?: number;
  host?: string;
  limits?: Partial<Limits>;
  /** Pauses before the second, third … delivery of an event that was not acked. */
  redeliveryScheduleMs?: number[];
  clientConfig?: Partial<ClientConfig>;
  deviceCodeLifeSeconds?: number;
  deviceIntervalSeconds?: number;
  authorizationCodeLifeSeconds?: number;
  accessTokenLifeSeconds?: number;
  refreshTokenLifeSeconds?: number;
  tenantTokenLifeSeconds?: number;
  /** Length of an access or refresh token in bytes; the content does not compress. */
  tokenBytes?: number;
  /** Time every answer of an API takes at least. */
  latencyMs?: Partial<Record<ApiName, number>>;
  /** How the endpoint answers wrong credentials: Feishu's true answer is not documented (FEISHU.md §10 no. 1). */
  endpointRefusal?: { code: number; data: 'empty' | 'null' | 'absent' };
  /** Which brand this simulator plays; an app of the other brand is refused with 1000040351. */
  brand?: 'feishu' | 'lark';
  /** true: an ack counts on whichever connection of the app it arrives (FEISHU.md §10 no. 20). */
  ackOnAnyConnection?: boolean;
  revoke?: Partial<RevokeBehaviour>;
  /** More paths on the same address, before the page's files: the demo's own calls. */
  routes?: Route[];
  /** Epoch milliseconds; for lives and windows only, timers stay real. */
  now?: () => number;
}

/** The options with every gap filled. */
export interface Settings extends Required<Omit<SimulatorOptions, 'limits' | 'clientConfig' | 'latencyMs' | 'revoke'>> {
  limits: Limits;
  revoke: RevokeBehaviour;
  clientConfig: ClientConfig;
  latencyMs: Partial<Record<ApiName, number>>;
}

const DAY_MS = 86_400_000;

export function settingsFrom(options: SimulatorOptions): Settings {
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    redeliveryScheduleMs: options.redeliveryScheduleMs ?? [15_000, 300_000, 3_600_000, 21_600_000],
    deviceCodeLifeSeconds: options.deviceCodeLifeSeconds ?? 240,
    deviceIntervalSeconds: options.deviceIntervalSeconds ?? 5,
    authorizationCodeLifeSeconds: options.authorizationCodeLifeSeconds ?? 300,
    accessTokenLifeSeconds: options.accessTokenLifeSeconds ?? 7200,
    refreshTokenLifeSeconds: options.refreshTokenLifeSeconds ?? 604_800,
    tenantTokenLifeSeconds: options.tenantTokenLifeSeconds ?? 7200,
    tokenBytes: options.tokenBytes ?? 1300,
    latencyMs: options.latencyMs ?? {},
    endpointRefusal: options.endpointRefusal ?? { code: 514, data: 'empty' },
    brand: options.brand ?? 'feishu',
    ackOnAnyConnection: options.ackOnAnyConnection ?? false,
    routes: options.routes ?? [],
    now: options.now ?? Date.now,
    revoke: { sibling: 'lives', event: false, emptyAnswer: false, ...options.revoke },
    clientConfig: {
      PingInterval: 90,
      ReconnectInterval: 90,
      ReconnectNonce: 25,
      ReconnectCount: -1,
      ...options.clientConfig,
    },
    limits: {
      appApiPerSecond: 50,
      appApiPerMinute: 1000,
      userPerSecond: 5,
      chatPerSecond: 5,
      messagePerSecond: 5,
      connectionsPerApp: 50,
      connectionLingerMs: 0,
      ackTimeoutMs: 3000,
      connectTimeoutMs: 2000,
      uuidWindowMs: 3_600_000,
      updateWindowMs: 14 * DAY_MS,
      callbackTokenLifeMs: 1_800_000,
      callbackTokenUses: 2,
      ticketLifeMs: 60_000,
      enforce: true,
      ...options.limits,
    },
  };
}
