/**
 * What happens to every API call around its own rules: latency, faults before and after, the per-app limits, the log id
 * and the ledger. Source: FEISHU.md §7 and the fault list at its end.
 */
import type { Call, CallLedger } from '../call-ledger.js';
import type { EventStream } from '../event-stream.js';
import type { ApiFault } from '../fault-kinds.js';
import type { Faults, Firing, Subject } from '../faults.js';
import type { ApiName, Settings } from '../options.js';
import type { RateLimits } from '../rate-limits.js';
import { hex } from '../secret-book.js';
import type { Timers } from '../timers.js';
import { applyFault, rewriteBody } from './api-faults.js';
import { asObject, type Exchange, type Reply } from './exchange.js';
import type { Outcome, Route } from './listener.js';
import { rateLimited } from './refusals.js';

export interface ApiRoute {
  api: ApiName;
  method: string;
  path: string;
  /** false: Feishu names no limit for it. Default true. */
  limited?: boolean;
  /** What the call is about; also what faults and limits are keyed by. */
  subject?(exchange: Exchange): Subject;
  handle(exchange: Exchange, call: Call): Reply | Promise<Reply>;
  /** How this API words an error of Feishu's; default `openApiError`. */
  fail?(code: number, msg?: string): Reply;
}

export interface ApiDeps {
  settings: Settings;
  faults: Faults;
  limits: RateLimits;
  ledger: CallLedger;
  events: EventStream;
  timers: Timers;
}

export function apiRoute(route: ApiRoute, deps: ApiDeps): Route {
  return {
    method: route.method,
    path: route.path,
    serve: async (exchange, { response }) => {
      const subject = route.subject?.(exchange) ?? {};
      const call = deps.ledger.add({
        api: route.api,
        at: deps.settings.now(),
        logId: `${Date.now()}${hex(9).toUpperCase()}`,
        ...pickSubject(subject),
      });
      response.once('close', () => {
        if (call.endedAt === undefined) call.abandoned = true;
      });
      deps.events.emit('call.arrived', { ...call });
      const outcome = await answer(route, exchange, subject, call, deps);
      return finish(call, outcome, deps);
    },
  };
}

async function answer(
  route: ApiRoute,
  exchange: Exchange,
  subject: Subject,
  call: Call,
  deps: ApiDeps,
): Promise<Outcome> {
  const before = deps.faults.takeApi(route.api, 'before', subject);
  await deps.timers.sleep((deps.settings.latencyMs[route.api] ?? 0) + before.delayMs);
  const carryOut = async (): Promise<Reply> =>
    limitOf(route, subject, call, deps) ?? (await route.handle(exchange, call));
  if (before.firing) {
    noteFault(before.firing, call, deps);
    const early = await applyFault(before.firing, route, deps, carryOut);
    if (early !== undefined) return early;
  }
  const reply = await carryOut();
  const after = deps.faults.takeApi(route.api, 'after', { ...subject, ...pickSubject(call) });
  await deps.timers.sleep(after.delayMs);
  if (!after.firing) return reply;
  noteFault(after.firing, call, deps);
  if (after.firing.fault.kind === 'rewrite') return { ...reply, body: rewriteBody(reply.body, after.firing.fault) };
  return (await applyFault(after.firing, route, deps, undefined)) ?? reply;
}

function noteFault({ fault }: Firing<ApiFault>, call: Call, deps: ApiDeps): void {
  call.fault = fault.kind;
  if (fault.kind !== 'hang' && fault.kind !== 'hold') return;
  // On the next turn: by then the call really waits, and a release finds it.
  setImmediate(() => deps.events.emit('call.held', { ...call }));
}

function limitOf(route: ApiRoute, subject: Subject, call: Call, deps: ApiDeps): Reply | undefined {
  if (route.limited === false || subject.appId === undefined) return undefined;
  const { limits } = deps.settings;
  const key = `${subject.appId}:${route.api}`;
  const second = deps.limits.perSecond(key, limits.appApiPerSecond, !limits.enforce);
  if (!second.admitted) {
    deps.ledger.markOverLimit(call, 'app_second');
    if (limits.enforce) return rateLimited(Math.ceil(second.waitMs / 1000), limits.appApiPerSecond);
  }
  const minute = deps.limits.perMinute(key, limits.appApiPerMinute, !limits.enforce);
  if (!minute.admitted) {
    deps.ledger.markOverLimit(call, 'app_minute');
    if (limits.enforce) return rateLimited(Math.ceil(minute.waitMs / 1000), limits.appApiPerMinute);
  }
  return undefined;
}

function finish(call: Call, outcome: Outcome, deps: ApiDeps): Outcome {
  if (outcome === 'hang') return outcome;
  call.endedAt = deps.settings.now();
  const reply = outcome === 'reset' ? undefined : outcome;
  call.status = reply?.status ?? 0;
  const body = asObject(reply?.body);
  if (typeof body?.['code'] === 'number') call.code = body['code'];
  if (typeof body?.['error'] === 'string') call.error = body['error'];
  deps.events.emit('call', { ...call });
  return reply === undefined ? 'reset' : { ...reply, headers: { 'x-tt-logid': call.logId, ...reply.headers } };
}

function pickSubject(subject: Subject | Call): Partial<Call> {
  const picked: Partial<Call> = {};
  if (subject.appId !== undefined) picked.appId = subject.appId;
  if (subject.openId !== undefined) picked.openId = subject.openId;
  if (subject.messageId !== undefined) picked.messageId = subject.messageId;
  if (subject.grant !== undefined) picked.grant = knownGrant(subject.grant);
  if (subject.generation !== undefined) picked.generation = subject.generation;
  return picked;
}

function knownGrant(grant: string): NonNullable<Call['grant']> {
  return grant === 'device_code' || grant === 'refresh_token' || grant === 'authorization_code' ? grant : 'unknown';
}
