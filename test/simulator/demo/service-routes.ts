/**
 * The demo page's calls: a backend of the company that asks the daemon for consent and reads the token. It runs beside
 * the simulator and holds the API key; the browser sees neither key nor token, only the token's length and life.
 */
import { type Exchange, jsonBody, type Reply, text } from '../http/exchange.js';
import type { Route } from '../http/listener.js';
import type { DaemonAnswer, DaemonApi } from './daemon-api.js';
import type { DemoClient, DemoScope } from './scene.js';

export interface ServiceDeps {
  readonly daemon: DaemonApi;
  readonly client: DemoClient;
  readonly scopes: readonly DemoScope[];
  /** scope -> words, as cards/scopes.json has them. */
  readonly scopeWords: Readonly<Record<string, unknown>>;
  openIdOf(userId: string): string | undefined;
}

export function serviceRoutes(deps: ServiceDeps): Route[] {
  const { daemon } = deps;
  const route = (method: string, path: string, serve: (exchange: Exchange) => Promise<Reply> | Reply): Route => ({
    method,
    path,
    serve: async (exchange) => {
      try {
        return await serve(exchange);
      } catch (error) {
        return problem(502, `the daemon does not answer: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  });
  return [
    route('GET', '/demo/service', () => ({ status: 200, body: describeService(deps) })),
    route('POST', '/demo/ask', async (exchange) => {
      const body = jsonBody(exchange);
      const openId = deps.openIdOf(text(body, 'user_id') ?? '');
      const scopes = body?.['scopes'];
      if (openId === undefined || !Array.isArray(scopes)) return problem(400, 'user_id and scopes are required');
      const answer = await daemon.ask({ openId, scopes: scopes.map(String), reason: text(body, 'reason') ?? '' });
      return sessionReply(answer, openId);
    }),
    route('GET', '/demo/session', async (exchange) => {
      const answer = await daemon.session(exchange.query.get('session_id') ?? '');
      return sessionReply(answer, String(answer.body['open_id'] ?? ''));
    }),
    route('GET', '/demo/token', async (exchange) => {
      const { status, body } = await daemon.token(exchange.query.get('open_id') ?? '');
      if (status !== 200) return { status, body };
      return { status, body: { length: String(body['access_token']).length, expires_in: body['expires_in'] } };
    }),
  ];
}

function describeService(deps: ServiceDeps): Record<string, unknown> {
  return {
    client_id: deps.client.id,
    display_name: deps.client.displayName,
    scopes: deps.scopes.map((scope) => ({ ...scope, title: deps.scopeWords[scope.name] ?? { zh_cn: scope.name } })),
  };
}

/** Success as `{session, already_authorized, open_id}` whichever of the API's shapes it has; problems as they are. */
function sessionReply({ status, body }: DaemonAnswer, openId: string): Reply {
  if (status >= 400) return { status, body };
  const alreadyAuthorized = body['already_authorized'] === true;
  return {
    status,
    body: { session: alreadyAuthorized ? null : body, already_authorized: alreadyAuthorized, open_id: openId },
  };
}

const problem = (status: number, detail: string): Reply => ({ status, body: { detail } });
