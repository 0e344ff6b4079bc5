/**
 * The real round trip: a user is asked by the running daemon, the way services ask, and answers. It shows what no API
 * tells: whether cards reach her, whether her clicks reach us, whether a link can be made and what the consent brings.
 * Nothing is refreshed. A session that did not come to its end is invalidated, so that no test card stays open.
 */
import { type JsonObject, objectOf, textOf } from '../domain/json-fields.js';
import type { Blame, Language, Text } from './finding.js';
import type { RoundTripWay } from './round-trip-way.js';

/** Why the API did not do what it was asked. */
export interface ApiTrouble {
  readonly blame: Blame;
  /** CONTRACT §5; null: nobody answered. */
  readonly code: string | null;
  readonly message: string;
  readonly advice: string;
  readonly feishuCode: number | null;
  readonly logId: string | null;
}

/** The running daemon, with the code of `feishu-authd send` behind it. */
export interface RoundTripApi {
  ask(body: Readonly<Record<string, unknown>>): Promise<JsonObject>;
  /** Resolves with the session at its end; tells each state before. Rejects when the signal says so. */
  follow(session: JsonObject, seen: (session: JsonObject) => void, signal: AbortSignal): Promise<JsonObject>;
  show(sessionId: string): Promise<JsonObject>;
  invalidate(sessionId: string): Promise<unknown>;
  user(openId: string, appId: string | null): Promise<JsonObject>;
  /** null: it is no answer of the API, but a fault. */
  troubleOf(error: unknown): ApiTrouble | null;
}

export interface RoundTripDeps {
  readonly api: RoundTripApi;
  readonly openId: string;
  /** null: there is but one. */
  readonly appId: string | null;
  /** For all of it: card, click and consent. */
  readonly waitSeconds: number;
  readonly note: (line: string) => void;
  readonly way: Pick<RoundTripWay, 'notes'>;
  readonly language: Language;
  /** Marks the session as ours. */
  readonly mark: string;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** What was seen, for the judge. */
export interface RoundTrip {
  readonly how: 'ended' | 'time_over' | 'no_card' | 'refused';
  /** The last state that was seen; null: there was never a session. */
  readonly session: JsonObject | null;
  /** The card reached her chat. */
  readonly delivered: boolean;
  /** The daemon heard her: by a click, or by her browser that came back. */
  readonly clicked: boolean;
  /** Whether there is a refresh token; null: not known. */
  readonly renewable: boolean | null;
  readonly trouble: ApiTrouble | null;
}

/** A card that is not there by then will not come: Feishu, or the daemon's workers, are in trouble. */
const CARD_MS = 20_000;
/** The session outlives our waiting by this, so that it is we who end it. */
const GRACE_SECONDS = 60;
const REASON = 'Set-up check by feishu-authd doctor / feishu-authd doctor 连通性检查';

export async function runRoundTrip(deps: RoundTripDeps): Promise<RoundTrip> {
  const { api, interrupted } = deps;
  const seen = { session: null as JsonObject | null, delivered: false, clicked: false };
  const look = (session: JsonObject): void => {
    seen.session = session;
    seen.delivered ||= textOf(session['message_id']) !== null;
    seen.clicked ||= session['state'] === 'authorizing';
  };
  const ended = (how: RoundTrip['how'], more: Partial<RoundTrip> = {}): RoundTrip => ({
    ...seen,
    how,
    renewable: null,
    trouble: null,
    ...more,
  });
  const limits = startLimits(deps.waitSeconds, () => seen.delivered, interrupted);
  try {
    const asked = await api.ask(bodyOf(deps));
    look(asked);
    const last = await api.follow(asked, tellSteps(deps, look), limits.signal);
    look(last);
    if (last['state'] !== 'completed') return ended('ended');
    const user = await api.user(deps.openId, deps.appId);
    return ended('ended', { renewable: user['renewable'] === true });
  } catch (error) {
    if (!limits.signal.aborted) {
      const trouble = api.troubleOf(error);
      if (trouble === null) throw error;
      return ended('refused', { trouble });
    }
    // A long poll may have kept the newest state from us.
    const sessionId = textOf(seen.session?.['session_id']);
    if (sessionId !== null) await api.show(sessionId).then(look, () => undefined);
    return ended(limits.why());
  } finally {
    limits.clear();
    await putAway(deps, seen.session);
  }
}

const bodyOf = ({ appId, mark, openId, waitSeconds }: RoundTripDeps) => ({
  open_id: openId,
  ...(appId === null ? {} : { app_id: appId }),
  // Also of a user who has authorized already: what is tested is the way.
  force: true,
  reason: REASON,
  ttl_seconds: waitSeconds + GRACE_SECONDS,
  metadata: { doctor: mark },
});

function startLimits(waitSeconds: number, delivered: () => boolean, interrupted: AbortSignal) {
  const over = new AbortController();
  let why: 'time_over' | 'no_card' = 'time_over';
  const late = setTimeout(() => over.abort(), waitSeconds * 1000);
  const cardless = setTimeout(() => {
    if (delivered()) return;
    why = 'no_card';
    over.abort();
  }, CARD_MS);
  return {
    signal: AbortSignal.any([over.signal, interrupted]),
    why: () => why,
    clear() {
      clearTimeout(late);
      clearTimeout(cardless);
    },
  };
}

/** Notes each step once, with the time that is left for all of them. */
function tellSteps({ language, note, waitSeconds, way }: RoundTripDeps, look: (session: JsonObject) => void) {
  let told: Text | null = null;
  return (session: JsonObject): void => {
    look(session);
    const step = stepOf(session, way.notes);
    if (step !== told) {
      const limit =
        told === null
          ? { en: ` (${waitSeconds} s for everything)`, zh: `（总共 ${waitSeconds} 秒）` }
          : { en: '', zh: '' };
      note(step[language] + limit[language]);
    }
    told = step;
  };
}

function stepOf(session: JsonObject, { arrived, delivered, waiting }: RoundTripWay['notes']): Text {
  if (session['state'] === 'authorizing') return arrived;
  return textOf(session['message_id']) === null ? waiting : delivered;
}

/** Only what we have made ourselves: another request of the same client may have been there before. */
async function putAway({ api, mark }: RoundTripDeps, session: JsonObject | null): Promise<void> {
  const sessionId = textOf(session?.['session_id']);
  if (session === null || sessionId === null || textOf(session['ended_at']) !== null) return;
  if (objectOf(session['metadata'])['doctor'] !== mark) return;
  await api.invalidate(sessionId).catch(() => undefined);
}
