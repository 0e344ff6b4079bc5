/** Which checks are under way, on one line of a terminal that is written over and in the end taken away. */
import { CHECKS, type CheckName, type Language } from '../doctor/finding.js';
import type { Progress } from '../doctor/guard.js';
import type { CliContext } from './context.js';
import { displayWidth } from './display-width.js';

const CLEAR = '\r\u001b[2K';
/** A longer line would wrap and could not be written over. */
const COLUMNS = 78;

export interface ShownProgress extends Progress {
  /** Takes the line away. */
  clear(): void;
}

/** Silent where nobody looks. */
export function createProgress(stderr: CliContext['stderr'], language: Language): ShownProgress {
  const active: CheckName[] = [];
  const show = (): void => {
    if (stderr.isTTY !== true) return;
    const names = [...new Set(active)].map((check) => CHECKS[check][language]);
    stderr.write(names.length === 0 ? CLEAR : CLEAR + shorten(`… ${names.join(', ')}`));
  };
  return {
    begins(check) {
      active.push(check);
      show();
    },
    ends(check) {
      active.splice(active.indexOf(check), 1);
      show();
    },
    clear() {
      active.length = 0;
      show();
    },
  };
}

function shorten(line: string): string {
  let shown = line;
  while (displayWidth(shown) > COLUMNS) shown = `${shown.slice(0, -2)}…`;
  return shown;
}
