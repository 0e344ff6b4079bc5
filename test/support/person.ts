/**
 * A person at her chat: looks at the card and does what it offers until it says that she has authorized. She does not
 * know what the daemon went through; whatever happened, following the card must get her there.
 */
import { linkIn } from './consents.js';
import type { Scene } from './scene.js';

interface Seen {
  readonly actions: ReadonlySet<string>;
  readonly sessionId: string | null;
  readonly text: string;
}

/**
 * Resolves when the card says "Authorized"; rejects after `timeoutMs` with what it shows instead. `patient`: she does
 * not press "I have agreed" but waits for the card to turn by itself.
 */
export async function authorizeByCard(
  scene: Pick<Scene, 'sim' | 'user' | 'consent' | 'entrance'>,
  messageId: string,
  { timeoutMs = 40_000, patient = false }: { timeoutMs?: number; patient?: boolean } = {},
): Promise<void> {
  const { sim, user } = scene;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = look(scene, messageId);
    if (seen.text.includes('Authorized')) return;
    const left = deadline - Date.now();
    if (left <= 0) throw new Error(`the card never said "Authorized"; it shows ${seen.text.slice(0, 600)}`);
    const action = ['agreed', 'authorize', 'restart'].find((name) => seen.actions.has(name));
    if (action === 'agreed') {
      const link = linkIn(sim, sim.message(messageId)?.content);
      if (link !== undefined) scene.consent({ link, user });
    }
    const changed = nextChange(scene, messageId, seen.text, Math.min(left, action === 'agreed' ? 3_000 : 1_000));
    const waits = patient && action === 'agreed';
    if (action !== undefined && !waits && seen.sessionId !== null && canClick(scene)) {
      await sim.click({ messageId, user, value: { action, session_id: seen.sessionId } });
    }
    await changed;
  }
}

/** While no connection is up her client says so, and she waits. */
const canClick = ({ entrance, sim }: Pick<Scene, 'entrance' | 'sim'>): boolean =>
  sim.connections().length > 0 || entrance?.way.clicks === 'http';

function look(scene: Pick<Scene, 'sim'>, messageId: string): Seen {
  const text = JSON.stringify(scene.sim.message(messageId)?.content ?? {});
  const values = [...text.matchAll(/"value":(\{[^}]*\})/g)].map(([, value]) => JSON.parse(value ?? '{}'));
  const actions = new Set(values.map((value) => String(value.action)));
  const sessionId = values.length > 0 ? String(values[0].session_id) : null;
  return { actions, sessionId, text };
}

/** Resolves when the message shows something else, or when the time is over: then she looks again anyway. */
async function nextChange(
  scene: Pick<Scene, 'sim'>,
  messageId: string,
  before: string,
  timeoutMs: number,
): Promise<void> {
  const changed = (): boolean => JSON.stringify(scene.sim.message(messageId)?.content ?? {}) !== before;
  await scene.sim.until(changed, timeoutMs).catch(() => undefined);
}
