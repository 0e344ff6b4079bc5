/**
 * A simulator with one app, one person and one card in their chat: where most conformance tests begin.
 */
import type { App, User } from '../directory.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../index.js';
import { card } from './sdk-client.js';

export interface Scene {
  simulator: Simulator;
  app: App;
  user: User;
  openId: string;
  /** Sends a card by a plain HTTP call and returns its message id. */
  sendCard(content?: Record<string, unknown>): Promise<string>;
  /** One call of the open platform with the app's tenant token. */
  call(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

export async function startScene(options: SimulatorOptions = {}): Promise<Scene> {
  const simulator = await startSimulator(options);
  const app = simulator.addApp({ name: '订单助手' });
  const user = simulator.addUser({ name: '王芳' });
  const openId = simulator.openId(user, app.appId);
  const call: Scene['call'] = async (method, path, body) => {
    const token = await tenantToken(simulator, app);
    return ask(simulator, method, path, body, { authorization: `Bearer ${token}` });
  };
  const sendCard: Scene['sendCard'] = async (content = card('hello')) => {
    const answer = await call('POST', '/open-apis/im/v1/messages?receive_id_type=open_id', {
      receive_id: openId,
      msg_type: 'interactive',
      content: JSON.stringify(content),
    });
    return String((answer.body['data'] as Record<string, unknown> | undefined)?.['message_id']);
  };
  return { simulator, app, user, openId, sendCard, call };
}

/** One JSON call; a body that is no JSON comes back as `{text}`. */
export async function ask(
  simulator: Simulator,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  timeoutMs = 5000,
): Promise<ApiAnswer> {
  const response = await fetch(`${simulator.baseUrl}${path}`, {
    method,
    redirect: 'manual',
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch {
    parsed = { text };
  }
  return { status: response.status, headers: response.headers, body: parsed };
}

export async function tenantToken(simulator: Simulator, app: App): Promise<string> {
  const credentials = { app_id: app.appId, app_secret: app.appSecret };
  const answer = await ask(simulator, 'POST', '/open-apis/auth/v3/tenant_access_token/internal', credentials);
  return String(answer.body['tenant_access_token']);
}
