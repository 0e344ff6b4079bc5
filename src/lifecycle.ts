/**
 * Who closes what: whoever opens a thing pushes its closer on the next line; closers run last in, first out, each with
 * its own deadline, all of them, whatever the others do. A start that fails half-way and a normal stop use the same
 * stack. `stop` is shared: a second call awaits the first.
 */
import type { Logger } from 'pino';

export interface Closer {
  readonly name: string;
  /** Longest time this step may take, milliseconds. */
  readonly deadlineMs: number;
  close(): Promise<void> | void;
}

export interface ClosingReport {
  /** Steps that were cut short or failed. */
  readonly unfinished: readonly string[];
}

export interface ClosingStack {
  push(closer: Closer): void;
  /** Never rejects. */
  stop(): Promise<ClosingReport>;
}

export function createClosingStack(logger: Logger): ClosingStack {
  const closers: Closer[] = [];
  let stopping: Promise<ClosingReport> | null = null;

  const runAll = async (): Promise<ClosingReport> => {
    const unfinished: string[] = [];
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      if (!(await runOne(closer, logger))) unfinished.push(closer.name);
    }
    return { unfinished };
  };

  return {
    push(closer) {
      closers.push(closer);
    },
    stop() {
      stopping ??= runAll();
      return stopping;
    },
  };
}

/** False: it failed or was not done in time. */
async function runOne(closer: Closer, logger: Logger): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), closer.deadlineMs);
  });
  const done = (async () => await closer.close())().then(
    () => 'done' as const,
    (error: unknown) => {
      logger.warn({ event: 'stop.step_failed', step: closer.name, err: error }, 'A step of stopping failed');
      return 'failed' as const;
    },
  );
  const outcome = await Promise.race([done, late]);
  clearTimeout(timer);
  if (outcome === 'late') {
    const fields = { event: 'stop.step_late', step: closer.name, deadline_ms: closer.deadlineMs };
    logger.warn(fields, 'A step of stopping was cut short');
  }
  return outcome === 'done';
}
