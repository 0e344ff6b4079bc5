/** `doctor --bundle FILE`: gathers what support needs and writes it, without secrets, to a file only its owner may read. */
import { constants } from 'node:fs';
import { access, type FileHandle, open, rm } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { type ConfigView, describeConfig } from '../config/effective.js';
import type { LoadedConfig } from '../config/load.js';
import { makeBundle } from '../doctor/bundle/bundle.js';
import { readLogTail } from '../doctor/bundle/log-tail.js';
import { fetchText } from '../doctor/fetch-text.js';
import { CommandFailure } from './command-failure.js';
import { EXIT } from './exit-codes.js';
import { readPackages, readVersion } from './version.js';

export interface BundleRequest {
  readonly file: string;
  /** A log file of the daemon; undefined: none. */
  readonly log: string | undefined;
}

export interface BundleContent {
  readonly loaded: LoadedConfig | null;
  readonly doctorJson: unknown;
  readonly doctorText: string;
  readonly daemonUrl: string;
  readonly scrub: (text: string) => string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export interface BundleFile {
  write(content: BundleContent): Promise<void>;
  /** Takes an unfinished file away. Never rejects. */
  close(): Promise<void>;
}

/** For one page of the daemon. */
const PAGE_MS = 5_000;

/** Opened before the checks: a file that cannot be written should not cost a run. @throws CommandFailure */
export async function openBundle({ file, log }: BundleRequest): Promise<BundleFile> {
  if (log !== undefined) {
    await access(log, constants.R_OK).catch((error: unknown) => {
      throw unusable('--log', log, error);
    });
  }
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw unusable('--bundle', file, error);
  });
  let written = false;
  return {
    async write(content) {
      await fill(handle, content, log);
      written = true;
    },
    async close() {
      await handle.close().catch(() => undefined);
      if (!written) await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

async function fill(handle: FileHandle, content: BundleContent, log: string | undefined): Promise<void> {
  const { daemonUrl, doctorJson, doctorText, loaded, nowMs, scrub } = content;
  const [readyz, metrics] = await Promise.all([
    fetchText(`${daemonUrl}/readyz`, PAGE_MS),
    fetchText(metricsUrl(daemonUrl, loaded), PAGE_MS),
  ]);
  const config: ConfigView | null = loaded === null ? null : describeConfig(loaded);
  const lines = log === undefined ? null : await readLogTail(log, scrub);
  const parts = { versions: versions(), config, doctorJson, doctorText, readyz, metrics, log: lines };
  await handle.writeFile(await makeBundle(parts, { scrub, nowMs }));
}

/** With METRICS_PORT they are served there only to those who know it; the host is the API's. */
function metricsUrl(daemonUrl: string, loaded: LoadedConfig | null): string {
  const url = new URL(`${daemonUrl}/metrics`);
  const port = loaded?.config.metricsPort ?? null;
  if (port !== null && port !== 0) url.port = String(port);
  return url.href;
}

const versions = () => ({
  feishu_authd: readVersion(),
  node: process.version,
  platform: `${process.platform} ${process.arch} ${release()}`,
  processors: cpus().length,
  memory_mb: Math.round(totalmem() / 1_048_576),
  packages: readPackages(),
});

const FAULTS: Readonly<Record<string, string>> = {
  EEXIST: 'exists already: name another file',
  ENOENT: 'does not exist, or its folder does not',
  EACCES: 'may not be used by this user',
  EISDIR: 'is a folder',
};

function unusable(option: string, file: string, error: unknown): CommandFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new CommandFailure(EXIT.usage, `${option} ${file} ${FAULTS[code] ?? `cannot be used (${code})`}`);
}
