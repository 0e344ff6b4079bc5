/**
 * What a fault makes of one API call. The choice of the fault is made in faults.ts, the order of things in api.ts.
 */
import type { EventStream } from '../event-stream.js';
import type { ApiFault, CodeFault, RewriteFault } from '../fault-kinds.js';
import type { Firing } from '../faults.js';
import type { Timers } from '../timers.js';
import type { ApiRoute } from './api.js';
import { asObject, type Reply } from './exchange.js';
import type { Outcome } from './listener.js';
import { openApiError, rateLimited } from './refusals.js';

/** What a fault makes of the call; undefined = go on as if nothing had been. */
export async function applyFault(
  firing: Firing<ApiFault>,
  route: Pick<ApiRoute, 'fail'>,
  deps: { timers: Timers; events: EventStream },
  carryOut: (() => Promise<Reply>) | undefined,
): Promise<Outcome | undefined> {
  const { fault } = firing;
  switch (fault.kind) {
    case 'hang':
    case 'reset':
      return fault.kind;
    case 'hold':
      await firing.held();
      return undefined;
    case 'html':
      return { status: fault.status ?? 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' };
    case 'status':
      return { status: fault.status, body: fault.body ?? {}, ...(fault.headers ? { headers: fault.headers } : {}) };
    case 'oauth_error':
      return {
        status: fault.status ?? 400,
        body: {
          ...(fault.code === undefined ? {} : { code: fault.code }),
          error: fault.error,
          error_description: fault.error,
        },
      };
    case 'code':
      return codeReply(fault, route);
    case 'late':
      if (carryOut) {
        deps.timers.after(fault.ms, () => {
          carryOut().catch((error: unknown) => deps.events.emit('simulator.error', { message: String(error) }));
        });
      }
      return typeof fault.answer === 'number'
        ? { status: fault.answer, body: '<html><body>gateway timeout</body></html>' }
        : fault.answer;
    default:
      return undefined;
  }
}

function codeReply(fault: CodeFault, route: Pick<ApiRoute, 'fail'>): Reply {
  if (fault.code === 99991400) return rateLimited(fault.resetSeconds ?? 1, 50);
  const reply = route.fail?.(fault.code, fault.msg) ?? openApiError(fault.code, fault.msg);
  if (typeof reply.body === 'string') return { ...reply, status: fault.status ?? reply.status };
  const body = { ...asObject(reply.body) };
  if (fault.error !== undefined) body['error'] = fault.error;
  if (fault.data === 'empty') body['data'] = {};
  if (fault.data === 'null') body['data'] = null;
  if (fault.data === 'absent') delete body['data'];
  return { ...reply, status: fault.status ?? reply.status, body };
}

/** The body with the members replaced and removed that the fault names. */
export function rewriteBody(body: unknown, fault: RewriteFault): unknown {
  const copy: unknown = structuredClone(body);
  for (const [path, value] of Object.entries(fault.set ?? {})) edit(copy, path, (owner, name) => (owner[name] = value));
  for (const path of fault.remove ?? []) edit(copy, path, (owner, name) => delete owner[name]);
  return copy;
}

function edit(root: unknown, path: string, change: (owner: Record<string, unknown>, name: string) => void): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let owner = asObject(root);
  for (const name of names) owner = asObject(owner?.[name]);
  if (owner) change(owner, last);
}
