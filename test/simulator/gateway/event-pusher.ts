/**
 * Events (not callbacks): pushed until acked with 200, at most once more per entry of the redelivery schedule, each time
 * to a random connection or to the event address. Source: FEISHU.md §2.5 (delivery rules), §3.1 (envelope).
 */
import type { App } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { Settings } from '../options.js';
import { hex } from '../secret-book.js';
import type { Timers } from '../timers.js';
import type { DispatchOutcome } from '../webhook/dispatch.js';
import type { Push } from './delivery.js';

/** Header members to set otherwise; `create_time` is milliseconds as text. */
export interface EnvelopeOverrides {
  event_id?: string;
  create_time?: string;
  token?: string;
  tenant_key?: string;
}

export type Envelope = Record<string, unknown>;

export interface PushTiming {
  /** `false`: pushes once only. */
  redeliver?: boolean;
  /** Waits so long before the first delivery. */
  delayMs?: number;
  /** Delivers it so many more times after it was acked: Feishu promises at least once. */
  repeats?: number;
}

export interface EventPush {
  eventId: string | undefined;
  /** One entry per delivery that has ended. */
  attempts: DispatchOutcome[];
  /** Resolves when it was acked with 200 or Feishu gave up. Never rejects. */
  done: Promise<{ delivered: boolean; attempts: DispatchOutcome[] }>;
}

export interface EventPusherDeps {
  settings: Settings;
  /** Sends it whichever way the console says. */
  send: (push: Push) => Promise<DispatchOutcome>;
  events: EventStream;
  timers: Timers;
}

/** A v2 envelope as the gateway sends it. */
export function envelope(
  app: App,
  tenantKey: string,
  type: string,
  event: Envelope,
  overrides: EnvelopeOverrides = {},
): Envelope {
  return {
    schema: '2.0',
    header: {
      event_id: hex(16),
      event_type: type,
      create_time: String(Date.now()),
      token: app.verificationToken,
      app_id: app.appId,
      tenant_key: tenantKey,
      ...overrides,
    },
    event,
  };
}

export class EventPusher {
  readonly #deps: EventPusherDeps;

  constructor(deps: EventPusherDeps) {
    this.#deps = deps;
  }

  push(appId: string, body: Envelope, options: Omit<Partial<Push>, 'appId' | 'payload'> & PushTiming = {}): EventPush {
    const { delayMs = 0, redeliver = true, repeats = 0, ...how } = options;
    const header = body['header'] as { event_id?: string } | undefined;
    const attempts: DispatchOutcome[] = [];
    const eventId = header?.event_id ?? (typeof body['uuid'] === 'string' ? body['uuid'] : undefined);
    const push: Push = { ...how, appId, payload: JSON.stringify(body) };
    const pauses = [delayMs, ...(redeliver ? this.#deps.settings.redeliveryScheduleMs : [])];
    const done = this.#run(push, eventId, attempts, pauses).then(async (first) => {
      for (let again = 0; first.delivered && again < repeats; again += 1) {
        attempts.push(await this.#deps.send(plain(push)));
      }
      return first;
    });
    return { eventId, attempts, done };
  }

  async #run(
    push: Push,
    eventId: string | undefined,
    attempts: DispatchOutcome[],
    pauses: readonly number[],
  ): Promise<{ delivered: boolean; attempts: DispatchOutcome[] }> {
    for (const pauseMs of pauses) {
      await this.#deps.timers.sleep(pauseMs);
      if (this.#deps.timers.closed) break;
      this.#deps.events.emit('event.pushed', { app_id: push.appId, event_id: eventId, attempt: attempts.length + 1 });
      // Only the first delivery takes the special path a test asked for; a redelivery is an ordinary one.
      const outcome = await this.#deps.send(attempts.length === 0 ? push : plain(push));
      attempts.push(outcome);
      if (isDelivered(outcome)) {
        this.#deps.events.emit('event.acked', { app_id: push.appId, event_id: eventId, attempt: attempts.length });
        return { delivered: true, attempts };
      }
    }
    this.#deps.events.emit('event.failed', { app_id: push.appId, event_id: eventId, attempts: attempts.length });
    return { delivered: false, attempts };
  }
}

/** By HTTP the status alone counts. */
function isDelivered(outcome: DispatchOutcome): boolean {
  if (outcome.kind === 'answered') return outcome.ack.code === 200;
  return outcome.kind === 'acked' && outcome.ack.code === 200 && outcome.ack.broken === undefined;
}

function plain(push: Push): Push {
  return { appId: push.appId, payload: push.payload, ...(push.type ? { type: push.type } : {}) };
}
