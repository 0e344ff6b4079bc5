/**
 * The simulator's control API as the pages use it. Every call ends after CALL_TIMEOUT_MS at the latest; a click may
 * take longer than the 3 s of Feishu because the simulator decides when it is over.
 */

const CALL_TIMEOUT_MS = 15_000;
const RECONNECT_MS = 1000;

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    cache: 'no-store',
  });
  const answer = await response.json().catch(() => ({}));
  return { ...answer, http: response.status };
}

const query = (values) => new URLSearchParams(values).toString();

export const api = {
  state: () => call('GET', '/sim/state'),
  /** @param {{message_id: string, user_id: string, value: unknown, locale: string}} click */
  click: (click) => call('POST', '/sim/click', click),
  device: (userCode) => call('GET', `/sim/device?${query({ user_code: userCode })}`),
  consent: (userCode, userId, scopes) => call('POST', '/sim/consent', { user_code: userCode, user_id: userId, scopes }),
  deny: (userCode, userId) => call('POST', '/sim/deny', { user_code: userCode, user_id: userId }),
  /** The demo's own calls; 404 where the simulator runs without the demo. */
  demo: () => call('GET', '/demo/service'),
  ask: (wish) => call('POST', '/demo/ask', wish),
  session: (sessionId) => call('GET', `/demo/session?${query({ session_id: sessionId })}`),
  token: (openId) => call('GET', `/demo/token?${query({ open_id: openId })}`),
};

/**
 * Calls `onChange` after everything that happens in the simulator, and once after each (re)connection, so that
 * nothing is missed. `onLink(up)` tells whether events are coming in.
 */
export function watch({ onChange, onLink }) {
  const source = new EventSource('/sim/events');
  source.onopen = () => {
    onLink(true);
    onChange();
  };
  for (const type of ['message', 'updated', 'settled', 'consent', 'denied', 'connection']) {
    source.addEventListener(type, () => onChange());
  }
  source.onerror = () => {
    onLink(false);
    // A closed source (the answer was no event stream) does not come back by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => watch({ onChange, onLink }), RECONNECT_MS);
  };
}
