/**
 * Reads the query of an authorize link and says which error page the person would see. Pure; who opens the link does
 * not matter here. Source: FEISHU.md §6.1, §9 no. 4 and 8; RFC 7636 §4.2, §4.3.
 */
import type { App } from '../directory.js';

export const AUTHORIZE_PATH = '/open-apis/authen/v1/authorize';

/** A link that leads to the question. */
export interface AuthorizeRequest {
  app: App;
  redirectUri: string;
  scopes: string[];
  /** Verbatim; undefined = the link has none. */
  state: string | undefined;
  challenge?: { value: string; method: 'S256' | 'plain' };
  prompt?: string;
}

/** A page that only says what is wrong. */
export interface AuthorizeProblem {
  errorCode: number;
  reason: string;
  appName?: string;
  /** For 20027: the scopes that are not enabled. */
  scopes?: string[];
}

const MAX_SCOPES = 50;
/** RFC 7636: what a verifier, and so a plain challenge, may look like; an S256 challenge is 43 of the same. */
export const PKCE_TEXT = /^[A-Za-z0-9\-._~]{43,128}$/;

export function readAuthorizeRequest(
  query: URLSearchParams,
  apps: { app(appId: string): App | undefined },
): AuthorizeRequest | AuthorizeProblem {
  const clientId = query.get('client_id');
  if (!clientId) return missing('client_id');
  const app = apps.app(clientId);
  if (!app) return { errorCode: 20048, reason: 'The app does not exist.' };
  const refuse = (errorCode: number, reason: string, scopes?: string[]): AuthorizeProblem => ({
    errorCode,
    reason,
    appName: app.name,
    ...(scopes ? { scopes } : {}),
  });
  if (app.disabled) return refuse(20069, 'The app is not enabled.');
  if (!query.get('response_type')) return missing('response_type');
  if (query.get('response_type') !== 'code') return refuse(20001, 'response_type must be "code".');
  const redirectUri = query.get('redirect_uri');
  if (!redirectUri) return missing('redirect_uri');
  if (!isRegistered(app, redirectUri)) {
    return refuse(20029, 'redirect_uri is not one of the redirect URLs of the app.');
  }
  const challenge = readChallenge(query);
  if (typeof challenge === 'string') return refuse(20001, challenge);
  const scopes = [...new Set((query.get('scope') ?? '').split(' ').filter((scope) => scope !== ''))];
  if (scopes.length > MAX_SCOPES) return refuse(20001, `At most ${MAX_SCOPES} scopes per request.`);
  const { enabledScopes } = app;
  const disabled = scopes.filter((scope) => enabledScopes !== undefined && !enabledScopes.has(scope));
  if (disabled.length > 0) return refuse(20027, 'Scopes are not enabled for the app.', disabled);
  const prompt = query.get('prompt');
  return {
    app,
    redirectUri,
    scopes,
    state: query.get('state') ?? undefined,
    ...(challenge ? { challenge } : {}),
    ...(prompt === null ? {} : { prompt }),
  };
}

/** Exactly a registered URL, or one with a query or fragment after it; a slash more or less is another URL. */
export function isRegistered(app: App, redirectUri: string): boolean {
  return app.redirectUris.some((registered) => {
    if (!redirectUri.startsWith(registered)) return false;
    const next = redirectUri.charAt(registered.length);
    return next === '' || next === '?' || next === '#';
  });
}

/** Where the browser is sent: the query stays, and the fragment comes after what is added. */
export function redirectWith(redirectUri: string, added: Record<string, string | undefined>): string {
  const [, address = '', fragment = ''] = /^([^#]*)(#.*)?$/s.exec(redirectUri) ?? [];
  const parts = Object.entries(added).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  const target = `${address}${address.includes('?') ? '&' : '?'}${parts.join('&')}${fragment}`;
  // What no header may carry, as a browser would write it in an address.
  return target.replaceAll(/[^\u0021-\u007e]/gu, encodeURIComponent);
}

/** The text tells what is wrong. A method without a challenge would silently mean no PKCE, so it is refused. */
function readChallenge(query: URLSearchParams): AuthorizeRequest['challenge'] | string {
  const value = query.get('code_challenge');
  const method = query.get('code_challenge_method') ?? 'plain';
  if (value === null) return query.has('code_challenge_method') ? 'code_challenge is required.' : undefined;
  if (method !== 'plain' && method !== 'S256') return 'code_challenge_method must be "S256" or "plain".';
  return PKCE_TEXT.test(value) ? { value, method } : 'code_challenge is malformed.';
}

const missing = (name: string): AuthorizeProblem => ({ errorCode: 20001, reason: `${name} is required.` });
