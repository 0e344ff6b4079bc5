/**
 * The HTML of the authorize page. The scripts of page/ draw it from the JSON in it; without scripts it still says what
 * is wrong. `data-error-code` is for tests that only fetch. Nothing of the link enters the page unescaped.
 */
import type { User } from '../directory.js';
import type { Reply } from '../http/exchange.js';
import type { AuthorizeProblem, AuthorizeRequest } from '../oauth/authorize-request.js';

export function questionPage(request: AuthorizeRequest, silentFor: User[]): Reply {
  return page(200, '', '', {
    app_name: request.app.name,
    scopes: request.scopes,
    silent_for: silentFor.map((user) => user.userId),
  });
}

/** HTTP 400, with the code, its reason and for 20027 the scopes. */
export function problemPage(problem: AuthorizeProblem): Reply {
  const { errorCode, reason, appName, scopes = [] } = problem;
  const attributes = ` data-error-code="${errorCode}" data-error-scopes="${escaped(scopes.join(' '))}"`;
  const words = escaped([String(errorCode), reason, ...scopes].join(' '));
  return page(400, attributes, `<p>${words}</p>`, {
    ...(appName === undefined ? {} : { app_name: appName }),
    error_code: errorCode,
    reason,
    scopes,
  });
}

function page(status: number, attributes: string, content: string, data: Record<string, unknown>): Reply {
  return {
    status,
    headers: { 'cache-control': 'no-store' },
    body: `<!doctype html>
<html lang="zh">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Feishu authorization (simulated)</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/base.css" />
    <link rel="stylesheet" href="/consent.css" />
    <script type="application/json" id="authorization">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
    <script type="module" src="/authorize.js"></script>
  </head>
  <body>
    <main id="consent"${attributes}>${content}</main>
  </body>
</html>
`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (words: string): string => words.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
