/**
 * The keyring as the store knows it, what to do next about values that are sealed with a former key, and what an
 * operator is told. Pure. Times are milliseconds of Redis's clock.
 */

/** A running daemon, as it has last told of itself. */
export interface SealingProcess {
  /** The first key of its ring. */
  readonly seals: string;
  readonly ring: readonly string[];
  /** Entries of its spool, by the key they are sealed with. */
  readonly spooled: Readonly<Record<string, number>>;
  readonly startedAt: number;
}

/** One walk over everything that is sealed. `done` and `total` count keys of the Redis database looked at. */
export interface ResealPass {
  /** 1 for the first one after a change of the target. */
  readonly number: number;
  readonly targetKeyId: string;
  readonly startedAt: number;
  /** null: it is under way. */
  readonly finishedAt: number | null;
  /** Of SCAN; means something to one run of Redis only. */
  readonly cursor: string;
  readonly runId: string;
  readonly done: number;
  readonly total: number;
  /** Something was sealed again or put aside. */
  readonly changed: boolean;
  readonly resealed: number;
  /** Values that do not open and lie aside, those of earlier times included. */
  readonly aside: number;
  /** Values by the key they were found sealed with. SCAN may show a key twice: no less than there are. */
  readonly found: Readonly<Record<string, number>>;
  /** Those of them that this process cannot open, as it does not have their key. */
  readonly left: Readonly<Record<string, number>>;
}

export interface KeyringView {
  readonly now: number;
  /** Keys that values may be sealed with: every one of them is needed at a start. */
  readonly registered: readonly string[];
  /** Until when some process may still be sealing with a key; absent: nobody has lately. */
  readonly busyUntil: Readonly<Record<string, number>>;
  readonly processes: readonly SealingProcess[];
  readonly pass: ResealPass | null;
  /** Values by key at the end of the last pass; null: there was none. */
  readonly uses: Readonly<Record<string, number>> | null;
}

export interface KeyStatus {
  readonly id: string;
  /** A running process seals with it, or did in the last minutes. */
  readonly seals: boolean;
  /** It stands in this process's TOKEN_ENCRYPTION_KEYS. */
  readonly configured: boolean;
  /** Values sealed with it, by the last pass; null: there was none. */
  readonly uses: number | null;
  /** Nothing needs it: it may be taken out of TOKEN_ENCRYPTION_KEYS. */
  readonly removable: boolean;
}

export interface KeyringStatus {
  readonly keys: readonly KeyStatus[];
  readonly reseal: {
    /** Values sealed with a former key may be left. */
    readonly running: boolean;
    readonly done: number;
    readonly total: number;
    readonly targetKeyId: string;
    /** null while it runs, and when there has never been anything to do. */
    readonly finishedAt: number | null;
  };
}

export type ResealStep =
  | { readonly kind: 'nothing' }
  /** A running process could not open what is sealed with our key. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'continue'; readonly pass: ResealPass }
  | { readonly kind: 'start'; readonly number: number };

/** After a pass that could decide nothing (somebody still seals with a former key) the next one comes this much later. */
const REPASS_MS = 60_000;

const NOTHING: ResealStep = { kind: 'nothing' };

/**
 * The key everything is to be sealed with: the first one of the process that was started last, as it has the newest
 * configuration. So processes with rings of different order never undo each other's work. null: no process is known.
 */
export function targetKeyOf(view: KeyringView): string | null {
  const byAge = view.processes.toSorted((a, b) => b.startedAt - a.startedAt || (a.seals < b.seals ? -1 : 1));
  return byAge[0]?.seals ?? null;
}

/** What a process that seals with `seals` should do now. */
export function nextResealStep(view: KeyringView, seals: string): ResealStep {
  if (targetKeyOf(view) !== seals) return NOTHING;
  const former = view.registered.filter((id) => id !== seals);
  const pass = view.pass?.targetKeyId === seals ? view.pass : null;
  const isUnderWay = pass !== null && pass.finishedAt === null;
  if (former.length === 0 && !isUnderWay) return NOTHING;
  if (view.processes.some(({ ring }) => !ring.includes(seals))) return { kind: 'wait' };
  if (pass === null) return { kind: 'start', number: 1 };
  if (pass.finishedAt === null) return { kind: 'continue', pass };
  const isDue = view.now - pass.finishedAt >= REPASS_MS || former.some((id) => isIdle(view, pass, id));
  return isDue ? { kind: 'start', number: pass.number + 1 } : NOTHING;
}

/** Nobody uses it: if the last pass could not show that nothing is sealed with it, one that is begun now may. */
const isIdle = (view: KeyringView, last: ResealPass, id: string): boolean =>
  (view.busyUntil[id] ?? 0) < view.now && !isSpooled(view, id) && (last.left[id] ?? 0) === 0;

/**
 * Keys that a finished pass has shown to be in no use: it has found none of their values and changed nothing. (What a
 * Redis that was restarted brings back, or a writer that was passed by, is found by the next one.)
 */
export function unusedAfter(pass: ResealPass, registered: readonly string[]): string[] {
  if (pass.changed) return [];
  return registered.filter((id) => id !== pass.targetKeyId && (pass.found[id] ?? 0) === 0);
}

/** Values by key as a finished pass leaves them. */
export function usesAfter(pass: ResealPass): Record<string, number> {
  return { ...pass.left, [pass.targetKeyId]: (pass.found[pass.targetKeyId] ?? 0) + pass.resealed };
}

/** `ring`: the key ids of the process that is asked. */
export function keyringStatus(view: KeyringView, ring: readonly string[]): KeyringStatus {
  const seals = new Set(view.processes.map((process) => process.seals));
  const used = Object.entries(view.uses ?? {}).flatMap(([id, uses]) => (uses > 0 ? [id] : []));
  const ids = [...new Set([...ring, ...view.registered, ...seals, ...used])];
  const target = targetKeyOf(view) ?? ring[0] ?? '';
  const { pass } = view;
  const running = view.registered.some((id) => id !== target) || (pass !== null && pass.finishedAt === null);
  return {
    keys: ids.map((id) => ({
      id,
      seals: seals.has(id),
      configured: ring.includes(id),
      uses: view.uses === null ? null : (view.uses[id] ?? 0) + spooled(view, id),
      removable: ring.includes(id) && !seals.has(id) && !view.registered.includes(id) && !isSpooled(view, id),
    })),
    reseal: {
      running,
      done: pass?.done ?? 0,
      total: pass?.total ?? 0,
      targetKeyId: target,
      finishedAt: running ? null : (pass?.finishedAt ?? null),
    },
  };
}

/** Processes may share a spool: the largest number that one of them has told. */
const spooled = (view: KeyringView, id: string): number =>
  Math.max(0, ...view.processes.map((process) => process.spooled[id] ?? 0));

const isSpooled = (view: KeyringView, id: string): boolean => spooled(view, id) > 0;
