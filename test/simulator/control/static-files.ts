/**
 * Serves the files of test/simulator/page/: the chat page at `/`, the consent page at Feishu's own path.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reply } from '../http/exchange.js';

const PAGE_FOLDER = fileURLToPath(new URL('../page/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The file under the page folder, or undefined when there is none. Never leaves the folder. */
export async function pageFile(path: string): Promise<Reply | undefined> {
  const type = TYPES[extname(path)];
  const file = normalize(join(PAGE_FOLDER, path));
  if (type === undefined || !file.startsWith(PAGE_FOLDER.endsWith(sep) ? PAGE_FOLDER : PAGE_FOLDER + sep))
    return undefined;
  try {
    const body = await readFile(file, 'utf8');
    return { status: 200, body, headers: { 'content-type': type, 'cache-control': 'no-store' } };
  } catch {
    return undefined;
  }
}

/** The consent page without scripts, for when the page folder is not there. */
export function plainConsentPage(userCode: string): Reply {
  const safe = userCode.replaceAll(/[^A-Za-z0-9-]/g, '');
  return {
    status: 200,
    body: `<!doctype html><meta charset="utf-8"><title>授权 / Authorize</title>
<form method="post" action="/sim/consent"><input name="user_code" value="${safe}"><input name="user_id" placeholder="user_id">
<button>同意 / Agree</button><button formaction="/sim/deny">拒绝 / Decline</button></form>`,
  };
}
