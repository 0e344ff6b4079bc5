/**
 * Where Feishu sends the user's browser back to. GET judges what it brings; HEAD tells only whether there is something
 * to judge, so that link previews and scanners use up nothing. The query is read here and goes nowhere but into the
 * flow: no log line, metric, header or page holds any of it.
 */
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RedirectQuery } from '../../domain/redirect.js';
import type { CallLimit } from '../ports.js';
import { httpProblem } from '../problem.js';
import type { Outcomes } from './outcomes.js';
import type { Pages } from './pages/pages.js';
import type { CallbackDeps } from './ports.js';
import { readRedirectQuery } from './redirect-query.js';

export interface RedirectRouteDeps extends Pick<CallbackDeps, 'limits' | 'logger' | 'sessionOf'> {
  readonly outcomes: Outcomes;
  readonly pages: Pages;
}

/** What is left of a garbled forwarded address that a proxy has passed on. */
const MAX_ADDRESS = 64;

/** Needs @fastify/rate-limit, whose counters are bounded (least recently used addresses go first). */
export function addRedirectRoutes(app: FastifyInstance, paths: readonly string[], deps: RedirectRouteDeps): void {
  const { limits, logger, outcomes, pages } = deps;
  const sessionIn = (request: FastifyRequest): string | null => {
    const state = readRedirectQuery(request.raw.url ?? '')?.state ?? null;
    return state === null ? null : deps.sessionOf(state);
  };
  const ofAddress = counter(app, limits.requestsPerAddress);
  const ofSession = counter(app, limits.requestsPerSession, (request) => sessionIn(request) ?? addressOf(request));
  // Count what is about nobody only: whoever has a link of ours is not locked out by a neighbour behind one address.
  const refusals = {
    invalid: counter(app, limits.refusalsPerAddress),
    incomplete: counter(app, limits.refusalsPerAddress),
  };

  const get = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = readRedirectQuery(request.raw.url ?? '');
    const outcome = query === null || isEmpty(query) ? nobody(query) : await outcomes.of(query);
    if (outcome.kind !== 'invalid' && outcome.kind !== 'incomplete') return pages.outcome(request, reply, outcome);
    const refused = await refusals[outcome.kind](request);
    // Probes bring nothing, and are nothing to warn of.
    if (outcome.kind === 'invalid' && isFirst(refused)) warn(logger, request);
    return tooMany(refused) ? refuse(pages, request, reply, refused) : pages.outcome(request, reply, outcome);
  };

  const head = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = readRedirectQuery(request.raw.url ?? '');
    return reply.code(query === null || isEmpty(query) ? 400 : 200).send();
  };

  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const requests = await (sessionIn(request) === null ? ofAddress(request) : ofSession(request));
    return tooMany(requests) ? refuse(pages, request, reply, requests) : undefined;
  };

  for (const path of paths) {
    const url = routeOf(path);
    app.route({ method: 'GET', url, exposeHeadRoute: false, onRequest, handler: get });
    app.route({ method: 'HEAD', url, onRequest, handler: head });
  }
}

const isEmpty = ({ code, error, state }: RedirectQuery): boolean => code === null && error === null && state === null;
const nobody = (query: RedirectQuery | null) => ({ kind: query === null ? 'invalid' : 'incomplete' }) as const;

/** The router decodes paths before it compares them, and reads `:` as the start of a parameter. */
function routeOf(path: string): string {
  try {
    return decodeURI(path).replaceAll(':', '::');
  } catch {
    return path;
  }
}

type Counter = ReturnType<FastifyInstance['createRateLimit']>;
type Count = Awaited<ReturnType<Counter>>;

const counter = (app: FastifyInstance, { max, windowMs }: CallLimit, keyGenerator = addressOf) =>
  app.createRateLimit({ max, timeWindow: windowMs, keyGenerator });

// A caller that has hung up by now has no address any more.
const addressOf = (request: FastifyRequest): string => normalizeIP((request.ip ?? '0.0.0.0').slice(0, MAX_ADDRESS));

const tooMany = (count: Count): boolean => !count.isAllowed && count.isExceeded;

/** One line per address and window is enough to notice; a line per request would be the forger's to write. */
const isFirst = (count: Count): boolean => !count.isAllowed && count.remaining === count.max - 1;

function refuse(pages: Pages, request: FastifyRequest, reply: FastifyReply, count: Count): FastifyReply {
  const seconds = count.isAllowed ? 1 : Math.max(1, count.ttlInSeconds);
  return pages.answer(request, reply, httpProblem(429, 'Too many requests', { 'retry-after': String(seconds) }));
}

function warn(logger: RedirectRouteDeps['logger'], request: FastifyRequest): void {
  const route = request.routeOptions.url ?? 'other';
  const line = { event: 'callback.refused', route, remote_address: addressOf(request) };
  logger.warn(line, 'A redirect came in that is forged, damaged or signed with a key that is gone');
}
