/**
 * A real `prometheus` on a port and a folder of its own, which scrapes every two seconds. Owns its process and files;
 * what it knows is asked of its HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../simulator/demo/free-port.js';
import { eventually } from '../../support/crowd.js';

export interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Rule {
  readonly name: string;
  readonly health: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrometheusServer {
  version(): Promise<string>;
  firing(): Promise<readonly FiringAlert[]>;
  rules(): Promise<readonly Rule[]>;
  /** Series that an expression finds now. @throws when Prometheus does not take it */
  query(expr: string): Promise<number>;
  close(): Promise<void>;
}

export interface PrometheusOptions {
  /** Text of a rules file. */
  readonly rules: string;
  /** `host:port`. */
  readonly targets: readonly string[];
}

export async function newPrometheusServer(options: PrometheusOptions): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'authd-proof-prometheus-'));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  await writeFile(join(folder, 'feishu-authd.rules.yml'), options.rules);
  await writeFile(join(folder, 'prometheus.yml'), configOf(options.targets));
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  // Its end is noted also when nobody waits for it; a program that is not there has no exit.
  const exit = Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => undefined);

  const call = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const url = `${baseUrl}/api/v1/${path}?${new URLSearchParams(query).toString()}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const body = (await response.json()) as { readonly data?: unknown; readonly error?: string };
    assert.ok(response.ok, `${path} ${JSON.stringify(query)}: ${body.error ?? response.status}`);
    return body.data;
  };

  const server: PrometheusServer = {
    async version() {
      return String(((await call('status/buildinfo')) as { readonly version?: unknown }).version);
    },
    async firing() {
      const { alerts } = (await call('alerts')) as {
        readonly alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[];
      };
      return alerts
        .filter(({ state }) => state === 'firing')
        .map(({ labels }) => ({ name: labels['alertname'] ?? '', labels }));
    },
    async rules() {
      const { groups } = (await call('rules')) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
      return groups.flatMap((group) => group.rules);
    },
    async query(expr) {
      const { result } = (await call('query', { query: expr })) as { readonly result: readonly unknown[] };
      return result.length;
    },
    async close() {
      child.kill('SIGKILL');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
  const isReady = async (): Promise<boolean> => {
    assert.equal(child.exitCode, null, `prometheus ended: ${log}`);
    const answer = await fetch(`${baseUrl}/-/ready`).catch(() => null);
    return answer?.status === 200;
  };
  try {
    await eventually(isReady, 60_000, 'prometheus to be ready');
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** JSON is YAML. */
const configOf = (targets: readonly string[]): string =>
  JSON.stringify({
    global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' },
    rule_files: ['feishu-authd.rules.yml'],
    scrape_configs: [{ job_name: 'feishu-authd', static_configs: [{ targets }] }],
  });
