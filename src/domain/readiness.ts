/** What `/readyz` says (CONTRACT §5): each part of this process's roles, and the verdict over them. */

export interface ReadinessPart {
  /** `redis`, `long_connection`, `workers`, `encryption_keys`. */
  readonly part: string;
  readonly appId?: string;
  readonly ok: boolean;
  /** One sentence: what is wrong and since when; empty when fine. */
  readonly detail: string;
}

export interface ReadinessReport {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  readonly parts: readonly ReadinessPart[];
}

/** Ready while all parts are fine; degraded while at least one app's long connection of several works. */
export function judgeReadiness(parts: readonly ReadinessPart[]): ReadinessReport {
  const broken = parts.filter((part) => !part.ok);
  if (broken.length === 0) return { status: 'ready', parts };
  const connections = parts.filter((part) => part.part === 'long_connection');
  const onlyConnections = broken.every((part) => part.part === 'long_connection');
  const someUp = connections.some((part) => part.ok);
  return { status: onlyConnections && someUp ? 'degraded' : 'unavailable', parts };
}
