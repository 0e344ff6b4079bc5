/** What has happened, as lines while it happens and as a table at the end. Times are seconds. */

export interface Proved {
  readonly alert: string;
  readonly severity: string;
  readonly fault: string;
  readonly healing: string;
  /** From the fault to firing, and from healing to the end; null: it did not come in time. */
  readonly firedAfter: number | null;
  readonly endedAfter: number | null;
  /** Of the series that fired first, without name, job and severity. */
  readonly labels: string;
}

export const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .filter(([name]) => !['alertname', 'job', 'severity'].includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const seconds = (value: number | null): string => (value === null ? 'NEVER' : `${value.toFixed(0)} s`);

/** A Markdown table. */
export function renderProof(proved: readonly Proved[]): string {
  const rows = proved.map(({ alert, endedAfter, fault, firedAfter, healing, labels, severity }) =>
    [alert, severity, fault, `${seconds(firedAfter)} ${labels}`.trim(), healing, seconds(endedAfter)].join(' | '),
  );
  const head = [
    'alert | severity | the fault | fired after | healed by | ended after',
    '--- | --- | --- | --- | --- | ---',
  ];
  return [...head, ...rows].map((row) => `| ${row} |`).join('\n');
}
