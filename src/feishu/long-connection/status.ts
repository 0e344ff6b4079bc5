/**
 * What is known about one app's long connection, kept true by the supervisor and told on every change (CONTRACT §5
 * /readyz, §7). Times are epoch milliseconds. A pong is a sign of a live socket, not of working event delivery:
 * `lastEventAt` is fed by events only (FAILURES G-last-event-age-fed-by-pongs).
 */
import type { Logger } from 'pino';
import type { ConnectFailure } from './failures.js';

export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'stopped';

export interface LongConnectionStatus {
  readonly appId: string;
  readonly state: ConnectionState;
  /** When it came into this state. */
  readonly since: number;
  readonly lastFrameAt: number | null;
  readonly lastPongAt: number | null;
  readonly lastEventAt: number | null;
  /** Connections that came up, rotations included. */
  readonly connects: number;
  /** Connections that came up after a drop. */
  readonly reconnects: number;
  /** Connections replaced on schedule. */
  readonly rotations: number;
  /** Why it is not connected; null while it is. Every member may be logged and shown. */
  readonly lastError: ConnectFailure | null;
  /** Inbound frames nobody could handle. */
  readonly droppedFrames: number;
  /** Sockets that exist, also while they open or close. */
  readonly openSockets: number;
  /** Handlers at work. */
  readonly inHand: number;
}

type Kept = Omit<LongConnectionStatus, 'openSockets' | 'inHand'>;

export interface StatusBook {
  read(): LongConnectionStatus;
  /** Notes a change; a new `state` sets `since`, and the listener is told. */
  change(change: Partial<Omit<Kept, 'appId' | 'since'>>): void;
  /** Notes a time or count without telling anybody: there may be thousands a second. */
  note(change: Partial<Pick<Kept, 'lastFrameAt' | 'lastPongAt' | 'lastEventAt' | 'droppedFrames'>>): void;
}

export interface StatusDeps {
  readonly appId: string;
  readonly now: () => number;
  readonly counts: () => Pick<LongConnectionStatus, 'openSockets' | 'inHand'>;
  readonly onChange?: ((status: LongConnectionStatus) => void) | undefined;
  readonly logger: Logger;
}

export function createStatusBook(deps: StatusDeps): StatusBook {
  let kept: Kept = {
    appId: deps.appId,
    state: 'idle',
    since: deps.now(),
    lastFrameAt: null,
    lastPongAt: null,
    lastEventAt: null,
    connects: 0,
    reconnects: 0,
    rotations: 0,
    lastError: null,
    droppedFrames: 0,
  };
  const read = (): LongConnectionStatus => ({ ...kept, ...deps.counts() });

  return {
    read,
    change(change) {
      const moved = change.state !== undefined && change.state !== kept.state;
      kept = { ...kept, ...change, since: moved ? deps.now() : kept.since };
      try {
        deps.onChange?.(read());
      } catch (error) {
        const name = error instanceof Error ? error.name : typeof error;
        deps.logger.error(
          { event: 'ws.listener_failed', app_id: deps.appId, error: name },
          'A listener of the long connection failed; the connection goes on',
        );
      }
    },
    note(change) {
      Object.assign(kept, change);
    },
  };
}
