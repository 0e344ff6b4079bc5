/**
 * The authorize page over HTTP: GET shows it (a call of Feishu's, with limits and faults), its form posts the decision
 * back and is answered 302, and POST /sim/authorize does all of it at once for tests in other processes.
 * Source: FEISHU.md §6.1.
 */
import type { Directory } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { type Exchange, fields, jsonBody, ok, type Reply, text } from '../http/exchange.js';
import type { Route } from '../http/listener.js';
import type { AuthorizePage } from '../oauth/authorize-page.js';
import { AUTHORIZE_PATH } from '../oauth/authorize-request.js';
import { problemPage, questionPage } from './authorize-html.js';

export interface AuthorizeRoutesDeps {
  directory: Directory;
  page: AuthorizePage;
  baseUrl: () => string;
}

export function authorizePageRoute(deps: AuthorizeRoutesDeps): ApiRoute {
  return {
    api: 'authorize',
    method: 'GET',
    path: AUTHORIZE_PATH,
    subject: (exchange) => {
      const appId = exchange.query.get('client_id');
      return appId === null ? {} : { appId };
    },
    fail: (errorCode, reason = 'refused') => problemPage({ errorCode, reason }),
    handle: (exchange) => {
      const request = deps.page.open(linkOf(deps, exchange));
      return 'errorCode' in request ? problemPage(request) : questionPage(request, deps.page.silentFor(request));
    },
  };
}

export function authorizeRoutes(deps: AuthorizeRoutesDeps): Route[] {
  return [
    { method: 'POST', path: AUTHORIZE_PATH, serve: (exchange) => submit(deps, exchange) },
    { method: 'POST', path: '/sim/authorize', serve: (exchange) => authorize(deps, exchange) },
  ];
}

/** The form: `user_id`, `decision`, `scopes` (those ticked, separated by spaces). */
function submit(deps: AuthorizeRoutesDeps, exchange: Exchange): Reply {
  const body = fields(exchange);
  const request = deps.page.open(linkOf(deps, exchange));
  if ('errorCode' in request) return problemPage(request);
  const user = deps.directory.users.get(text(body, 'user_id') ?? '');
  if (!user) return problemPage({ errorCode: 20008, reason: 'The user does not exist.', appName: request.app.name });
  const decision = text(body, 'decision') === 'deny' ? 'deny' : 'consent';
  const ticked = (text(body, 'scopes') ?? '').split(' ');
  const outcome = deps.page.answer(request, user, decision, ticked);
  if (outcome.redirectTo === undefined) return problemPage({ ...outcome, appName: request.app.name });
  return { status: 302, headers: { location: outcome.redirectTo, 'cache-control': 'no-store' }, body: '' };
}

/** `{"url", "user_id", "decision"?, "scopes"?}` → `{"ok", "redirect_to"}` or `{"ok", "error_code", "reason"}`. */
function authorize(deps: AuthorizeRoutesDeps, exchange: Exchange): Reply {
  const body = jsonBody(exchange);
  const [url, userId] = [text(body, 'url'), text(body, 'user_id')];
  if (url === undefined || userId === undefined) return bad('url and user_id are required');
  const scopes = Array.isArray(body?.['scopes']) ? body['scopes'].map(String) : undefined;
  try {
    const outcome = deps.page.authorize({
      url,
      userId,
      decision: text(body, 'decision') === 'deny' ? 'deny' : 'consent',
      ...(scopes === undefined ? {} : { scopes }),
    });
    if (outcome.redirectTo !== undefined) return ok({ ok: true, redirect_to: outcome.redirectTo });
    return { status: 400, body: { ok: false, error_code: outcome.errorCode, reason: outcome.reason } };
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
}

const bad = (error: string): Reply => ({ status: 400, body: { ok: false, error } });

const linkOf = (deps: AuthorizeRoutesDeps, exchange: Exchange): URL =>
  new URL(`${deps.baseUrl()}${AUTHORIZE_PATH}?${exchange.query.toString()}`);
