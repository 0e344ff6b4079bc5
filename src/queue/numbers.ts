/**
 * The queues in numbers, for metrics: jobs by state, how long the oldest due job waits, and BullMQ's own metrics as
 * Prometheus text. Reads lengths and a few jobs, never a whole queue.
 */
import type { Queue } from 'bullmq';
import { QUEUES, type QueueName } from './jobs.js';

export interface QueueNumbers {
  readonly name: QueueName;
  /** By BullMQ's names of the states. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly oldestAgeSeconds: number;
}

export interface QueueNumbersDeps {
  readonly queue: (name: QueueName) => Queue;
  /** When the first delayed job is due, milliseconds; null: there is none. */
  readonly nextDueAt: (name: QueueName) => Promise<number | null>;
  /** Milliseconds since the epoch, the clock of the workers. */
  readonly now: () => number;
}

/** Waiting jobs that are looked at. */
const LOOKED_AT = 16;

export async function readQueues(deps: QueueNumbersDeps): Promise<QueueNumbers[]> {
  return await Promise.all(
    QUEUES.map(async (name) => {
      const [jobs, dueAt] = await Promise.all([deps.queue(name).getJobCounts(), deps.nextDueAt(name)]);
      const waiting = (jobs['waiting'] ?? 0) > 0 ? await waitingSince(deps.queue(name)) : null;
      const since = Math.min(dueAt ?? Number.POSITIVE_INFINITY, waiting ?? Number.POSITIVE_INFINITY);
      const ageMs = Number.isFinite(since) ? Math.max(0, deps.now() - since) : 0;
      return { name, jobs, oldestAgeSeconds: ageMs / 1000 };
    }),
  );
}

/**
 * Since when the first waiting job waits, at the latest, milliseconds; null: it cannot be told. A job that has run
 * before does not say since when it is due again; but jobs wait in line, so the first has waited no shorter than those
 * behind it that do say.
 */
async function waitingSince(queue: Queue): Promise<number | null> {
  const jobs = await queue.getWaiting(0, LOOKED_AT - 1);
  // A job that has just been finished by a worker is a hole here.
  const fresh = jobs.filter((job) => job !== undefined && job.processedOn === undefined);
  const since = fresh.map((job) => job.timestamp + (job.opts.delay ?? 0));
  return since.length === 0 ? null : Math.min(...since);
}

/**
 * BullMQ's text of all queues: its lines as they are, those of one metric together and introduced once, as the format
 * wants it (a second HELP or TYPE of the same name makes a whole scrape invalid).
 */
export async function bullmqText(queue: (name: QueueName) => Queue): Promise<string> {
  const texts = await Promise.all(QUEUES.map((name) => queue(name).exportPrometheusMetrics()));
  const heads = new Set<string>();
  const samples = new Map<string, string[]>();
  for (const line of texts.join('\n').split('\n')) {
    if (line.startsWith('#')) heads.add(line);
    else if (line !== '') {
      const name = line.slice(0, line.indexOf('{'));
      samples.set(name, [...(samples.get(name) ?? []), line]);
    }
  }
  const ofName = (name: string): string[] => [...heads].filter((head) => head.split(' ')[2] === name);
  const blocks = [...samples].map(([name, lines]) => [...ofName(name), ...lines].join('\n'));
  return `${blocks.join('\n\n')}\n`;
}
