/** Calls the API with the key. The key lives in this tab only: it is gone with it. */

const STORED = 'feishu-authd.key';
/** The API answers within 2.5 s, also when Redis does not. */
const PATIENCE_MS = 6_000;

export const readKey = () => sessionStorage.getItem(STORED);

export function keepKey(key) {
  if (key === null) sessionStorage.removeItem(STORED);
  else sessionStorage.setItem(STORED, key);
}

/**
 * `{ kind: 'ok', status }`, `{ kind: 'refused', code }` (this key will not do), `{ kind: 'busy' }` (later), or
 * `{ kind: 'away' }`: no usable answer.
 */
export async function readStatus(key) {
  try {
    const response = await fetch('v1/status', {
      headers: { authorization: `Bearer ${key}` },
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) return { kind: 'ok', status: await response.json() };
    if (response.status === 401 || response.status === 403) return { kind: 'refused', code: response.status };
    return { kind: response.status === 429 ? 'busy' : 'away' };
  } catch {
    return { kind: 'away' };
  }
}
