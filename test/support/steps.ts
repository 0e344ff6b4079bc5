/**
 * Steps and looks that whole-daemon tests share: people beside the user of the scene, the code and the title of a card
 * in the chat, the end of a session, and whether a token was kept anywhere.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Message } from '../simulator/chat/chats.js';
import type { ClickResult } from '../simulator/chat/clicks.js';
import type { User } from '../simulator/directory.js';
import type { Fault } from '../simulator/fault-kinds.js';
import { linkIn } from './consents.js';
import type { Asked, Scene } from './scene.js';

// biome-ignore lint/suspicious/noExplicitAny: the session as the API gives it, looked into by tests
export type SessionJson = any;

/** What goes wrong with a call, without saying with which one. */
export type Trouble = Fault extends infer F ? (F extends { on: 'api' } ? Omit<F, 'on' | 'api'> : never) : never;

export interface PersonInScene {
  readonly user: User;
  readonly openId: string;
  ask(body?: Readonly<Record<string, unknown>>): Promise<Asked>;
  click(asked: Asked, action: string, more?: object): Promise<ClickResult>;
}

/** Somebody else whom the app knows. */
export function newPerson(scene: Scene, name: string): PersonInScene {
  const user = scene.sim.addUser({ name, locale: 'en_us' });
  const openId = scene.sim.openId(user, scene.app.appId);
  return {
    user,
    openId,
    ask: (body = {}) => scene.ask({ open_id: openId, ...body }),
    click: ({ messageId, sessionId }, action, more = {}) =>
      scene.click(messageId, action, sessionId, { user, ...more }),
  };
}

/** What she is told when a click could not be judged within the ack budget: she presses again. */
const TRY_AGAIN = /Not possible right now|处理不了/;
const PRESSES = 5;

/** Clicks Authorize and gives the link: the ack's card shows it or, on a busy machine, the one that follows. */
export async function authorize(scene: Scene, asked: Asked, person?: PersonInScene): Promise<string> {
  const { messageId, sessionId } = asked;
  for (let presses = 1, isJudged = false; !isJudged; presses += 1) {
    const by = person === undefined ? {} : { user: person.user };
    const click = await scene.click(messageId, 'authorize', sessionId, by);
    assert.equal(click.errorCode, undefined, click.reason);
    isJudged = presses >= PRESSES || !TRY_AGAIN.test(click.toastText ?? '');
  }
  await scene.shows(messageId, '"action":"agreed"');
  return linkOn(scene, messageId);
}

/** Asks, and waits until the daemon knows the message too. */
export async function askAndSettle(scene: Scene, body: object): Promise<Asked> {
  const asked = await scene.ask({ ...body });
  await scene.daemon.line('card.sent', (line) => line['session_id'] === asked.sessionId);
  return asked;
}

/** The link that a message offers now. */
export function linkOn(scene: Scene, messageId: string): string {
  const { content } = scene.sim.message(messageId) ?? {};
  const link = linkIn(scene.sim, content);
  assert.ok(link, `the card offers no link: ${JSON.stringify(content)}`);
  return link;
}

/** The English title of a card; empty when there is no card. */
export function titleOf(card: unknown): string {
  const { header } = (card ?? {}) as { header?: { title?: { i18n_content?: { en_us?: string } } } };
  return header?.title?.i18n_content?.en_us ?? '';
}

/** The English title that a message shows now. */
export const shown = (scene: Scene, { messageId }: Pick<Asked, 'messageId'>): string =>
  titleOf(scene.sim.message(messageId)?.content);

export const patchesOf = ({ sim }: Scene, messageId: string) =>
  sim.calls.filter((call) => call.api === 'message.patch' && call.messageId === messageId);

/** Every title a message has shown, in order. */
export const titlesOf = (message: Message | undefined): string[] =>
  (message?.history ?? []).map(({ content }) => titleOf(content));

/** The session when it has ended; fails when it has not within the time. */
export async function ended(scene: Scene, sessionId: string, seconds = 20): Promise<SessionJson> {
  const answer = await scene.daemon.call('GET', `/v1/sessions/${sessionId}?wait_seconds=${seconds}`);
  assert.notEqual(answer.body.ended_at, null, `the session has not ended: ${answer.text}`);
  return answer.body;
}

/**
 * No token is kept, sealed or not: no key for one, nothing in Redis that is long enough to hold one, nothing in the
 * state folder, and none of them in the clear. The API knows of no grant of these people.
 */
export async function assertNoToken(scene: Scene, openIds: readonly string[]): Promise<void> {
  const { daemon, redis, sim } = scene;
  const keys = await redis.client.keys('*');
  assert.deepEqual(
    keys.filter((key) => /:tokens$|:grant:/.test(key)),
    [],
  );
  const dump = (await redis.dump()).toString('latin1');
  const spooled = await readdir(join(daemon.stateDir, 'spool')).catch(() => []);
  assert.deepEqual(spooled, []);
  const secrets = sim.secrets(['access_token', 'refresh_token']);
  assert.ok(secrets.length > 0, 'Feishu gave a token at all');
  for (const secret of secrets) {
    assert.ok(!dump.includes(secret), 'a token is in Redis in the clear');
    assert.ok(!daemon.output().includes(secret), 'a token is in the log');
  }
  for (const key of keys) {
    assert.ok((await longestValue(scene, key)) < 1_300, `${key} holds a value that is as long as a token`);
  }
  for (const openId of openIds) {
    const status = await daemon.call('GET', `/v1/users/${openId}`);
    assert.equal(status.body.status, 'none', status.text);
    const token = await daemon.call('GET', `/v1/users/${openId}/token`);
    assert.equal(token.status, 404, token.text);
  }
}

/** Bytes of the longest value under a key. Streams and sorted sets hold ids only. */
async function longestValue(scene: Scene, key: string): Promise<number> {
  const { client } = scene.redis;
  const longest = (values: readonly string[]): number =>
    Math.max(0, ...values.map((value) => Buffer.byteLength(value, 'latin1')));
  switch (await client.type(key)) {
    case 'string':
      return (await client.getBuffer(key))?.length ?? 0;
    case 'hash':
      return longest(Object.values(await client.hgetall(key)));
    case 'list':
      return longest(await client.lrange(key, 0, -1));
    default:
      return 0;
  }
}

/** Ids of the jobs of a queue that exist, whatever state they are in. Only for queues whose jobs have ids of ours. */
export async function jobsOf(scene: Scene, queue: 'card-action' | 'device-poll' | 'session-expiry'): Promise<string[]> {
  const prefix = `authd:{q}:${queue}:`;
  const keys = await scene.redis.client.keys(`${prefix}*`);
  return keys.map((key) => key.slice(prefix.length)).filter((name) => /^(link|poll|expire)-[^:]+$/.test(name));
}

/** Looks again and again at what has no event of its own (Redis, the API) until it holds. */
export async function eventually<T>(look: () => Promise<T | undefined | null | false>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
