/**
 * What a person does with an authorize link in her browser: she is logged in as somebody, agrees (to all or some
 * scopes) or refuses, and is sent back; or she sees an error page. Source: FEISHU.md §6.1.
 */
import type { Directory, Person, User } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { SecretBook } from '../secret-book.js';
import type { AuthorizationCodes } from './authorization-codes.js';
import {
  AUTHORIZE_PATH,
  type AuthorizeProblem,
  type AuthorizeRequest,
  readAuthorizeRequest,
  redirectWith,
} from './authorize-request.js';
import type { TokenBook } from './token-book.js';

export interface Authorization extends Person {
  /** The link; an applink around it is unwrapped, as the client does. */
  url: string;
  /** Default 'consent'. */
  decision?: 'consent' | 'deny';
  /** Ticks only these; default all that was asked. */
  scopes?: string[];
}

/** Where the browser would go next (nobody goes there), or the error page it shows. */
export type AuthorizeOutcome =
  | { redirectTo: string; errorCode?: undefined; reason?: undefined }
  | { redirectTo?: undefined; errorCode: number; reason: string };

export interface AuthorizePageDeps {
  directory: Directory;
  codes: AuthorizationCodes;
  tokens: TokenBook;
  secrets: SecretBook;
  events: EventStream;
}

const APPLINK_PATH = '/client/web_url/open';

export class AuthorizePage {
  readonly #deps: AuthorizePageDeps;

  constructor(deps: AuthorizePageDeps) {
    this.#deps = deps;
  }

  /** What the page shows for a link, before anybody has logged in. */
  open(url: URL): AuthorizeRequest | AuthorizeProblem {
    this.#deps.secrets.keepOnce('verification_link', url.href);
    return readAuthorizeRequest(url.searchParams, this.#deps.directory);
  }

  /** Opens a link and answers the page. Throws only when the link leads somewhere else: a mistake in the test. */
  authorize(authorization: Authorization): AuthorizeOutcome {
    const request = this.open(unwrapped(authorization.url));
    if ('errorCode' in request) return request;
    const user = this.#deps.directory.person(request.app.appId, authorization);
    // Inside the client such a page is never seen, so it cannot be refused.
    const decision = this.silentFor(request).includes(user) ? 'consent' : (authorization.decision ?? 'consent');
    return this.answer(request, user, decision, authorization.scopes);
  }

  /** The people who would be sent back without seeing the page: they have granted all of it before. */
  silentFor(request: AuthorizeRequest): User[] {
    const { app, prompt, scopes } = request;
    if (!app.silentConsent || prompt === 'consent') return [];
    return [...this.#deps.directory.users.values()].filter((user) => {
      const granted = this.#deps.tokens.granted(app.appId, user);
      return granted.length > 0 && scopes.every((scope) => granted.includes(scope));
    });
  }

  answer(
    request: AuthorizeRequest,
    user: User,
    decision: 'consent' | 'deny',
    only: readonly string[] | undefined,
  ): AuthorizeOutcome {
    const { directory, codes, tokens, events } = this.#deps;
    const { app, redirectUri, state } = request;
    if (user.state !== 'active') return { errorCode: 20066, reason: 'The user status is invalid.' };
    if (!directory.isAvailable(app, user)) {
      return { errorCode: 20010, reason: 'The user does not have permission to use this app.' };
    }
    const about = { app_id: app.appId, user_id: user.userId, grant: 'authorization_code' };
    if (decision === 'deny') {
      events.emit('denied', about);
      return { redirectTo: redirectWith(redirectUri, { error: 'access_denied', state }) };
    }
    const ticked = request.scopes.filter((scope) => only === undefined || only.includes(scope));
    const { code } = codes.issue(request, user, ticked, tokens.grant(app.appId, user, ticked));
    events.emit('consent', about);
    return { redirectTo: redirectWith(redirectUri, { code, state }) };
  }
}

function unwrapped(link: string): URL {
  const url = new URL(link);
  const inner = url.pathname === APPLINK_PATH ? url.searchParams.get('url') : null;
  if (inner !== null) return unwrapped(inner);
  if (url.pathname !== AUTHORIZE_PATH) throw new Error(`not an authorize link: ${url.origin}${url.pathname}`);
  return url;
}
