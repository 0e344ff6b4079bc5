/**
 * POST authen/v2/oauth/token: the device and refresh grants, and the checks all grants share; the authorization code
 * grant is in authorization-code-grant.ts. Source: FEISHU.md §6.2, §6.3.
 */
import type { Call } from '../call-ledger.js';
import type { App } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { type Exchange, fields, type Reply, text } from '../http/exchange.js';
import { type AuthorizationCodeGrantDeps, authorizationCodeGrant } from './authorization-code-grant.js';
import type { DeviceCodes } from './device-codes.js';
import { tokenAnswer } from './token-answer.js';
import { deviceError, tokenError } from './token-errors.js';

export interface TokenEndpointDeps extends AuthorizationCodeGrantDeps {
  codes: DeviceCodes;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const CONSENT_LIFE_MS = 365 * 86_400_000;
/** A poll counts as too early only when this much earlier than the interval: networks shift arrival times. */
const POLL_TOLERANCE = 0.1;

type Body = Record<string, unknown>;

export function tokenRoute(deps: TokenEndpointDeps): ApiRoute {
  return {
    api: 'token',
    method: 'POST',
    path: '/open-apis/authen/v2/oauth/token',
    subject: (exchange) => subjectOf(deps, fields(exchange)),
    fail: tokenError,
    handle: (exchange, call) => token(deps, exchange, call),
  };
}

function subjectOf(
  deps: TokenEndpointDeps,
  body: Body | undefined,
): { appId?: string; grant?: string; openId?: string; userCode?: string; generation?: number } {
  const appId = text(body, 'client_id');
  const grant = text(body, 'grant_type');
  const code = deps.codes.byDeviceCode(text(body, 'device_code') ?? '');
  const owner = deps.tokens.refresh(text(body, 'refresh_token') ?? '');
  const redeemed = code ?? deps.authorizationCodes.find(text(body, 'code') ?? '');
  const openId = owner?.openId ?? (redeemed?.user && deps.directory.openId(redeemed.user, redeemed.appId));
  return {
    ...(appId === undefined ? {} : { appId }),
    ...(grant === undefined ? {} : { grant: grant === DEVICE_GRANT ? 'device_code' : grant }),
    ...(openId === undefined ? {} : { openId }),
    ...(code === undefined ? {} : { userCode: code.userCode }),
    ...(owner === undefined ? {} : { generation: owner.generation }),
  };
}

function token(deps: TokenEndpointDeps, exchange: Exchange, call: Call): Reply {
  const body = fields(exchange);
  if (!body) return tokenError(20063);
  const app = authenticate(deps, exchange, body);
  if ('status' in app) return app;
  switch (text(body, 'grant_type')) {
    case undefined:
      return tokenError(20001, 'grant_type is required');
    case DEVICE_GRANT:
      return deviceGrant(deps, app, body);
    case 'authorization_code':
      return authorizationCodeGrant(deps, app, body);
    case 'refresh_token':
      return refreshGrant(deps, app, body, call);
    default:
      return tokenError(20036);
  }
}

function authenticate(deps: TokenEndpointDeps, exchange: Exchange, body: Body): App | Reply {
  const [clientId, secret] = [text(body, 'client_id'), text(body, 'client_secret')];
  const hasBasic = /^basic /i.test(exchange.headers.authorization ?? '');
  if (hasBasic && secret !== undefined) return tokenError(20070);
  if (clientId === undefined || secret === undefined)
    return tokenError(20001, 'client_id and client_secret are required');
  const app = deps.directory.app(clientId);
  if (!app) return tokenError(20048);
  if (secret !== app.appSecret) return tokenError(20002);
  return app.disabled ? tokenError(20069) : app;
}

function deviceGrant(deps: TokenEndpointDeps, app: App, body: Body): Reply {
  const deviceCode = text(body, 'device_code');
  if (deviceCode === undefined) return tokenError(20001, 'device_code is required');
  const code = deps.codes.byDeviceCode(deviceCode);
  if (!code || code.appId !== app.appId || code.state === 'redeemed') return deviceError('invalid_grant');
  const now = deps.settings.now();
  const gapMs = now - (code.lastPollAt ?? Number.NEGATIVE_INFINITY);
  code.polls += 1;
  code.lastPollAt = now;
  if (code.state === 'denied') return deviceError('access_denied');
  if (deps.codes.isExpired(code)) return deviceError('expired_token');
  if (gapMs < code.intervalSeconds * 1000 * (1 - POLL_TOLERANCE)) return deviceError('slow_down');
  const { user, grantedScopes } = code;
  if (code.state === 'pending' || !user || !grantedScopes) return deviceError('authorization_pending');
  if (user.state !== 'active') return tokenError(20066);
  code.state = 'redeemed';
  return tokenAnswer(deps, deps.tokens.issue(app.appId, user, grantedScopes, code.consentAt ?? now), 'device_code');
}

function refreshGrant(deps: TokenEndpointDeps, app: App, body: Body, call: Call): Reply {
  const presented = text(body, 'refresh_token');
  if (presented === undefined) return tokenError(20001, 'refresh_token is required');
  const old = deps.tokens.refresh(presented);
  if (!old) return tokenError(20026);
  if (old.appId !== app.appId) return tokenError(20024);
  if (!app.refreshAllowed) return tokenError(20074);
  if (old.used > 0) {
    old.reused += 1;
    return tokenError(20073);
  }
  if (old.revoked) return tokenError(20064);
  const now = deps.settings.now();
  if (old.expiresAt <= now || old.consentAt + CONSENT_LIFE_MS <= now) return tokenError(20037);
  const user = deps.directory.users.get(old.userId);
  if (!user) return tokenError(20008);
  if (user.state !== 'active') return tokenError(20066);
  if (!deps.directory.isAvailable(app, user)) return tokenError(20010);
  const wanted = text(body, 'scope')?.split(' ');
  if (wanted && new Set(wanted).size < wanted.length) return tokenError(20067);
  if (wanted?.some((scope) => !old.scopes.includes(scope))) return tokenError(20068);
  call.redeemedAt = now;
  return tokenAnswer(deps, deps.tokens.rotate(old, user, wanted), 'refresh_token');
}
