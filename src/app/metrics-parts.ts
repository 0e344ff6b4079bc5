/** The metrics of this process, built with the values that its labels may take; and the counting of lost connections. */
import type { Config } from '../config/config.js';
import { CLICK_EVENT, LEFT_EVENT, WITHDRAWAL_EVENT } from '../domain/card-action.js';
import { GENERIC_CODES } from '../domain/feishu-codes.js';
import type { Metrics } from '../domain/metrics.js';
import type { LongConnectionStatus } from '../feishu/long-connection/status.js';
import { MESSAGE_CODES } from '../feishu/open-api/message-codes.js';
import { USER_INFO_CODES } from '../feishu/open-api/user-info.js';
import { TOKEN_CODES } from '../oauth/token-codes.js';
import { createMetrics, type MetricsRegistry } from '../telemetry/metrics.js';

/** FEISHU.md §3.3 to §3.5: what an authorization bot subscribes to. Others are foreign and counted together. */
const EVENT_TYPES = [CLICK_EVENT, WITHDRAWAL_EVENT, LEFT_EVENT];

export function buildMetrics(config: Config, version: string): MetricsRegistry {
  const tables = [GENERIC_CODES, MESSAGE_CODES, USER_INFO_CODES, TOKEN_CODES];
  return createMetrics({
    appIds: config.apps.map((app) => app.appId),
    clientIds: config.clients.map((client) => client.id),
    feishuCodes: tables.flatMap((table) => Object.keys(table).map(Number)),
    eventTypes: EVENT_TYPES,
    version,
  });
}

/** A listener for one long connection: counts each loss by its reason, and each planned replacement. */
export function countReconnects(metrics: Pick<Metrics, 'wsReconnecting'>): (status: LongConnectionStatus) => void {
  let before: Pick<LongConnectionStatus, 'state' | 'rotations'> = { state: 'idle', rotations: 0 };
  return (status) => {
    const { appId, lastError, rotations, state } = status;
    if (before.state === 'connected' && state === 'reconnecting') {
      metrics.wsReconnecting(appId, lastError?.reason ?? 'dropped');
    }
    if (rotations > before.rotations) metrics.wsReconnecting(appId, 'rotation');
    before = { state, rotations };
  };
}
