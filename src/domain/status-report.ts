/** The fleet's state with the judgement over it: what `GET /v1/status` tells and the status page shows. Shapes only. */
import type { FleetStatus, FleetTrouble, Meaning } from './fleet.js';
import type { FailureReason } from './session.js';
import type { Finding, Verdict } from './verdict.js';

export interface StatusReport extends FleetStatus {
  readonly verdict: Verdict;
  /** The worst first. */
  readonly findings: readonly (Finding & { readonly meaning: Meaning | null })[];
  /** The newest first. */
  readonly troubles: readonly FleetTrouble[];
  /** For the reasons that occur among the sessions of the last hour. */
  readonly failureMeanings: Readonly<Partial<Record<FailureReason, Meaning>>>;
}
