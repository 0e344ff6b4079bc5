/**
 * `feishu-authd start`: configuration, logger, app, signals, exit code. The process ends by itself only for what an
 * operator must correct (2) or a bug (5); a Redis or Feishu that is away never ends it.
 */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { type App, createApp } from '../app.js';
import { configFingerprint, effectiveConfig } from '../config/effective.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import { describeConfigProblems } from '../config/problems.js';
import { AuthdError } from '../errors.js';
import { createLastTroubles } from '../telemetry/last-troubles.js';
import { createLogger } from '../telemetry/logger.js';
import { createScrubber } from '../telemetry/scrubber.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { explainLocalized } from './explain.js';
import { readVersion } from './version.js';

const CARDS_DIR = fileURLToPath(new URL('../../cards', import.meta.url));
const STATUS_PAGE_DIR = fileURLToPath(new URL('../../status-page', import.meta.url));
/** Signals come twice in real life (a terminal and its process manager); a later one means it. */
const IMPATIENT_AFTER_MS = 5_000;

type StartDeps = Pick<CliContext, 'env' | 'stderr'>;

export async function start(deps: StartDeps): Promise<void> {
  const loaded = load(deps);
  const { config } = loaded;
  const scrubber = createScrubber();
  for (const secret of loaded.secrets) scrubber.add(secret);
  const troubles = createLastTroubles();
  const logger = createLogger({ ...config.log, scrubber, onTrouble: troubles.note });
  watchForBugs(logger);
  const version = readVersion();
  const fingerprint = configFingerprint(config);
  const settings = effectiveConfig(loaded.settings);
  logger.info(
    { event: 'daemon.starting', version, node: process.version, pid: process.pid, fingerprint, settings },
    'feishu-authd starts',
  );
  for (const warning of loaded.warnings) logger.warn({ event: 'config.warning' }, warning);

  const app = createApp({
    config,
    logger,
    cardsDir: CARDS_DIR,
    statusPageDir: STATUS_PAGE_DIR,
    version,
    troubles: troubles.list,
    explain: explainLocalized,
    onServing: tellProcessManager,
  });
  stopOnSignals(app, logger, config.shutdownTimeoutSeconds * 1000);
  try {
    await app.start();
  } catch (error) {
    const expected = error instanceof AuthdError && error.code !== 'internal_error';
    const remedy = error instanceof AuthdError ? (error.remedy ?? '') : '';
    const what = error instanceof Error ? error.message : 'unknown error';
    logger.fatal(
      { event: 'daemon.failed', err: error },
      `feishu-authd cannot start: ${what}${remedy && `. ${remedy}`}`,
    );
    if (expected) deps.stderr.write(`feishu-authd: ${what}\n${remedy && `  ${remedy}\n`}`);
    process.exit(expected ? EXIT.usage : EXIT.internal);
  }
}

function load(deps: StartDeps): LoadedConfig {
  try {
    return loadConfig({ env: deps.env });
  } catch (error) {
    if (!(error instanceof AuthdError)) throw error;
    deps.stderr.write(`feishu-authd: ${describeConfigProblems(error)}\n`);
    process.exit(EXIT.usage);
  }
}

/**
 * pm2's `wait_ready`. Said when HTTP is served and not when Redis and Feishu are there: a process manager that waited
 * for those would kill and repeat a start that only has to wait. Without a process manager there is no channel.
 */
function tellProcessManager(): void {
  // With a callback a channel that has just closed is no uncaught exception.
  process.send?.('ready', undefined, undefined, () => undefined);
}

function stopOnSignals(app: App, logger: Logger, timeoutMs: number): void {
  let askedAt: number | null = null;
  const finish = (code: number, why: string): void => {
    logger.info({ event: 'daemon.stopped', exit_code: code }, why);
    process.exit(code);
  };
  const stop = (signal: string): void => {
    if (askedAt !== null) {
      if (Date.now() - askedAt > IMPATIENT_AFTER_MS) finish(EXIT.refused, 'feishu-authd was told to stop twice');
      return;
    }
    askedAt = Date.now();
    logger.info({ event: 'daemon.stopping', signal }, 'feishu-authd stops: what is in hand is finished first');
    setTimeout(() => finish(EXIT.refused, 'feishu-authd had to cut the stop short'), timeoutMs);
    void app.stop().then(({ unfinished }) => {
      if (unfinished.length === 0) finish(EXIT.done, 'feishu-authd has stopped');
      else finish(EXIT.refused, `feishu-authd had to cut short: ${unfinished.join(', ')}`);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // pm2 on systems without signals.
  process.on('message', (message) => {
    if (message === 'shutdown') stop('shutdown');
  });
}

function watchForBugs(logger: Logger): void {
  process.on('unhandledRejection', (error) => {
    logger.error(
      { event: 'process.unhandled_rejection', err: error },
      'A promise nobody watched was rejected: please report',
    );
  });
  process.on('uncaughtException', (error) => {
    logger.fatal(
      { event: 'process.uncaught_exception', err: error },
      'A bug ends the process; its manager starts it again',
    );
    process.exit(EXIT.internal);
  });
}
