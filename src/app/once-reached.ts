/**
 * What stands between the store and those who come by HTTP, which is served before Redis has been reached and looked at:
 * it may be the store of other keys, in which nothing may change (CONTRACT §9). Until then it is as if Redis were away:
 * calls wait for it a moment, as at every start, and reject.
 */

/** @throws AuthdError `upstream_unavailable` when Redis is not reached in a moment; see late-producer.ts */
export type RequireRedis = () => Promise<void>;

type Calls<T> = { readonly [K in keyof T]: (...args: never[]) => Promise<unknown> };

/** The same calls, which reject, and touch nothing, before Redis has been reached. */
export function onceReached<T extends Calls<T> & object>(calls: T, requireRedis: RequireRedis): T {
  return new Proxy(calls, {
    get(target, name) {
      const call: unknown = Reflect.get(target, name);
      if (typeof call !== 'function') return call;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await requireRedis();
        return await Reflect.apply(call, target, args);
      };
    },
  });
}
