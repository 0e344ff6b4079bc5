/** Starts the baseline, a bare SDK client (bare-client.mjs), and waits until its connection carries clicks. */
import { join } from 'node:path';
import type { Message } from '../simulator/chat/chats.js';
import type { App, User } from '../simulator/directory.js';
import type { Simulator } from '../simulator/simulator.js';
import type { BenchContext } from './benchmark.js';
import { type Child, startChild } from './child.js';

export interface BareProcess {
  readonly process: Child;
  /** From its spawn to its first ping. */
  readonly readyMs: number;
}

const READY_LIMIT_MS = 30_000;

/** `connected`: resolves when the gateway has got a ping on the app's connection; by default the simulator's. */
export async function startBareClient(
  context: BenchContext,
  sim: Simulator,
  app: App,
  connected: Promise<unknown> = firstPing(sim, app),
): Promise<BareProcess> {
  const options = { appId: app.appId, appSecret: app.appSecret, url: sim.baseUrl };
  const child = startChild(context, {
    name: `bare-${app.appId}`,
    args: [join(import.meta.dirname, 'bare-client.mjs'), JSON.stringify(options)],
    env: {},
  });
  await connected;
  const readyMs = performance.now() - child.startedAt;
  return { process: child, readyMs };
}

const firstPing = (sim: Simulator, app: App): Promise<unknown> =>
  sim.waitFor(({ type, data }) => type === 'connection.ping' && data['app_id'] === app.appId, READY_LIMIT_MS);

/** The cards a bare client would have sent; sending is not what is measured. */
export function sendBareCards(sim: Simulator, app: App, users: readonly User[]): Message[] {
  const button = {
    tag: 'button',
    text: { tag: 'plain_text', content: 'Authorize' },
    behaviors: [{ type: 'callback', value: { action: 'authorize' } }],
  };
  const content = { schema: '2.0', config: { update_multi: true }, body: { elements: [button] } };
  return users.map(({ userId }) => {
    const { chatId } = sim.chats.p2p(app.appId, userId, app.name);
    return sim.chats.addMessage({ chatId, appId: app.appId, kind: 'card', msgType: 'interactive', content, userId });
  });
}
