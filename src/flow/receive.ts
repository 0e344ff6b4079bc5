/**
 * Where every data frame of every long connection ends: clicks are answered, whatever happens; events we act on are
 * recorded, and what throws there is acked with code 500, so that Feishu sends them again (ARCHITECTURE invariant 7);
 * everything else is acked plainly. A type that we do not handle is said once: another bot may share the app.
 */
import type { Logger } from 'pino';
import { CLICK_EVENT, type Received, type UserEvent } from '../domain/card-action.js';
import type { Metrics } from '../domain/metrics.js';
import type { ClickLink, Clicks } from './click.js';
import type { Withdrawals } from './withdrawal.js';

export interface ReceiveDeps {
  readonly parse: (payload: unknown) => Received;
  readonly clicks: Clicks;
  readonly withdrawals: Withdrawals;
  readonly metrics: Pick<Metrics, 'eventReceived'>;
  readonly logger: Logger;
}

/** Bounds what one log remembers of foreign types. */
const MAX_TYPES = 100;

/** `appId`: the app of the long connection that the payload came by. */
export type ReceiveFor = (appId: string, payload: unknown, link: ClickLink) => Promise<object | undefined>;

export function createReceive(deps: ReceiveDeps): ReceiveFor {
  const { metrics } = deps;
  const said = new Set<string>();

  const record = async (appId: string, { type }: UserEvent, recorded: Promise<void>): Promise<undefined> => {
    try {
      await recorded;
    } catch (error) {
      metrics.eventReceived({ appId, type, result: 'refused' });
      throw error;
    }
    metrics.eventReceived({ appId, type, result: 'recorded' });
  };

  return async (appId, payload, link) => {
    const received = deps.parse(payload);
    switch (received.kind) {
      case 'click':
        metrics.eventReceived({ appId, type: CLICK_EVENT, result: 'answered' });
        return await deps.clicks.answer(received.action, link);
      case 'malformed': {
        metrics.eventReceived({ appId, type: CLICK_EVENT, result: 'malformed' });
        const fields = { event: 'card.malformed_click', problem: received.problem, keys: received.keys };
        deps.logger.warn(fields, 'A click is no action of ours: does another bot use this app?');
        return deps.clicks.malformed();
      }
      case 'withdrawal':
        return await record(appId, received.event, deps.withdrawals.reported(appId, received.event));
      case 'left':
        return await record(appId, received.event, deps.withdrawals.left(appId, received.event));
      case 'event':
        metrics.eventReceived({ appId, type: received.type, result: 'unhandled' });
        if (!said.has(received.type) && said.size < MAX_TYPES) {
          said.add(received.type);
          const fields = { event: 'ws.unhandled_event', event_type: received.type, event_id: received.eventId };
          deps.logger.warn(fields, 'Feishu sends an event that nothing here handles: does another bot use this app?');
        }
        return undefined;
      case 'nothing':
        metrics.eventReceived({ appId, type: null, result: 'malformed' });
        return undefined;
    }
  };
}
