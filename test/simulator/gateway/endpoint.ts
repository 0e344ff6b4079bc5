/**
 * Endpoint discovery: hands out the URL of one long connection. Source: FEISHU.md §2.1.
 */
import type { Directory } from '../directory.js';
import type { ApiRoute } from '../http/api.js';
import { jsonBody, ok, type Reply, text } from '../http/exchange.js';
import type { Settings } from '../options.js';
import type { Gateway } from './gateway.js';

export interface EndpointDeps {
  settings: Settings;
  directory: Directory;
  gateway: Gateway;
  baseUrl: () => string;
}

const WRONG_BRAND = 1000040351;
const CONNECTION_LIMIT = 1000040350;

/** An endpoint error with an empty `data` object, the form the SDK takes as final. */
const refusal = (code: number, msg: string): Reply => ({ status: 200, body: { code, msg, data: {} } });

export function endpointRoute(deps: EndpointDeps): ApiRoute {
  return {
    api: 'endpoint',
    method: 'POST',
    path: '/callback/ws/endpoint',
    limited: false,
    subject: (exchange) => {
      const appId = text(jsonBody(exchange), 'AppID');
      return appId === undefined ? {} : { appId };
    },
    fail: (code, msg) => refusal(code, msg ?? 'simulated'),
    handle: (exchange) => {
      const body = jsonBody(exchange);
      const appId = text(body, 'AppID');
      if (appId === undefined) return refusal(10003, 'invalid param');
      const app = deps.directory.app(appId);
      if (app && app.brand !== deps.settings.brand) return refusal(WRONG_BRAND, 'wrong domain for this app');
      if (!app || text(body, 'AppSecret') !== app.appSecret) return credentialRefusal(deps.settings);
      if (app.disabled) return refusal(403, 'forbidden');
      if (deps.gateway.isFull(appId)) return refusal(CONNECTION_LIMIT, 'the number of connections exceeded the limit');
      const data = { URL: deps.gateway.issueUrl(appId, deps.baseUrl()), ClientConfig: deps.settings.clientConfig };
      return ok({ code: 0, msg: 'success', data });
    },
  };
}

function credentialRefusal(settings: Settings): Reply {
  const { code, data } = settings.endpointRefusal;
  const body = { code, msg: 'authentication failed' };
  if (data === 'absent') return ok(body);
  return ok({ ...body, data: data === 'null' ? null : {} });
}
