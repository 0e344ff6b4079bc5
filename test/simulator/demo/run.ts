/**
 * What `npm run demo` does once everything is installed and built: starts the parts, then waits for Ctrl-C, or with
 * `auto` walks one user through and ends. Answers with the exit code.
 */
import { authorizeOne } from './auto.js';
import { PartDied } from './part.js';
import { type Demo, type DemoOptions, startDemo } from './start.js';
import { unlessAborted } from './wait.js';

export interface RunOptions {
  readonly auto: boolean;
  /** By the authorization code grant instead of the device grant. */
  readonly byCode?: boolean;
  readonly redis: DemoOptions['redis'];
  /** Port of the page; 0 takes a free one. */
  readonly port: number;
  /** Aborted by Ctrl-C and other signals that end the demo. */
  readonly signal: AbortSignal;
  print(line: string): void;
  /** For what went wrong. */
  complain(line: string): void;
}

/** For `auto`, from start to the last step. */
const AUTO_DEADLINE_MS = 120_000;

export async function runDemo(options: RunOptions): Promise<number> {
  const startedAt = performance.now();
  const step = (text: string): void => {
    options.print(`${((performance.now() - startedAt) / 1000).toFixed(2).padStart(7)} s  ${text}`);
  };
  const deadline = AbortSignal.timeout(AUTO_DEADLINE_MS);
  const signal = options.auto ? AbortSignal.any([options.signal, deadline]) : options.signal;
  let demo: Demo | undefined;
  try {
    const { byCode = false, port, redis } = options;
    demo = await startDemo({ redis, port, byCode, signal, say: step });
    const task = options.auto ? authorizeOne(demo, { signal, step }) : serve(demo, options);
    await unlessAborted(Promise.race([task, demo.died]), signal);
    return 0;
  } catch (error) {
    if (options.signal.aborted) return options.auto ? 1 : 0;
    options.complain(deadline.aborted && options.auto ? tooSlow() : reasonOf(error));
    return 1;
  } finally {
    if (demo) {
      step('Stopping …');
      await demo.stop();
    }
    step('Everything is stopped.');
  }
}

/** Says what to do; never ends by itself. */
function serve(demo: Demo, { print }: RunOptions): Promise<never> {
  print('');
  print(`  ${demo.url}/`);
  print('');
  print('Open this address: it shows a chat that looks like Feishu, and at the right a service of your company.');
  print('Press "Send authorization card", then answer the card as the user would and agree on the page that opens.');
  print('Watch the card turn to "authorized" by itself; Ctrl-C ends the demo and leaves nothing running.');
  return new Promise(() => undefined);
}

const tooSlow = (): string => `The demo did not get to its end within ${AUTO_DEADLINE_MS / 1000} s.`;

function reasonOf(error: unknown): string {
  if (error instanceof PartDied) return error.message;
  return `The demo failed: ${error instanceof Error ? error.message : String(error)}`;
}
