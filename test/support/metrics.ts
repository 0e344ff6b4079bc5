/** The real metrics, with names of the tests. */
import { createMetrics, type MetricsOptions, type MetricsRegistry } from '../../src/telemetry/metrics.js';

export const newMetrics = (options: Partial<MetricsOptions> = {}): MetricsRegistry =>
  createMetrics({ appIds: [], clientIds: [], feishuCodes: [], eventTypes: [], version: '0.0.0', ...options });
