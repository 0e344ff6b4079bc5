/**
 * Waits until a session has ended, by long polls, telling each step as it is seen. Rides over a daemon that restarts or
 * is busy; goes on with the session that replaces a superseded one.
 *
 * Bounded: by the session's own life and a grace, by `GIVE_UP_AFTER_MS` without any answer, and by `signal`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelayMs } from '../domain/backoff.js';
import { type JsonObject, objectOf, textOf } from '../domain/json-fields.js';
import type { ApiClient } from './api-client.js';
import { pathTo } from './api-path.js';
import { ApiRefusal } from './api-problem.js';
import { CommandFailure } from './command-failure.js';
import { EXIT } from './exit-codes.js';
import { cell, timeCell } from './table.js';

export interface Following {
  readonly api: ApiClient;
  readonly note: (line: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  /** Told the id whenever another session is followed, the first included. */
  readonly onSession: (sessionId: string) => void;
  readonly signal: AbortSignal;
  /** Told each state but the last; without it, `note` is told the steps in words. */
  readonly onState?: (session: JsonObject) => void;
}

/** A long poll answers at the end only: short ones show the steps before it while somebody may be looking. */
const SENDING_WAIT_SECONDS = 1;
const SHORT_WAIT_SECONDS = 3;
const LONG_WAIT_SECONDS = 50;
const SHORT_WAITS_FOR_MS = 60_000;
/** Between the starts of two polls: a daemon that stops answers at once. */
const LEAST_INTERVAL_MS = 500;
/** For tokens that came at the last moment and are still being looked at. */
const GRACE_MS = 15 * 60_000;
const GIVE_UP_AFTER_MS = 120_000;
const MAX_PAUSE_MS = 30_000;
const PAUSES = { baseMs: 500, maxMs: 10_000 };

/** The session at its end, as the API gave it. @throws CommandFailure when it cannot be followed any more */
export async function followSession(first: JsonObject, deps: Following): Promise<JsonObject> {
  let session = first;
  for (;;) {
    const ended = await followOne(session, deps);
    const next = textOf(ended['next_session_id']);
    if (ended['state'] !== 'superseded' || next === null) return ended;
    deps.note(`A wider request has replaced it; following ${cell(next)}`);
    session = objectOf(
      await deps.api.call({ method: 'GET', path: pathTo('/v1/sessions/', next), signal: deps.signal }),
    );
  }
}

async function followOne(first: JsonObject, deps: Following): Promise<JsonObject> {
  const { api, note, now, signal } = deps;
  const sessionId = textOf(first['session_id']);
  if (sessionId === null) throw new CommandFailure(EXIT.network, 'The API answered without a session');
  deps.onSession(sessionId);
  const startedAt = now();
  const trouble = createTrouble(deps);
  const tell = deps.onState ?? stepTeller(note);
  let session = first;
  while (textOf(session['ended_at']) === null) {
    tell(session);
    const elapsedMs = now() - startedAt;
    if (elapsedMs > lifeOf(session) + GRACE_MS) {
      throw new CommandFailure(EXIT.network, 'The session has outlived its time and is still open');
    }
    const waitSeconds = waitFor(session, elapsedMs);
    const askedAt = now();
    try {
      const call = { method: 'GET', path: pathTo('/v1/sessions/', sessionId), signal } as const;
      session = objectOf(await api.call({ ...call, query: { wait_seconds: waitSeconds }, waitMs: waitSeconds * 1000 }));
      trouble.over();
    } catch (error) {
      await trouble.met(error);
    }
    const restMs = Math.min(LEAST_INTERVAL_MS, askedAt + LEAST_INTERVAL_MS - now());
    if (textOf(session['ended_at']) === null && restMs > 0) await sleep(restMs, undefined, { signal });
  }
  return session;
}

function waitFor(session: JsonObject, elapsedMs: number): number {
  if (elapsedMs > SHORT_WAITS_FOR_MS) return LONG_WAIT_SECONDS;
  return textOf(session['message_id']) === null ? SENDING_WAIT_SECONDS : SHORT_WAIT_SECONDS;
}

/** Each step once. */
function stepTeller(note: (line: string) => void): (session: JsonObject) => void {
  let told = '';
  return (session) => {
    const step = stepOf(session);
    if (step !== told) note(step);
    told = step;
  };
}

function stepOf(session: JsonObject): string {
  const until = `until ${timeCell(session['expires_at'])}`;
  if (session['state'] === 'authorizing') return `She has asked for the link; waiting for her consent ${until}`;
  if (textOf(session['message_id']) === null) return 'The card is on its way';
  return `The card is in her chat with the bot; waiting for her answer ${until}`;
}

/** Milliseconds from asking to expiry, by the daemon's clock: ours may be another. */
function lifeOf(session: JsonObject): number {
  const life = Date.parse(String(session['expires_at'])) - Date.parse(String(session['created_at']));
  return Number.isFinite(life) ? life : 0;
}

interface Trouble {
  /** Waits a while, or throws what nothing can be done about. */
  met(error: unknown): Promise<void>;
  over(): void;
}

function createTrouble({ note, now, signal }: Following): Trouble {
  let since: number | null = null;
  let attempt = 0;
  return {
    async met(error) {
      if (!(error instanceof CommandFailure) || !isPassing(error)) throw error;
      since ??= now();
      if (now() - since > GIVE_UP_AFTER_MS) throw error;
      if (attempt === 0) note(`${error.message}; trying again`);
      attempt += 1;
      const asked = error instanceof ApiRefusal ? error.retryAfterSeconds : null;
      const pauseMs =
        asked === null ? backoffDelayMs(attempt, PAUSES, Math.random) : Math.min(asked * 1000, MAX_PAUSE_MS);
      await sleep(pauseMs, undefined, { signal });
    },
    over() {
      if (since !== null) note('The daemon answers again');
      since = null;
      attempt = 0;
    },
  };
}

/** The daemon is away, restarting or busy; everything else it said will be said again. */
const isPassing = (error: CommandFailure): boolean =>
  error instanceof ApiRefusal ? error.status === 429 || error.status >= 500 : error.exitCode === EXIT.network;
