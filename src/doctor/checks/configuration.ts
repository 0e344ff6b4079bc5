/** The configuration, read as `start` would read it: every problem and every warning, or what it amounts to. */
import { configFingerprint } from '../../config/effective.js';
import type { LoadedConfig } from '../../config/load.js';
import type { ConfigProblem } from '../../config/problems.js';
import { AuthdError } from '../../errors.js';
import { type Finding, fail, pass, text, warn } from '../finding.js';

export interface ConfigurationResult {
  readonly findings: readonly Finding[];
  /** null: the daemon would not start. */
  readonly loaded: LoadedConfig | null;
}

const CORRECT = text(
  'Correct it: the daemon does not start. feishu-authd config print shows the rest.',
  '请改正，否则守护进程无法启动。用 feishu-authd config print 查看配置。',
);
const LOOK = text('Look at this setting; the daemon starts all the same.', '请检查这一项；守护进程仍可启动。');

/** @param load throws AuthdError `config_invalid` */
export function checkConfiguration(load: () => LoadedConfig): ConfigurationResult {
  try {
    const loaded = load();
    return { loaded, findings: [summary(loaded), ...loaded.warnings.map(warningOf)] };
  } catch (error) {
    if (!(error instanceof AuthdError) || error.code !== 'config_invalid') throw error;
    const problems = (error.details['problems'] ?? []) as readonly ConfigProblem[];
    return { loaded: null, findings: problems.map(problemOf) };
  }
}

function summary({ config }: LoadedConfig): Finding {
  const apps = config.apps.map(({ appId, brand }) => `${appId} (${brand})`).join(', ');
  const roles = config.roles.join(', ');
  const fingerprint = configFingerprint(config);
  return pass(
    'configuration',
    text(
      `The daemon would start with it: ${apps}; roles ${roles}; fingerprint ${fingerprint}`,
      `守护进程可以用它启动：${apps}；角色 ${roles}；指纹 ${fingerprint}`,
    ),
  );
}

/** The words of the start itself, which are English. */
const warningOf = (sentence: string): Finding => warn('configuration', text(sentence, sentence), LOOK);

function problemOf({ accepted, problem, variable }: ConfigProblem): Finding {
  const [en, zh] = accepted === '' ? ['', ''] : [`; accepted: ${accepted}`, `；可接受：${accepted}`];
  const means = text(`${variable} ${problem}${en}`, `${variable} 不正确：${problem}${zh}`);
  return fail('configuration', 'configuration', means, CORRECT);
}
