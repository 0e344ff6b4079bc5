/**
 * The producer for whatever is built, and may be called, before Redis has been reached: HTTP is served from the first
 * moment, and clicks may come.
 */
import { AuthdError } from '../errors.js';
import type { Producer } from '../queue/producer.js';

/** Each rejects with AuthdError `upstream_unavailable` before Redis has been reached. */
export type LateJobs = Pick<Producer, 'link' | 'pollNow' | 'expiry' | 'cardUpdate' | 'refresh' | 'dropRefresh'>;

export interface LateProducer {
  readonly jobs: LateJobs;
  /** null before Redis has been reached. */
  current(): Producer | null;
  /** @throws AuthdError `upstream_unavailable` before Redis has been reached */
  required(): Producer;
  /** Resolves when Redis has been reached. @throws AuthdError `upstream_unavailable` when that takes more than a moment */
  reached(): Promise<void>;
  arrived(producer: Producer): void;
}

/** A start takes less; and it is less than HTTP clients, Feishu and our own limits for answers wait. */
const MOMENT_MS = 1_500;

export function createLateProducer(): LateProducer {
  let producer: Producer | null = null;
  const waiting = new Set<() => void>();
  const required = (): Producer => {
    if (producer === null) {
      throw new AuthdError('upstream_unavailable', 'Redis has not been reached since the start', {
        remedy: 'Repeat the call when /readyz says that Redis is there.',
        retryAfterSeconds: 2,
      });
    }
    return producer;
  };
  return {
    jobs: {
      link: async (...job) => await required().link(...job),
      pollNow: async (...job) => await required().pollNow(...job),
      expiry: async (...job) => await required().expiry(...job),
      cardUpdate: async (...job) => await required().cardUpdate(...job),
      refresh: async (...job) => await required().refresh(...job),
      dropRefresh: async (...job) => await required().dropRefresh(...job),
    },
    current: () => producer,
    required,
    async reached() {
      if (producer === null) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            waiting.delete(done);
            resolve();
          };
          const timer = setTimeout(done, MOMENT_MS);
          waiting.add(done);
        });
      }
      required();
    },
    arrived(opened) {
      producer = opened;
      for (const done of [...waiting]) done();
    },
  };
}
