/**
 * Many people at once. Their cards are looked at now and then instead of after each event: with hundreds of them the
 * looking itself would slow the simulator, which shares this process, and falsify what it measures.
 */
import type { User } from '../simulator/directory.js';
import type { Daemon } from './daemon.js';
import { patientAsk } from './patient-ask.js';
import type { Scene } from './scene.js';

export interface Member {
  readonly user: User;
  readonly sessionId: string;
  readonly messageId: string;
}

/** What it takes to ask people: the app they are asked for, its API, and where their cards arrive. */
export interface AskingScene extends Pick<Scene, 'app' | 'sim'> {
  readonly daemon: Pick<Daemon, 'call'>;
}

const LOOK_EVERY_MS = 200;
/** What follows is about the crowd; that all are asked in one moment is not. */
const ASKED_AT_ONCE = 50;

/** So many new people, each with a card in her chat. */
export async function crowd(scene: AskingScene, count: number, body: object = {}): Promise<Member[]> {
  const { app, daemon, sim } = scene;
  const users = Array.from({ length: count }, (_, i) => sim.addUser({ name: `Person ${i}` }));
  const ask = async (user: User): Promise<string> => {
    const answer = await patientAsk(daemon, { ...body, open_id: sim.openId(user, app.appId) });
    return String(answer.body.session_id);
  };
  const sessionIds: string[] = [];
  while (sessionIds.length < count) {
    const next = users.slice(sessionIds.length, sessionIds.length + ASKED_AT_ONCE);
    sessionIds.push(...(await Promise.all(next.map(ask))));
  }
  const cards = () => new Map(sim.messages().map((message) => [message.userId, message.messageId]));
  await eventually(() => users.every((user) => cards().has(user.userId)), 15_000 + count * 60, 'every card to be sent');
  const byUser = cards();
  return users.map((user, i) => ({
    user,
    sessionId: sessionIds[i] ?? '',
    messageId: byUser.get(user.userId) ?? '',
  }));
}

export const cardText = (scene: Scene, { messageId }: Member): string =>
  JSON.stringify(scene.sim.message(messageId)?.content ?? null);

/** Waits until the card of each shows this text anywhere in it. */
export async function allShow(
  scene: Scene,
  members: readonly Member[],
  text: string,
  timeoutMs: number,
): Promise<void> {
  let left = members;
  const done = (): boolean => {
    left = left.filter((member) => !cardText(scene, member).includes(text));
    return left.length === 0;
  };
  await eventually(done, timeoutMs, `every card to show ${text}`).catch((error: Error) => {
    const example = left[0] === undefined ? '' : cardText(scene, left[0]).slice(0, 600);
    throw new Error(`${error.message}; ${left.length} of ${members.length} do not, such as ${example}`);
  });
}

/** Looks at intervals until it holds. For states that no event announces. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what} in vain`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
