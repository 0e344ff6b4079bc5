/** Clicks of many people, and what every one of them must be answered with (CONTRACT §4.3). */
import assert from 'node:assert/strict';
import type { ClickResult } from '../simulator/chat/clicks.js';
import type { Member } from './crowd.js';
import type { Scene } from './scene.js';

/** Feishu's own limit is 3 s: beyond it the simulator reports 200341. */
export function assertAcked(click: ClickResult): void {
  const what = JSON.stringify({ ...click, card: undefined, ackBody: undefined });
  assert.equal(click.errorCode, undefined, what);
  assert.equal(click.ackCode, 200, what);
  assert.ok(typeof click.ackBody === 'object' && click.ackBody !== null && !Array.isArray(click.ackBody), what);
}

/**
 * The message shows this after a click: the ack's card has it or, on a busy machine, where the ack may be only a toast
 * that says it is coming, an update does. A card in the ack is never another one.
 */
export async function assertShows(
  scene: Pick<Scene, 'shows'>,
  messageId: string,
  click: ClickResult,
  text: string,
): Promise<void> {
  assert.equal(click.errorCode, undefined, click.reason);
  if (click.card !== undefined) assert.ok(textOf(click.card).includes(text), `${textOf(click.card)} without ${text}`);
  await scene.shows(messageId, text);
}

/** The card with the link; nothing else unless the time for the ack was over: then a toast says that it is coming. */
export function assertLinkOrComing({ card, toastText }: ClickResult): void {
  if (card === undefined) assert.match(toastText ?? '', /Preparing the link|正在生成授权链接/);
  else assert.match(textOf(card), /"agreed"/);
}

/** Ours is 1 s, by the daemon's own clock: this process may be late in looking. */
export function assertQuick(scene: Scene): void {
  const clicks = scene.daemon.lines.filter(({ event }) => event === 'card.clicked');
  assert.ok(clicks.length > 0);
  for (const line of clicks) assert.ok(Number(line['took_ms']) < 2_000, JSON.stringify(line));
}

/** The daemon's budget for an ack is 700 ms; then it answers with a toast, and the card follows. */
const IN_TIME_MS = 690;

/**
 * An authorize click of the scene's daemon was answered with the link or, when the daemon's own clock says that its time
 * was over, with a toast. False: with the toast; the card has to follow.
 */
export async function hasLink({ daemon }: Scene, click: ClickResult): Promise<boolean> {
  const line = await daemon.line('card.clicked', (seen) => seen['event_id'] === click.eventId);
  if (Number(line['took_ms']) >= IN_TIME_MS && click.card === undefined) {
    assert.notEqual(click.toastText ?? '', '', textOf(click.ackBody));
    return false;
  }
  assert.match(textOf(click.card), /"agreed"/, JSON.stringify(line));
  return true;
}

export const textOf = (value: unknown): string => JSON.stringify(value ?? null);

export const clickOf = (
  scene: Scene,
  { messageId, sessionId, user }: Member,
  action: string,
  more: object = {},
): Promise<ClickResult> => scene.click(messageId, action, sessionId, { user, ...more });
