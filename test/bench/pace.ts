/** Doing many things at a steady rate. Owns the when, not the what. */

/**
 * Starts `count` tasks at even distances, whether or not earlier ones have ended, and waits for all. A task that could
 * not be started in time starts as soon as possible: nothing is left out.
 */
export async function atRate<T>(perSecond: number, count: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const begin = performance.now();
  const running: Promise<T>[] = [];
  while (running.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - begin) * perSecond) / 1000) + 1);
    while (running.length < due) running.push(task(running.length));
    const next = begin + (running.length * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  return await Promise.all(running);
}
