/**
 * Pushes payloads to one random connection of an app and matches acks to pushes by the header `message_id`. Owns
 * fragmentation and the wait for the ack; what an ack means for a click or an event is its caller's business.
 * Source: FEISHU.md §2.3 (never by SeqID or LogID), §2.5.
 */
import { randomInt } from 'node:crypto';
import type { EventStream } from '../event-stream.js';
import type { Faults } from '../faults.js';
import type { Settings } from '../options.js';
import { digits, hex, uuid } from '../secret-book.js';
import type { Timers } from '../timers.js';
import { type RawAck, readAck } from './ack.js';
import type { Connection } from './connection.js';
import { DATA, type Frame, headerOf } from './frame.js';

export interface Push {
  appId: string;
  /** JSON text of the envelope, or raw bytes to break it. */
  payload: string | Uint8Array;
  type?: 'event' | 'card';
  /** Pushes to this connection instead of a random one. */
  connectionId?: string;
  /** Waits for the next connection of the app and leaves in the same write as its 101 answer. */
  withUpgrade?: boolean;
  /** Number of fragments; default 1. */
  fragments?: number;
  fragmentOrder?: 'forward' | 'reverse';
  fragmentGapMs?: number;
  /** Sends the same frame so many times, back to back. */
  copies?: number;
  /** Header message_id; random by default. */
  frameMessageId?: string;
  ackTimeoutMs?: number;
}

export type PushOutcome =
  | { kind: 'acked'; ack: RawAck; connectionId: string; tookMs: number; frame: Frame }
  | { kind: 'timeout'; connectionId: string }
  | { kind: 'no_connection' };

export interface DeliveryDeps {
  settings: Settings;
  faults: Faults;
  events: EventStream;
  timers: Timers;
  connections: (appId: string) => Connection[];
}

interface Pending {
  connectionId: string | undefined;
  sentAt: number;
  settle(outcome: PushOutcome): void;
}

export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #pending = new Map<string, Pending>();
  readonly #unsettled = new Set<Pending>();
  readonly #withUpgrade = new Map<string, ((connection: Connection) => void)[]>();

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Pushes and waits for the ack. Never rejects. */
  push(push: Push): Promise<PushOutcome> {
    const messageId = push.frameMessageId ?? uuid();
    const target = push.withUpgrade ? undefined : this.#pick(push);
    if (!target && !push.withUpgrade) return Promise.resolve({ kind: 'no_connection' });
    return new Promise((resolve) => {
      const timeoutMs = push.ackTimeoutMs ?? this.#deps.settings.limits.ackTimeoutMs;
      let stopClock: () => void = () => undefined;
      const pending: Pending = {
        connectionId: target?.id,
        sentAt: performance.now(),
        settle: (outcome) => {
          stopClock();
          this.#unsettled.delete(pending);
          if (this.#pending.get(messageId) === pending) this.#pending.delete(messageId);
          resolve(outcome);
        },
      };
      this.#unsettled.add(pending);
      const send = (connection: Connection): void => {
        pending.connectionId = connection.id;
        pending.sentAt = performance.now();
        this.#pending.set(messageId, pending);
        // After a stall of this process timers come before sockets: an ack that arrived in time is read first.
        stopClock = this.#deps.timers.after(timeoutMs, () =>
          setImmediate(() => pending.settle({ kind: 'timeout', connectionId: connection.id })),
        );
        this.#write(connection, push, messageId);
      };
      if (target) send(target);
      else this.#queueForUpgrade(push.appId, send);
    });
  }

  /** What the gateway writes together with the next 101 answer of this app. */
  takeFirstFrames(appId: string): ((connection: Connection) => void)[] {
    const queued = this.#withUpgrade.get(appId) ?? [];
    this.#withUpgrade.delete(appId);
    return queued;
  }

  receiveAck(frame: Frame, connection: Connection): void {
    const messageId = headerOf(frame, 'message_id') ?? '';
    const pending = this.#pending.get(messageId);
    const about = { app_id: connection.appId, connection_id: connection.id, frame_message_id: messageId };
    if (!pending) {
      this.#deps.events.emit('ack.ignored', { ...about, reason: 'late, repeated or unknown' });
      return;
    }
    if (pending.connectionId !== connection.id && !this.#deps.settings.ackOnAnyConnection) {
      this.#deps.events.emit('ack.ignored', { ...about, reason: 'other connection' });
      return;
    }
    const ack = readAck(frame.payload);
    this.#deps.events.emit('ack', { ...about, code: ack.code });
    const tookMs = performance.now() - pending.sentAt;
    pending.settle({ kind: 'acked', ack, connectionId: connection.id, tookMs, frame });
  }

  /** Ends every wait as timed out. */
  close(): void {
    for (const pending of [...this.#unsettled]) {
      pending.settle({ kind: 'timeout', connectionId: pending.connectionId ?? '' });
    }
    this.#withUpgrade.clear();
  }

  #pick(push: Push): Connection | undefined {
    const live = this.#deps.connections(push.appId);
    if (push.connectionId !== undefined) return live.find((connection) => connection.id === push.connectionId);
    const routable = live.filter((connection) => connection.routable);
    return routable.length === 0 ? undefined : routable[randomInt(routable.length)];
  }

  #queueForUpgrade(appId: string, send: (connection: Connection) => void): void {
    const queued = this.#withUpgrade.get(appId) ?? [];
    queued.push(send);
    this.#withUpgrade.set(appId, queued);
  }

  #write(connection: Connection, push: Push, messageId: string): void {
    const fault = this.#deps.faults.takeDelivery(push.appId);
    const parts = fault?.kind === 'fragment' ? fault.parts : (push.fragments ?? 1);
    const order = fault?.kind === 'fragment' ? fault.order : push.fragmentOrder;
    const gapMs = (fault?.kind === 'fragment' ? fault.gapMs : push.fragmentGapMs) ?? 0;
    const copies = fault?.kind === 'duplicate' ? fault.copies : (push.copies ?? 1);
    const frames = framesOf(push, messageId, parts, this.#deps.settings.now());
    if (order === 'reverse') frames.reverse();
    for (let copy = 0; copy < copies; copy += 1) {
      for (const [index, frame] of frames.entries()) {
        if (gapMs === 0 || index === 0) connection.push(frame);
        else this.#deps.timers.after(index * gapMs, () => connection.push(frame));
      }
    }
  }
}

/** Cuts the payload into `parts` frames; characters may be split anywhere, as Feishu does. */
function framesOf(push: Push, messageId: string, parts: number, now: number): Frame[] {
  const bytes = typeof push.payload === 'string' ? Buffer.from(push.payload) : push.payload;
  const size = Math.ceil(bytes.length / parts);
  const traceId = hex(16);
  return Array.from({ length: parts }, (_, index) => ({
    SeqID: digits(12),
    LogID: digits(19),
    service: 0,
    method: DATA,
    headers: [
      { key: 'type', value: push.type ?? 'event' },
      { key: 'message_id', value: messageId },
      { key: 'sum', value: String(parts) },
      { key: 'seq', value: String(index) },
      { key: 'trace_id', value: traceId },
      { key: 'timestamp', value: String(now) },
      { key: 'instance_id', value: 'simulator' },
    ],
    payload: bytes.subarray(index * size, (index + 1) * size),
    LogIDNew: hex(16),
  }));
}
