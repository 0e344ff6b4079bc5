/**
 * One user from card to token without a person: asks by the API, then does in the simulated Feishu what the user
 * would (click, follow the button's link, agree), and reads the token. Prints each step with the time since start.
 */
import { buttonsOf, type CardButton } from './card-buttons.js';
import { REASON, SCOPES } from './scene.js';
import type { Demo } from './start.js';
import { waitFor } from './wait.js';

const USER = 'lilei';
const CARD_MS = 15_000;
const CONSENT_MS = 60_000;
const ENDED_WAIT_SECONDS = 50;

interface ShownMessage {
  message_id: string;
  kind: string;
  content: Record<string, unknown>;
  updated_at: number;
}

export interface AutoOptions {
  readonly signal: AbortSignal;
  step(text: string): void;
}

export async function authorizeOne(demo: Demo, { signal, step }: AutoOptions): Promise<void> {
  const openId = demo.openIds[USER] ?? '';
  const scopes = SCOPES.filter((scope) => scope.preselected).map((scope) => scope.name);

  const asked = await demo.daemon.ask({ openId, scopes, reason: REASON });
  if (asked.status !== 201) throw refused('POST /v1/sessions', asked);
  const sessionId = String(asked.body['session_id']);
  step(`asked: session ${sessionId} is ${asked.body['state']} for ${USER} (${scopes.join(', ')})`);

  const request = await cardIn(demo, signal, 'the card', (card) => button(card, 'authorize') !== undefined);
  step(`card sent: "${titleOf(request.content)}", message ${request.message_id}`);

  const click = await post(demo, '/sim/click', {
    message_id: request.message_id,
    user_id: USER,
    value: button(request.content, 'authorize')?.value,
  });
  if (click['ok'] !== true) throw new Error(`The client shows error ${click['error_code']}: ${click['reason']}`);
  step(`clicked Authorize: answered after ${click['took_ms']} ms ${click['card'] ? 'with the card' : 'with a toast'}`);

  const withLink = await cardIn(demo, signal, 'the link', (card) => button(card, 'agreed') !== undefined);
  await agree(demo, withLink, step);

  const ended = await demo.daemon.session(sessionId, ENDED_WAIT_SECONDS);
  if (ended.body['state'] !== 'completed') throw refused(`session is ${ended.body['state']}`, ended);
  step(`session completed: granted ${String(ended.body['granted_scopes'])}`);

  const done = await cardIn(demo, signal, 'the authorized card', (card) => button(card, 'revoke') !== undefined);
  step(`card turned to "${titleOf(done.content)}" by itself`);

  const token = await demo.daemon.token(openId);
  if (token.status !== 200) throw refused('GET token', token);
  const length = String(token.body['access_token']).length;
  step(`token read by the service: ${length} characters, expires in ${token.body['expires_in']} s`);
}

/** Does on the page of the card's link what the user would, by whichever grant. */
async function agree(demo: Demo, { content }: ShownMessage, step: AutoOptions['step']): Promise<void> {
  const page = await openPage(openUrl(content) ?? '');
  const userCode = page.searchParams.get('user_code');
  step(`card shows the link: "${titleOf(content)}"${userCode === null ? '' : `, code ${userCode}`}`);
  if (userCode !== null) {
    const consent = await post(demo, '/sim/consent', { user_code: userCode, user_id: USER });
    if (consent['ok'] !== true) throw new Error(`The consent page refused: ${consent['outcome']}`);
    return step('agreed on the simulated Feishu page');
  }
  const consent = await post(demo, '/sim/authorize', { url: page.href, user_id: USER });
  if (consent['ok'] !== true) throw new Error(`The authorize page refused: ${consent['error_code']}`);
  step('agreed on the simulated Feishu page');
  const back = await fetch(String(consent['redirect_to']), { signal: AbortSignal.timeout(CONSENT_MS) });
  const title = /<title>([^<]*)<\/title>/.exec(await back.text())?.[1] ?? '';
  step(`her browser came back to the callback server: ${back.status} "${title}"`);
}

/** The user's card once it is as wanted. */
function cardIn(
  demo: Demo,
  signal: AbortSignal,
  what: string,
  wanted: (card: Record<string, unknown>) => boolean,
): Promise<ShownMessage> {
  const look = async (): Promise<ShownMessage | undefined> => {
    const state = await get(demo, '/sim/state');
    const chats = state['chats'] as { kind: string; members: string[]; messages: ShownMessage[] }[];
    const own = chats.find((chat) => chat.kind === 'p2p' && chat.members.includes(USER));
    const message = own?.messages.findLast((candidate) => candidate.kind === 'card');
    return message && wanted(message.content) ? message : undefined;
  };
  return waitFor(look, { what, timeoutMs: what === 'the authorized card' ? CONSENT_MS : CARD_MS, signal });
}

const button = (card: Record<string, unknown>, action: string): CardButton | undefined =>
  buttonsOf(card).find((candidate) => candidate.action === action);

const openUrl = (card: Record<string, unknown>): string | undefined =>
  buttonsOf(card).find((candidate) => candidate.url !== undefined)?.url;

/** Follows the button's link as the client does; gives the address of the page. */
async function openPage(url: string): Promise<URL> {
  const page = await fetch(url, { signal: AbortSignal.timeout(CARD_MS) });
  if (!page.ok) throw new Error(`The authorization page answered ${page.status}.`);
  return new URL(page.url);
}

function titleOf(card: Record<string, unknown>): string {
  const title = (card['header'] as { title?: { content?: string } } | undefined)?.title;
  return title?.content ?? '';
}

const get = (demo: Demo, path: string): Promise<Record<string, unknown>> => call(demo, path, {});

const post = (demo: Demo, path: string, body: unknown): Promise<Record<string, unknown>> =>
  call(demo, path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function call(demo: Demo, path: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(`${demo.url}${path}`, { ...init, signal: AbortSignal.timeout(CARD_MS) });
  return (await response.json()) as Record<string, unknown>;
}

function refused(what: string, answer: { status: number; body: Record<string, unknown> }): Error {
  return new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
}
