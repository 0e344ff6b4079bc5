/**
 * What codes mean, as the command line's tables say it (`feishu-authd explain`). A port: those tables know the adapters
 * and both languages, the checks know neither table.
 */
import type { Text } from './finding.js';

export interface CodeMeaning {
  readonly cause: Text;
  readonly remedy: Text;
}

/** Where a code was met: the same number may mean different things in different places. */
export type CodePlace = 'any_api' | 'token_endpoint' | 'long_connection' | 'messages' | 'failure_reason';

/** null: no table knows it there. */
export type Explain = (code: string, place: CodePlace) => CodeMeaning | null;
