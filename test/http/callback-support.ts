/** A running callback server over a scripted `receiveRedirect`, with the words of the real cards. */
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { pageWords } from '../../src/app/callback-parts.js';
import type { LocalizedText } from '../../src/config/config.js';
import type { RedirectNames, RedirectOutcome, RedirectQuery } from '../../src/domain/redirect.js';
import type { FailureDetail } from '../../src/domain/session.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { type CallbackDeps, type CallbackLimits, DEFAULT_CALLBACK_LIMITS } from '../../src/http/callback/ports.js';
import { buildCallbackServer } from '../../src/http/callback/server.js';
import { type CapturedLog, captureLog } from '../support/captured-log.js';
import { newMetrics } from '../support/metrics.js';

export const NAMES: RedirectNames = {
  client: { zh_cn: '周报助手', en_us: 'Weekly Reports' },
  app: '企业授权中心',
};

export const DETAIL: FailureDetail = {
  feishu_code: 20009,
  log_id: '20261122101709A1B2C3D4E5F60718293A',
  remedy: 'publish a version (版本管理与发布, Version Management & Release) and have it approved',
  for: 'operator',
};

/** One outcome of each kind, `failed`, `try_again` and `refused` with all that may stand on their pages. */
export const OUTCOMES = {
  completed: { kind: 'completed', names: NAMES },
  missing_scopes: {
    kind: 'missing_scopes',
    names: NAMES,
    missing: ['drive:drive', 'docx:document:readonly', 'some:very:long:scope:name:that:nobody:has:words:for:readonly'],
  },
  wrong_account: { kind: 'wrong_account', names: NAMES, triesLeft: 2 },
  failed: { kind: 'failed', names: NAMES, reason: 'app_misconfigured', detail: DETAIL },
  try_again: {
    kind: 'try_again',
    names: NAMES,
    detail: { feishu_code: 20004, log_id: 'LOG20004', remedy: 'Open the link on the card once more.', for: 'user' },
  },
  refused: { kind: 'refused', names: NAMES, detail: { ...DETAIL, feishu_code: 20027 } },
  declined: { kind: 'declined', names: NAMES },
  expired: { kind: 'expired', names: NAMES },
  superseded: { kind: 'superseded', names: NAMES },
  invalidated: { kind: 'invalidated', names: NAMES },
  working: { kind: 'working', names: NAMES },
  used: { kind: 'used', names: NAMES },
  invalid: { kind: 'invalid' },
  incomplete: { kind: 'incomplete' },
  unavailable: { kind: 'unavailable' },
} satisfies { readonly [K in RedirectOutcome['kind']]: RedirectOutcome & { readonly kind: K } };

export type Kind = keyof typeof OUTCOMES;
export const KINDS = Object.keys(OUTCOMES) as Kind[];

/** Secrets of the redirects in these tests: nothing the server shows may hold them. */
export const CODE = 'q3vN7cXk2bLw9TzR5mYp8aSd4fGh6jKe1uIo0-xCvBnMqWeRtYuIoPaS_dFgHjK';
export const STATE = 'eyJhcHBfaWQiOiJjbGlfYWFhYSIsIm5vbmNlIjoiN2QzZiJ9.c2lnbmF0dXJlLW9mLXRoZS1zdGF0ZQ';
export const GOOD = `/callback?code=${CODE}&state=${STATE}`;

export interface CallbackServer {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly log: CapturedLog;
  /** What reached the flow. */
  readonly received: RedirectQuery[];
  /** What the flow says to the next redirects. */
  answer: (query: RedirectQuery) => Promise<RedirectOutcome> | RedirectOutcome;
  metrics(): Promise<string>;
  get(path: string, options?: RequestInit): Promise<Page>;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

export interface CallbackOptions extends Partial<Omit<CallbackDeps, 'limits'>> {
  readonly limits?: Partial<CallbackLimits>;
}

const CARDS = fileURLToPath(new URL('../../cards', import.meta.url));

/** Started on a free port of 127.0.0.1; whoever calls it closes `app`. */
export async function newCallbackServer(options: CallbackOptions = {}): Promise<CallbackServer> {
  const log = captureLog();
  const metrics = newMetrics();
  const received: RedirectQuery[] = [];
  const { limits, ...rest } = options;
  const app = await buildCallbackServer({
    receiveRedirect: async (query) => {
      received.push(query);
      return await server.answer(query);
    },
    redirectPaths: ['/callback'],
    sessionOf: () => null,
    trustedProxies: [],
    tls: null,
    words: pageWords(await loadCards(CARDS)),
    metrics: metrics.counts,
    logger: log.logger,
    limits: { ...DEFAULT_CALLBACK_LIMITS, ...limits },
    ...rest,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const server: CallbackServer = {
    url,
    port: Number(new URL(url).port),
    app,
    log,
    received,
    answer: () => OUTCOMES.completed,
    metrics: () => metrics.text(),
    async get(path, init = {}) {
      const response = await fetch(url + path, init);
      return { status: response.status, headers: response.headers, html: await response.text() };
    },
  };
  return server;
}

/** Both languages of a text from outside. */
export const both = (text: string): LocalizedText => ({ zh_cn: text, en_us: text });
