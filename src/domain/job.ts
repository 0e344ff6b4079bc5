/** What a processor sees of its job and what it says came of it. The queue turns it into BullMQ's terms. */

/** `again`: the same job waits and runs once more; that is no attempt. A throw is an attempt. */
export type JobOutcome = { readonly kind: 'done' } | { readonly kind: 'again'; readonly delayMs: number };

export const DONE: JobOutcome = { kind: 'done' };
export const again = (delayMs: number): JobOutcome => ({ kind: 'again', delayMs: Math.max(0, Math.round(delayMs)) });

export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** A throw now would be the last one. */
  readonly lastAttempt: boolean;
  /** Aborted when the process stops: waits end, what is under way is finished. */
  readonly signal: AbortSignal;
}

export type Processor = (job: JobView) => Promise<JobOutcome>;

/** The ids a job carries; null when it is not one of ours (a record that was written by hand). */
export function sessionOf(job: JobView): string | null {
  const id = job.data['session_id'];
  return typeof id === 'string' ? id : null;
}

export function linkOf(job: JobView): { readonly sessionId: string; readonly number: number } | null {
  const sessionId = sessionOf(job);
  const number = job.data['link_number'];
  return sessionId !== null && typeof number === 'number' ? { sessionId, number } : null;
}
