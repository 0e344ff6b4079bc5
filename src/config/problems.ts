/** What is wrong with the configuration, collected so that all of it is said at once. */
import { AuthdError } from '../errors.js';

export interface ConfigProblem {
  /** The variable, or the place in CONFIG_FILE, as the operator wrote it. */
  readonly variable: string;
  /** Completes "<variable> …". Never holds a value that might be a secret. */
  readonly problem: string;
  /** What would be right; empty where the problem says it all. */
  readonly accepted: string;
}

/** Collects while the configuration is being judged. */
export interface Findings {
  problem(variable: string, problem: string, accepted?: string): void;
  /** Not wrong, but worth a line at start. */
  warn(sentence: string): void;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
}

export function createFindings(): Findings {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  return {
    problem: (variable, problem, accepted = '') => problems.push({ variable, problem, accepted }),
    warn: (sentence) => warnings.push(sentence),
    problems,
    warnings,
  };
}

/** @throws AuthdError `config_invalid` with `details.problems` when there is any. */
export function throwIfAny(problems: readonly ConfigProblem[]): void {
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  throw new AuthdError('config_invalid', `The configuration has ${count}`, {
    remedy: 'Correct the settings named and start again.',
    details: { problems },
  });
}

/** The problems of a `config_invalid` error as plain lines for standard error. */
export function describeConfigProblems(error: AuthdError): string {
  const problems = (error.details['problems'] ?? []) as readonly ConfigProblem[];
  const lines = problems.map(({ variable, problem, accepted }) =>
    accepted === '' ? `  ${variable} ${problem}` : `  ${variable} ${problem}; accepted: ${accepted}`,
  );
  return [`${error.message}:`, ...lines].join('\n');
}
