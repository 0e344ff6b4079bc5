/**
 * Everything that happens in the simulator, as one stream. Tests wait on it instead of sleeping; the chat page gets a
 * part of it over SSE. Owns delivery to listeners, not the meaning of the events.
 */

/** One thing that happened. `data` has the snake_case fields of that type. */
export interface SimEvent {
  seq: number;
  type: SimEventType;
  /** Epoch milliseconds. */
  at: number;
  data: Record<string, unknown>;
}

export type SimEventType =
  | 'connection.opened'
  | 'connection.closed'
  | 'connection.ping'
  | 'handshake.refused'
  | 'call.arrived'
  /** A hang or hold fault has it now; a held one can be released. */
  | 'call.held'
  | 'call'
  | 'message'
  | 'updated'
  | 'recalled'
  | 'click'
  | 'click.settled'
  | 'ack'
  | 'ack.ignored'
  | 'toast'
  | 'event.pushed'
  | 'event.acked'
  | 'event.failed'
  | 'device_code'
  | 'consent'
  | 'denied'
  | 'token'
  | 'revoked'
  | 'simulator.error';

type Listener = (event: SimEvent) => void;
type Check<T> = () => T | undefined | null | false;

/** What one wait needs to be ended from outside. */
interface Waiter {
  abandon(error: Error): void;
}

export class EventStream {
  readonly #listeners = new Set<Listener>();
  readonly #waiters = new Set<Waiter>();
  readonly #now: () => number;
  #seq = 0;

  constructor(options: { now: () => number }) {
    this.#now = options.now;
  }

  emit(type: SimEventType, data: Record<string, unknown>): void {
    this.#seq += 1;
    const event: SimEvent = { seq: this.#seq, type, at: this.#now(), data };
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls `listener` for every event, or for those of one type. Returns the function that ends it. */
  on(type: SimEventType | '*', listener: Listener): () => void {
    const filtered: Listener = (event) => {
      if (type === '*' || event.type === type) listener(event);
    };
    this.#listeners.add(filtered);
    return () => {
      this.#listeners.delete(filtered);
    };
  }

  /**
   * The next event of that type, or the next one the predicate accepts. Sees only what happens from now on; for a
   * state that may already hold use `until`. Rejects after `timeoutMs`.
   */
  waitFor(wanted: SimEventType | ((event: SimEvent) => boolean), timeoutMs = 20_000): Promise<SimEvent> {
    const accepts = typeof wanted === 'function' ? wanted : (event: SimEvent): boolean => event.type === wanted;
    const label = typeof wanted === 'function' ? 'an event that matches' : `"${wanted}"`;
    return this.#wait((event) => (event !== undefined && accepts(event) ? event : undefined), label, timeoutMs);
  }

  /**
   * Resolves with the first truthy value of `check`, which is tried at once and again after every event. Rejects after
   * `timeoutMs`.
   */
  until<T>(check: Check<T>, timeoutMs = 20_000, label = 'a condition'): Promise<T> {
    return this.#wait(() => check() || undefined, label, timeoutMs);
  }

  /** Ends every wait with an error and forgets all listeners. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.abandon(new Error('the simulator was closed'));
    this.#listeners.clear();
  }

  #wait<T>(look: (event: SimEvent | undefined) => T | undefined, label: string, timeoutMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        this.#waiters.delete(waiter);
      };
      const attempt = (event: SimEvent | undefined): void => {
        try {
          const found = look(event);
          if (found === undefined) return;
          finish();
          resolve(found);
        } catch (error) {
          waiter.abandon(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const listener: Listener = (event) => attempt(event);
      const waiter: Waiter = {
        abandon: (error) => {
          finish();
          reject(error);
        },
      };
      const timer = setTimeout(
        () => waiter.abandon(new Error(`waited ${timeoutMs} ms for ${label} in vain`)),
        timeoutMs,
      );
      this.#waiters.add(waiter);
      this.#listeners.add(listener);
      attempt(undefined);
    });
  }
}
