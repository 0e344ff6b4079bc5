/**
 * The real rules with shorter times, so that a proof takes minutes and not days. Only times change, never what is
 * compared with what: a window `[…]` or `offset` is divided by 60 and held between 20 s and 60 s; `for` is divided by
 * 60 and held between 2 s and 5 s; the age of the oldest job is divided by 20.
 */
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const shorter = (count: string, unit: string, least: number, most: number): string => {
  const seconds = (Number(count) * (UNIT_SECONDS[unit] ?? 1)) / 60;
  return `${Math.min(most, Math.max(least, Math.round(seconds)))}s`;
};

export function quickRules(text: string): string {
  return text
    .replace(/\[(\d+)([smhd])\]/g, (_, count: string, unit: string) => `[${shorter(count, unit, 20, 60)}]`)
    .replace(/offset (\d+)([smhd])/g, (_, count: string, unit: string) => `offset ${shorter(count, unit, 20, 60)}`)
    .replace(/^( +for: )(\d+)([smhd])$/gm, (_, key: string, count: string, unit: string) => {
      return key + shorter(count, unit, 2, 5);
    })
    .replace(/(queue_oldest_job_age_seconds\) > )(\d+)/g, (_, before: string, age: string) => {
      return before + String(Number(age) / 20);
    });
}
