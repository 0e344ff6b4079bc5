/** Order statistics of samples, and random numbers that are the same in every run. Pure. */

/** The smallest sample that `share` (0..1) of all samples do not exceed; NaN without samples. */
export function quantile(samples: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (samples: ArrayLike<number>): number => quantile(samples, 0.5);

/** 0 ≤ x < 1, the same sequence for the same seed (a linear congruential generator, Numerical Recipes §7.1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
