/**
 * How the open platform words its generic refusals. Source: FEISHU.md §7.
 */
import { hex } from '../secret-book.js';
import type { Reply } from './exchange.js';

/** The generic error body of the open platform. */
export function openApiError(code: number, msg = 'refused', status = 400): Reply {
  return { status, body: { code, msg, error: { log_id: hex(16), troubleshooter: 'simulator' } } };
}

/** The app has none of the scopes any of which would do; the alternatives are named. */
export function lacksScope(alternatives: readonly string[]): Reply {
  const { status, body } = openApiError(99991672, 'Access denied. One of the following scopes is required');
  const violations = alternatives.map((subject) => ({ type: 'action_privilege_required', subject }));
  const { error, ...rest } = body as { error: object };
  return { status, body: { ...rest, error: { ...error, permission_violations: violations } } };
}

/** 429 as the gateway words it; `resetSeconds` is when a call will be admitted again. */
export function rateLimited(resetSeconds: number, ceiling: number): Reply {
  return {
    status: 429,
    body: { code: 99991400, msg: 'request trigger frequency limit' },
    headers: { 'x-ogw-ratelimit-reset': String(resetSeconds), 'x-ogw-ratelimit-limit': String(ceiling) },
  };
}
