/**
 * POST {accounts}/oauth/v1/device_authorization (RFC 8628 §3.1, §3.2). Source: FEISHU.md §6.3.
 */
import type { Directory } from '../directory.js';
import type { EventStream } from '../event-stream.js';
import type { ApiRoute } from '../http/api.js';
import { basic, type Exchange, fields, ok, type Reply, text } from '../http/exchange.js';
import type { SecretBook } from '../secret-book.js';
import type { DeviceCodes } from './device-codes.js';
import { tokenError } from './token-errors.js';

export interface DeviceAuthorizationDeps {
  directory: Directory;
  codes: DeviceCodes;
  secrets: SecretBook;
  events: EventStream;
  baseUrl: () => string;
}

const MAX_SCOPES = 50;

const oauthError = (status: number, error: string, description: string): Reply => ({
  status,
  body: { error, error_description: description },
});

export function deviceAuthorizationRoute(deps: DeviceAuthorizationDeps): ApiRoute {
  return {
    api: 'device_authorization',
    method: 'POST',
    path: '/oauth/v1/device_authorization',
    subject: (exchange) => {
      const appId = text(fields(exchange), 'client_id') ?? basic(exchange)?.id;
      return appId === undefined ? {} : { appId };
    },
    fail: tokenError,
    handle: (exchange) => authorize(deps, exchange),
  };
}

function authorize(deps: DeviceAuthorizationDeps, exchange: Exchange): Reply {
  const body = fields(exchange);
  const header = basic(exchange);
  const clientId = text(body, 'client_id') ?? header?.id;
  if (!body || clientId === undefined) return oauthError(400, 'invalid_request', 'client_id is required');
  const app = deps.directory.app(clientId);
  const secret = header?.secret ?? text(body, 'client_secret');
  const wrongHeader = header !== undefined && header.id !== clientId;
  if (!app || wrongHeader || secret !== app.appSecret)
    return oauthError(401, 'invalid_client', 'client authentication failed');
  if (app.disabled) return oauthError(400, 'unauthorized_client', 'the app is not enabled');
  const scopes = [...new Set((text(body, 'scope') ?? '').split(' ').filter((scope) => scope !== ''))];
  if (scopes.length > MAX_SCOPES) return oauthError(400, 'invalid_scope', `at most ${MAX_SCOPES} scopes per request`);
  const unknown = scopes.filter((scope) => app.enabledScopes !== undefined && !app.enabledScopes.has(scope));
  if (unknown.length > 0) return oauthError(400, 'invalid_scope', `scopes not enabled: ${unknown.join(' ')}`);
  const code = deps.codes.issue(clientId, scopes);
  const page = `${deps.baseUrl()}/oauth/v1/device/verify`;
  const complete = deps.secrets.keep('verification_link', `${page}?user_code=${code.userCode}`);
  deps.events.emit('device_code', { app_id: clientId, user_code: code.userCode, scopes });
  return ok({
    device_code: code.deviceCode,
    user_code: code.userCode,
    verification_uri: page,
    verification_uri_complete: complete,
    expires_in: Math.round((code.expiresAt - code.createdAt) / 1000),
    interval: code.intervalSeconds,
  });
}
