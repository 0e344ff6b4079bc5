/**
 * Timers that die together: closing the simulator must leave nothing that keeps a test process alive.
 */
export class Timers {
  readonly #live = new Set<NodeJS.Timeout>();
  readonly #sleepers = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs `action` after `ms` unless cancelled or closed first. Returns the cancel function. */
  after(ms: number, action: () => void): () => void {
    if (this.#closed) return () => undefined;
    const timer = setTimeout(() => {
      this.#live.delete(timer);
      action();
    }, ms);
    this.#live.add(timer);
    return () => {
      clearTimeout(timer);
      this.#live.delete(timer);
    };
  }

  /** Resolves after `ms`, or at once when the timers are closed. */
  sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      this.after(ms, wake);
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#live) clearTimeout(timer);
    this.#live.clear();
    for (const wake of [...this.#sleepers]) wake();
  }
}
