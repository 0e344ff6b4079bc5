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
  arrived(producer: Producer): void;
}

export function createLateProducer(): LateProducer {
  let producer: Producer | null = null;
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
    arrived(opened) {
      producer = opened;
    },
  };
}
