/** Around every check: it is told of, it ends in time, and a fault of ours in one check does not cost the others. */
import { type CheckName, type Finding, fail, text } from './finding.js';

export interface Progress {
  begins(check: CheckName): void;
  ends(check: CheckName): void;
}

/** Longer than the waits within any check together; the last bound, not the usual one. */
const LIMIT_MS = 45_000;

const REPORT = text(
  'Report it to the developers of feishu-authd with the output of doctor --bundle.',
  '请把 doctor --bundle 的输出反馈给 feishu-authd 的开发者。',
);

/** Never rejects. */
export async function guarded(
  check: CheckName,
  progress: Progress,
  work: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      const seconds = LIMIT_MS / 1000;
      const means = text(`The check took longer than ${seconds} s`, `检查超过 ${seconds} 秒没有结束`);
      resolve([fail(check, 'network', means, REPORT)]);
    }, LIMIT_MS);
  });
  progress.begins(check);
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    return [faultOf(check, error)];
  } finally {
    clearTimeout(timer);
    progress.ends(check);
  }
}

/** Only the kind of an error is shown: its message may quote anything. */
function faultOf(check: CheckName, error: unknown): Finding {
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : '';
  const kind = error instanceof Error ? `${error.name}${code}` : typeof error;
  return fail(check, 'internal', text(`The check itself has failed (${kind})`, `检查本身出错（${kind}）`), REPORT);
}
