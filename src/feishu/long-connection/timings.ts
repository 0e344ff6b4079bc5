/**
 * Every wait of a long connection in one place, in milliseconds. The first block comes from the configuration
 * (CONTRACT §2), the rest are our own choices; tests scale them all.
 */
import type { Config } from '../../config/config.js';

export interface LongConnectionTimings {
  /** First and largest pause of the backoff. */
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  /** A ping not answered for this long means a dead connection. */
  readonly pongTimeoutMs: number;
  /** Age at which a connection is replaced, ±10 %; 0: never. */
  readonly rotateAfterMs: number;

  /** Deadline of the endpoint call, DNS included. */
  readonly endpointTimeoutMs: number;
  /** Deadline from DNS to the 101 answer. */
  readonly handshakeTimeoutMs: number;
  /** A connection up for this long is proof that all is well: the backoff starts over. */
  readonly stableAfterMs: number;
  /** Pings are never closer nor further apart, whatever Feishu sends. */
  readonly pingMinMs: number;
  readonly pingMaxMs: number;
  /** First and largest pause after a refusal only a person can end. */
  readonly refusedBaseMs: number;
  readonly refusedMaxMs: number;
  /** Pause while all connections of the app are taken: at most 4 calls a minute, a free slot taken within 30 s. */
  readonly limitRetryMs: number;
  /** How long a replaced connection may finish the clicks it has in hand. */
  readonly retireMs: number;
  /** How long the closing handshake may take before the socket is cut. */
  readonly closeMs: number;
}

const OWN_TIMINGS = {
  endpointTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  stableAfterMs: 60_000,
  pingMinMs: 1_000,
  pingMaxMs: 30_000,
  refusedBaseMs: 15_000,
  refusedMaxMs: 60_000,
  limitRetryMs: 24_000,
  retireMs: 3_000,
  closeMs: 1_000,
} as const;

export function longConnectionTimings(ws: Config['ws']): LongConnectionTimings {
  return {
    ...OWN_TIMINGS,
    reconnectBaseMs: ws.reconnectBaseMs,
    reconnectMaxMs: ws.reconnectMaxMs,
    pongTimeoutMs: ws.pongTimeoutSeconds * 1000,
    rotateAfterMs: ws.rotateAfterSeconds * 1000,
  };
}
