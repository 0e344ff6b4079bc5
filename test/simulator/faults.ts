/**
 * The switches that make Feishu misbehave. A fault waits until something matches it, fires, and is spent after `times`.
 * Of several that match, the oldest fires first, so a list of faults plays as a script. Owns the choice, not the effect:
 * the API pipeline, the handshake and the connections apply what the `take…` methods return.
 */
import type { ApiFault, DeliveryFault, Fault, HandshakeFault, SocketFault } from './fault-kinds.js';
import type { ApiName } from './options.js';

export type { ApiFault, DeliveryFault, Fault, HandshakeFault, SocketFault } from './fault-kinds.js';

export interface FaultHandle {
  readonly id: string;
  readonly fault: Fault;
  /** How often it has fired. */
  readonly fired: number;
  /** Takes it away; held calls go on. */
  clear(): void;
  /** Lets the calls held now go on; the fault stays. */
  release(): void;
}

/** What a call is about, as far as it can be told. */
export interface Subject {
  appId?: string;
  openId?: string;
  messageId?: string;
  grant?: string;
  userCode?: string;
  /** Of the refresh token presented. */
  generation?: number;
}

/** A fault that fires now. `held` resolves when it is released. */
export interface Firing<F extends Fault> {
  fault: F;
  held(): Promise<void>;
}

class Entry implements FaultHandle {
  readonly id: string;
  readonly fault: Fault;
  fired = 0;
  passed = 0;
  readonly #remove: (entry: Entry) => void;
  readonly #waiting = new Set<() => void>();

  constructor(id: string, fault: Fault, remove: (entry: Entry) => void) {
    this.id = id;
    this.fault = fault;
    this.#remove = remove;
  }

  get spent(): boolean {
    return this.fault.times !== undefined && this.fired >= this.fault.times;
  }

  held(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  release(): void {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  clear(): void {
    this.#remove(this);
    this.release();
  }
}

export class Faults {
  #entries: Entry[] = [];
  readonly #all = new Set<Entry>();
  #count = 0;
  readonly #onChange: () => void;

  constructor(options: { onChange: () => void }) {
    this.#onChange = options.onChange;
  }

  add(fault: Fault): FaultHandle {
    this.#count += 1;
    const entry = new Entry(`fault-${this.#count}`, fault, (gone) => {
      this.#entries = this.#entries.filter((other) => other !== gone);
      this.#onChange();
    });
    this.#entries.push(entry);
    this.#all.add(entry);
    this.#onChange();
    return entry;
  }

  /** The faults still set. */
  list(): FaultHandle[] {
    return this.#entries.filter((entry) => !entry.spent);
  }

  find(id: string): FaultHandle | undefined {
    return [...this.#all].find((entry) => entry.id === id);
  }

  /** Takes all away and lets held calls go on, also those held by faults already spent. */
  clear(): void {
    this.#entries = [];
    for (const entry of this.#all) entry.release();
    this.#onChange();
  }

  /** The delays that apply to a call, then the one fault that shapes it. */
  takeApi(api: ApiName, when: 'before' | 'after', subject: Subject): { delayMs: number; firing?: Firing<ApiFault> } {
    let delayMs = 0;
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (fault.on !== 'api' || (fault.api !== '*' && fault.api !== api)) continue;
      if (phaseOf(fault) !== when || !aimsAt(fault, subject) || !this.#fire(entry)) continue;
      if (fault.kind === 'delay') delayMs += fault.ms;
      else return { delayMs, firing: { fault, held: () => entry.held() } };
    }
    return { delayMs };
  }

  takeHandshake(appId: string): HandshakeFault | undefined {
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (fault.on === 'handshake' && aimsAt(fault, { appId }) && this.#fire(entry)) return fault;
    }
    return undefined;
  }

  /** `only`: the kind that has a meaning on this way; others stay unspent. */
  takeDelivery(appId: string, only?: DeliveryFault['kind']): DeliveryFault | undefined {
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (fault.on !== 'delivery' || (only !== undefined && fault.kind !== only)) continue;
      if (aimsAt(fault, { appId }) && this.#fire(entry)) return fault;
    }
    return undefined;
  }

  /** The socket faults set for a connection. They are states and are never spent by looking. */
  socketFaults(appId: string, connectionId: string): SocketFault[] {
    const found: SocketFault[] = [];
    for (const { fault } of this.#entries) {
      if (fault.on !== 'socket' || !aimsAt(fault, { appId })) continue;
      if (fault.connectionId === undefined || fault.connectionId === connectionId) found.push(fault);
    }
    return found;
  }

  #fire(entry: Entry): boolean {
    if (entry.spent) return false;
    if (entry.passed < (entry.fault.skip ?? 0)) {
      entry.passed += 1;
      return false;
    }
    entry.fired += 1;
    return true;
  }
}

/** A rewritten answer needs an answer, so it always comes after the call. */
function phaseOf(fault: ApiFault): 'before' | 'after' {
  return fault.kind === 'rewrite' ? 'after' : (fault.when ?? 'before');
}

function aimsAt(fault: Fault, subject: Subject): boolean {
  if (fault.appId !== undefined && fault.appId !== subject.appId) return false;
  if (fault.on !== 'api') return true;
  return (
    (fault.openId === undefined || fault.openId === subject.openId) &&
    (fault.messageId === undefined || fault.messageId === subject.messageId) &&
    (fault.grant === undefined || fault.grant === subject.grant) &&
    (fault.userCode === undefined || fault.userCode === subject.userCode)
  );
}
