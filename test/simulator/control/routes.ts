/**
 * The control API: what the chat page, the consent page and tests in other processes use. Not part of Feishu.
 */
import type { App, Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { Fault } from '../fault-kinds.js';
import { GARBAGE, type GarbageKind } from '../gateway/garbage.js';
import { asObject, type Exchange, fields, jsonBody, ok, type Reply, text } from '../http/exchange.js';
import type { Route } from '../http/listener.js';
import type { ConsentOutcome } from '../oauth/consent.js';
import type { DeviceCodes } from '../oauth/device-codes.js';
import type { Simulator } from '../simulator.js';
import { streamEvents } from './sse.js';
import { deviceView, messageState, stateView } from './state.js';
import { pageFile, plainConsentPage } from './static-files.js';

export interface ControlDeps {
  simulator: Simulator;
  directory: Directory;
  codes: DeviceCodes;
  events: EventStream;
}

const CONSENT_STATUS: Readonly<Record<ConsentOutcome, number>> = {
  ok: 200,
  unknown_code: 404,
  expired: 410,
  settled: 409,
  not_available: 403,
};

const bad = (error: string, status = 400): Reply => ({ status, body: { ok: false, error } });

export function controlRoutes(deps: ControlDeps): Route[] {
  const { simulator } = deps;
  const get = (path: string, serve: (exchange: Exchange) => Reply | Promise<Reply>): Route => ({
    method: 'GET',
    path,
    serve,
  });
  const post = (path: string, serve: (exchange: Exchange) => Reply | Promise<Reply>): Route => ({
    method: 'POST',
    path,
    serve: async (exchange) => {
      try {
        return await serve(exchange);
      } catch (error) {
        return bad(error instanceof Error ? error.message : String(error));
      }
    },
  });
  return [
    get('/sim/state', () =>
      ok(stateView({ directory: deps.directory, chats: simulator.chats, connections: () => simulator.connections() })),
    ),
    {
      method: 'GET',
      path: '/sim/events',
      serve: (_, { response }) => {
        streamEvents(deps.events, response);
        return 'handled';
      },
    },
    get('/sim/calls', () => ok({ calls: simulator.calls, over_limit: simulator.overLimit })),
    get('/sim/messages/:message_id', (exchange) => messageHistory(deps, exchange)),
    get('/sim/device', (exchange) => device(deps, exchange)),
    post('/sim/apps', (exchange) => ok(appView(simulator.addApp(jsonBody(exchange) ?? {})))),
    post('/sim/users', (exchange) => ok(simulator.addUser(jsonBody(exchange) ?? {}))),
    post('/sim/click', (exchange) => click(deps, exchange)),
    post('/sim/connections', (exchange) => actOnConnections(deps, exchange)),
    post('/sim/events/push', (exchange) => pushEvent(deps, exchange)),
    post('/sim/revoke', (exchange) => revoke(deps, exchange)),
    post('/sim/leave', (exchange) => leave(deps, exchange)),
    post('/sim/consent', (exchange) => consent(deps, exchange)),
    post('/sim/deny', (exchange) => {
      const outcome = simulator.deny({ userCode: text(fields(exchange), 'user_code') ?? '' });
      return { status: CONSENT_STATUS[outcome], body: { ok: outcome === 'ok', outcome } };
    }),
    get('/sim/faults', () =>
      ok({ faults: simulator.faults.list().map((entry) => ({ id: entry.id, fired: entry.fired, ...entry.fault })) }),
    ),
    post('/sim/faults', (exchange) => setFaults(deps, exchange)),
    get('/client/web_url/open', (exchange) => {
      const target = exchange.query.get('url') ?? '';
      return { status: 302, headers: { location: target }, body: '' };
    }),
    get(
      '/oauth/v1/device/verify',
      async (exchange) => (await pageFile('consent.html')) ?? plainConsentPage(exchange.query.get('user_code') ?? ''),
    ),
    get('/', async () => (await pageFile('index.html')) ?? { status: 200, body: 'Feishu simulator' }),
    get(
      '/*',
      async (exchange) => (await pageFile(exchange.params['*'] ?? '')) ?? { status: 404, body: '404 page not found' },
    ),
  ];
}

const appView = (app: App): Record<string, unknown> => ({
  app_id: app.appId,
  app_secret: app.appSecret,
  name: app.name,
});

function messageHistory(deps: ControlDeps, exchange: Exchange): Reply {
  const message = deps.simulator.message(exchange.params['message_id'] ?? '');
  return message ? ok({ ...messageState(message), history: message.history }) : bad('no such message', 404);
}

function device(deps: ControlDeps, exchange: Exchange): Reply {
  const code = deps.codes.byUserCode(exchange.query.get('user_code') ?? '');
  return code ? ok(deviceView(code, deps.codes, deps.directory)) : bad('no such code', 404);
}

async function click(deps: ControlDeps, exchange: Exchange): Promise<Reply> {
  const body = jsonBody(exchange);
  const [messageId, userId, locale] = [text(body, 'message_id'), text(body, 'user_id'), text(body, 'locale')];
  if (messageId === undefined || userId === undefined) return bad('message_id and user_id are required');
  const result = await deps.simulator.click({
    messageId,
    userId,
    value: body?.['value'],
    ...(locale === undefined ? {} : { locale }),
  });
  return ok({
    ok: result.errorCode === undefined,
    ...(result.toast ? { toast: { type: result.toast.type ?? 'info', content: result.toastText ?? '' } } : {}),
    ...(result.card ? { card: result.card } : {}),
    ...(result.errorCode === undefined ? {} : { error_code: result.errorCode, reason: result.reason }),
    took_ms: Math.round(result.tookMs),
    event_id: result.eventId,
  });
}

/** `{"app_id", "do": "close" | "terminate" | "blackhole" | "deafen" | "garbage", "code"?, "kind"?}` on all of an app. */
function actOnConnections(deps: ControlDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const connections = deps.simulator.sockets(text(body, 'app_id'));
  const kind = text(body, 'kind') ?? 'random_bytes';
  if (!(kind in GARBAGE)) return bad('unknown kind of garbage');
  for (const connection of connections) {
    const action = text(body, 'do');
    if (action === 'close') connection.close(Number(body?.['code'] ?? 1000));
    else if (action === 'terminate') connection.terminate();
    else if (action === 'blackhole') connection.blackhole();
    else if (action === 'deafen') connection.deafen();
    else if (action === 'garbage') connection.sendGarbage(kind as GarbageKind);
    else return bad('do must be close, terminate, blackhole, deafen or garbage');
  }
  return ok({ ok: true, connections: connections.length });
}

/** Waits for nothing: redeliveries may take hours. */
function pushEvent(deps: ControlDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const [appId, type, event] = [text(body, 'app_id'), text(body, 'event_type'), asObject(body?.['event'])];
  if (appId === undefined || type === undefined || !event) return bad('app_id, event_type and event are required');
  const { eventId } = deps.simulator.pushEvent(appId, deps.simulator.envelope(appId, type, event));
  return ok({ ok: true, event_id: eventId });
}

/** A person, or an administrator, takes back what she has granted an app. */
function revoke(deps: ControlDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const [appId, userId, reason] = [text(body, 'app_id'), text(body, 'user_id'), text(body, 'reason')];
  if (appId === undefined || userId === undefined) return bad('app_id and user_id are required');
  const { eventId } = deps.simulator.revokeGrant(appId, { userId, ...(reason === undefined ? {} : { reason }) });
  return ok({ ok: true, event_id: eventId });
}

function leave(deps: ControlDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const [appId, userId] = [text(body, 'app_id'), text(body, 'user_id')];
  if (appId === undefined || userId === undefined) return bad('app_id and user_id are required');
  const { eventId } = deps.simulator.leave(appId, { userId });
  return ok({ ok: true, event_id: eventId });
}

function consent(deps: ControlDeps, exchange: Exchange): Reply {
  const body = fields(exchange);
  const userId = text(body, 'user_id');
  const scopes = Array.isArray(body?.['scopes']) ? body['scopes'].map(String) : undefined;
  if (userId === undefined) return bad('user_id is required');
  const outcome = deps.simulator.consent({
    userCode: text(body, 'user_code') ?? '',
    userId,
    ...(scopes === undefined ? {} : { scopes }),
  });
  return { status: CONSENT_STATUS[outcome], body: { ok: outcome === 'ok', outcome } };
}

/** `{"set": fault}` answers its id; `{"clear": id | "all"}` and `{"release": id}` end or let go. */
function setFaults(deps: ControlDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const { faults } = deps.simulator;
  const fault = asObject(body?.['set']);
  if (fault) return ok({ ok: true, id: faults.add(fault as unknown as Fault).id });
  const [clear, release] = [text(body, 'clear'), text(body, 'release')];
  if (clear === 'all') faults.clear();
  else if (clear !== undefined) faults.find(clear)?.clear();
  else if (release !== undefined) faults.find(release)?.release();
  else return bad('set, clear or release is required');
  return ok({ ok: true });
}
