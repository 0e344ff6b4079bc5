/** How long something takes at best: on a busy machine any one attempt may be stalled for seconds. */
import assert from 'node:assert/strict';

/** Fails unless one of so many attempts, one after the other, ends within the limit; what it asserts holds for each. */
export async function inTime(limitMs: number, attempt: () => Promise<unknown>, attempts = 3): Promise<void> {
  const tookMs: number[] = [];
  while (tookMs.length < attempts) {
    const startedAt = performance.now();
    await attempt();
    const took = performance.now() - startedAt;
    if (took < limitMs) return;
    tookMs.push(Math.round(took));
  }
  assert.fail(`took ${tookMs.join(', ')} ms, each more than ${limitMs} ms`);
}
