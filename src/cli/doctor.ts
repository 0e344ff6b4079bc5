/**
 * `feishu-authd doctor`: settings of the command, the checks, the round trip with a user, the report, the archive, the
 * exit code. What is checked is src/doctor's business.
 */
import { DEFAULT_URL, readClientSettings, readClientUrl } from '../config/client-settings.js';
import { type LoadedConfig, loadConfig, readFileFromDisk } from '../config/load.js';
import { possibleSecrets } from '../config/possible-secrets.js';
import { checkConfiguration } from '../doctor/checks/configuration.js';
import { examine } from '../doctor/doctor.js';
import type { Language } from '../doctor/finding.js';
import { roundTripWay } from '../doctor/round-trip-way.js';
import { AuthdError } from '../errors.js';
import { scrubPatterns } from '../telemetry/patterns.js';
import { createScrubber } from '../telemetry/scrubber.js';
import { CommandFailure } from './command-failure.js';
import type { CliContext } from './context.js';
import { openBundle } from './doctor-bundle.js';
import { createProgress } from './doctor-progress.js';
import { askUser } from './doctor-user.js';
import { exitCodeOf, failureText, reportJson, reportText } from './doctor-view.js';
import { EXIT } from './exit-codes.js';
import { explainBoth, languageOf } from './explain.js';
import { healthAddress } from './health.js';
import { createOutput } from './output.js';
import { readVersion } from './version.js';

export interface DoctorOptions {
  readonly appId?: string;
  /** open_id */
  readonly user?: string;
  /** Seconds. */
  readonly wait: number;
  readonly bundle?: string;
  readonly log?: string;
  readonly lang?: Language;
  readonly json?: boolean;
}

/** @throws CommandFailure when a check has failed, or the command cannot be carried out */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<void> {
  const { env, now } = context;
  const { appId = null, bundle: bundleFile, log, user } = options;
  const language = options.lang ?? languageOf(env);
  if (log !== undefined && bundleFile === undefined) throw usage('--log is of no use without --bundle');
  const configuration = checkConfiguration(() => loadConfig({ env }));
  if (configuration.loaded !== null) requireApp(configuration.loaded, options);
  const client = user === undefined ? null : readClientSettings(env, readFileFromDisk);
  const daemonUrl = client?.url ?? readClientUrl(env) ?? localUrl(configuration.loaded);
  const scrub = createScrub(env);
  // Nothing that is written should hold a secret anyway: the last guard.
  const output = createOutput(context, scrub);
  const bundle = bundleFile === undefined ? null : await openBundle({ file: bundleFile, log });
  try {
    const progress = createProgress(context.stderr, language);
    const roundTrip = user !== undefined;
    const deps = { configuration, explain: explainBoth, progress, now, daemonUrl, roundTrip, appId };
    const findings = [...(await examine(deps))];
    progress.clear();
    if (user !== undefined && client !== null) {
      const way = roundTripWay(configuration.loaded?.config ?? null, appId);
      const asking = { client, openId: user, appId, waitSeconds: options.wait, way, language, output, context };
      findings.push(...(await askUser(asking)));
    }
    const doctorJson = reportJson(findings, { version: readVersion(), checkedAt: now(), language });
    const doctorText = reportText(findings, language);
    output.data(options.json, doctorJson, () => doctorText);
    if (bundle !== null) {
      const { loaded } = configuration;
      const scrubAll = (text: string): string => scrub(scrubPatterns(text));
      await bundle.write({ loaded, doctorJson, doctorText, daemonUrl, scrub: scrubAll, nowMs: now() });
      output.note(language === 'zh' ? `已写入 ${bundleFile}` : `Written to ${bundleFile}`);
    }
    const exitCode = exitCodeOf(findings);
    if (exitCode !== EXIT.done) throw new CommandFailure(exitCode, failureText(findings, language));
  } finally {
    await bundle?.close();
  }
}

/** Said before anything is asked. */
function requireApp({ config }: LoadedConfig, { appId, user }: DoctorOptions): void {
  const ids = config.apps.map((app) => app.appId);
  if (appId !== undefined && !ids.includes(appId)) throw usage(`--app-id ${appId} is none of ${ids.join(', ')}`);
  if (user !== undefined && appId === undefined && ids.length > 1) {
    throw usage(`Several apps are configured: name one of ${ids.join(', ')} by --app-id`);
  }
}

/** Where a daemon of this very configuration answers. */
function localUrl(loaded: LoadedConfig | null): string {
  if (loaded === null) return DEFAULT_URL;
  try {
    return healthAddress(loaded.config, '').origin;
  } catch (error) {
    // HTTP_PORT is 0: only the daemon knows.
    if (error instanceof AuthdError) return DEFAULT_URL;
    throw error;
  }
}

const usage = (message: string): CommandFailure => new CommandFailure(EXIT.usage, message);

/** Takes the secrets of the configuration out of a text, also of one that is not valid. */
function createScrub(env: CliContext['env']): (text: string) => string {
  const scrubber = createScrubber();
  for (const secret of possibleSecrets(env, readFileFromDisk)) scrubber.add(secret);
  return scrubber.scrub;
}
