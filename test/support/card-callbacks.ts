/**
 * A process that takes callbacks by HTTP, as far as that concerns it: the route on a server of its own, what verifies,
 * and the memory in a real Redis. What becomes of clicks and events is the test's to say.
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, type Socket } from 'node:net';
import Fastify from 'fastify';
import { buildCardCallbacks } from '../../src/app/card-callback-parts.js';
import type { Ack, CardAction, UserEvent } from '../../src/domain/card-action.js';
import { parseCallback } from '../../src/feishu/callback.js';
import type { ClickLink } from '../../src/flow/click.js';
import { createHints } from '../../src/flow/hints.js';
import { createReceive } from '../../src/flow/receive.js';
import { storeKeys } from '../../src/store/keys.js';
import { createRedis } from '../../src/store/redis.js';
import { createFloodGate } from '../../src/telemetry/flood-gate.js';
import { type WebhookChange, webhookRequest } from '../simulator/webhook/webhook-request.js';
import { type CapturedLog, captureLog } from './captured-log.js';
import { appConfig } from './feishu-app.js';

export const APP = 'cli_00000000000000a1';
export const OTHER_APP = 'cli_00000000000000a2';
export const SOCKET_APP = 'cli_00000000000000a3';
export const KEY = 'encrypt-key-of-the-app';
export const OTHER_KEY = 'encrypt-key-of-the-other-app';
export const TOKEN = 'verification-token-of-the-app';

export const header = (type: string): Record<string, string> => ({
  event_id: randomUUID(),
  event_type: type,
  create_time: `${Date.now()}000`,
  token: TOKEN,
  app_id: APP,
  tenant_key: 'tenant',
});

export const clickEnvelope = (value: unknown = { action: 'authorize', session_id: 'session-1' }) => ({
  schema: '2.0',
  header: header('card.action.trigger'),
  event: {
    operator: { open_id: 'ou_1' },
    token: 'c-token-of-the-card',
    action: { value, tag: 'button' },
    host: 'im_message',
    context: { open_message_id: 'om_1', open_chat_id: 'oc_1' },
  },
});

export interface SignedCallback {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface CallbackChange extends WebhookChange {
  /** What encrypts and signs. */
  readonly encryptKey?: string;
}

/** An envelope as Feishu posts it to the app, or with something wrong about it. */
export function signed(envelope: unknown, change: CallbackChange = {}): SignedCallback {
  const to = { url: '', encryptKey: change.encryptKey ?? KEY };
  return webhookRequest(to, JSON.stringify(envelope), Date.now(), change);
}

export const click = (change?: CallbackChange): SignedCallback => signed(clickEnvelope(), change);

export const secondsFromNow = (seconds: number): string => String(Math.floor(Date.now() / 1000) + seconds);

export interface CallbackAnswered {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

export interface CardCallbackProcess {
  readonly log: CapturedLog;
  readonly clicks: CardAction[];
  readonly events: UserEvent[];
  readonly counted: { readonly type: string | null; readonly result: string }[];
  /** Posts it to the address of the app. */
  post(call: SignedCallback, appId?: string): Promise<CallbackAnswered>;
  socket(): Socket;
  close(): Promise<void>;
}

export interface CardCallbackOptions {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly click?: (action: CardAction, link: ClickLink) => Promise<Ack>;
  readonly event?: () => Promise<void>;
}

export async function newCardCallbackProcess(options: CardCallbackOptions): Promise<CardCallbackProcess> {
  const log = captureLog();
  const { logger } = log;
  const redis = createRedis('store', { url: options.redisUrl, onError: () => undefined, onState: () => undefined });
  const clicks: CardAction[] = [];
  const events: UserEvent[] = [];
  const counted: { type: string | null; result: string }[] = [];
  const metrics = {
    eventReceived: ({ result, type }: { type: string | null; result: string }) => void counted.push({ type, result }),
  };
  const hints = createHints(logger);
  const recorded = async (_appId: string, event: UserEvent): Promise<void> => {
    await options.event?.();
    events.push(event);
  };
  const receive = createReceive({
    parse: parseCallback,
    clicks: {
      async answer(action, link) {
        clicks.push(action);
        return (await options.click?.(action, link)) ?? {};
      },
      malformed: () => ({ toast: { type: 'error' } }),
      settled: () => hints.settled(),
    },
    withdrawals: { reported: recorded, left: recorded },
    metrics,
    logger,
  });
  const byHttp = (appId: string, encryptKey: string, verificationToken: string | null) => ({
    ...appConfig('http://127.0.0.1:9', { appId, appSecret: 'not-used-here' }),
    cardCallback: 'http' as const,
    encryptKey,
    verificationToken,
  });
  const callbacks = buildCardCallbacks({
    config: {
      roles: ['api'],
      apps: [
        byHttp(APP, KEY, TOKEN),
        byHttp(OTHER_APP, OTHER_KEY, null),
        appConfig('http://127.0.0.1:9', { appId: SOCKET_APP, appSecret: 'not-used-here' }),
      ],
    },
    store: { redis, keys: storeKeys(options.keyPrefix) },
    requireRedis: async () => undefined,
    receive,
    hints,
    metrics,
    gate: createFloodGate({ logger, clock: () => performance.now(), everyMs: 60_000 }),
    now: () => Date.now(),
    logger,
  });
  await redis.connect();
  const app = Fastify();
  callbacks.routes(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  return {
    log,
    clicks,
    events,
    counted,
    async post({ body, headers }, appId = APP) {
      const url = `http://127.0.0.1:${port}/callback/cards/${appId}`;
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' });
      return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
    },
    socket: () => connect(port, '127.0.0.1'),
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await hints.settled();
      redis.disconnect();
    },
  };
}
