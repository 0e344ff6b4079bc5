/** A question that only a person at a terminal is asked. */
import { createInterface } from 'node:readline/promises';
import type { CliContext } from './context.js';

/** Somebody who has gone away has not agreed. */
const PATIENCE_MS = 120_000;

/** Whether the user agrees; true without a question where nobody could answer one. */
export async function confirmed(
  question: string,
  { stdin, stderr }: Pick<CliContext, 'stdin' | 'stderr'>,
): Promise<boolean> {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return true;
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  // An end of input (Ctrl-D) leaves the question without an answer.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const late = AbortSignal.timeout(PATIENCE_MS);
  const answer = lines.question(`${question} [y/N] `, { signal: late }).catch(() => '');
  try {
    return /^(y|yes)$/i.test((await Promise.race([answer, closed])).trim());
  } finally {
    lines.close();
  }
}
