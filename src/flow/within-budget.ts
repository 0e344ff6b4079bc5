/** Races work against the time there is for an answer. What the work does later is harmless, or it may not be raced. */

/** Slack over the budget's own waits, so that an answer made at the very end still counts. */
const GRACE_MS = 50;

/** The work's result, or the fallback when it fails or is late. Never rejects. */
export async function withinBudget<T>(
  work: Promise<T>,
  budgetMs: number,
  options: { fallback: T; onError: (error: unknown) => void },
): Promise<T> {
  const guarded = work.catch((error: unknown) => {
    options.onError(error);
    return options.fallback;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(options.fallback), budgetMs + GRACE_MS);
  });
  try {
    return await Promise.race([guarded, late]);
  } finally {
    clearTimeout(timer);
  }
}
