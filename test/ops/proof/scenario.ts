/** A fault that alerts are proved by: how it is made for real, and how it is healed as an operator would. */
import type { Stage } from './stage.js';

export interface Scenario {
  readonly name: string;
  /** Names without `FeishuAuthd`. */
  readonly alerts: readonly string[];
  /** What is done, in the past tense, for the transcript. */
  readonly fault: string;
  readonly healing: string;
  /** Makes the fault and returns what heals it. */
  readonly make: (stage: Stage) => Promise<() => Promise<void>>;
  /** What people and clients do meanwhile, again and again until all the alerts fire. */
  readonly meanwhile?: (stage: Stage) => Promise<void>;
  /** The next fault waits until the alerts of this one have ended. */
  readonly alone?: boolean;
}
