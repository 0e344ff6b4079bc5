/**
 * Codes any Feishu API may answer, and the shape of the tables of single APIs (FEISHU.md §4.1, §7). Data only: code ->
 * what it means for us, why, what to do and who can do it. Remedies name the steps of the developer console.
 */
import type { FeishuMeaning } from './feishu-error.js';
import type { FailureDetail } from './session.js';

export interface CodeEntry<Class extends string = FeishuMeaning> {
  readonly class: Class;
  /** What has happened, in a few words. */
  readonly cause: string;
  readonly remedy: string;
  readonly for: FailureDetail['for'];
}

export type CodeTable<Class extends string = FeishuMeaning> = Readonly<Record<number, CodeEntry<Class>>>;

/** Sentences and steps the tables share. */
export const REMEDIES = {
  credentials:
    'Compare FEISHU_APP_ID and FEISHU_APP_SECRET with 凭证与基础信息 (Credentials & Basic Info) in the developer console, and FEISHU_BRAND with the host of that console.',
  enableApp: 'Enable the app in the admin console (企业应用管理, Workplace > Manage Apps).',
  publish: 'publish a version (版本管理与发布, Version Management & Release) and have it approved',
  otherApp: 'Ask with the open_id this app knows the user by: every app has its own open_id for the same person.',
  report: 'Report it to the developers of feishu-authd with the code and the log id.',
  wait: 'Nothing to do: it is tried again.',
} as const;
const { credentials: CREDENTIALS, publish: PUBLISH, wait: WAIT } = REMEDIES;
const TOKEN_REFETCHED = 'Nothing to do: a new tenant token is fetched. If it goes on, was the app secret reset?';

type GenericClass = 'misconfigured' | 'retry' | 'bug';
type Generic = CodeEntry<GenericClass>;
const entry = (meaning: GenericClass, cause: string, remedy: string): Generic => ({
  class: meaning,
  cause,
  remedy,
  for: meaning === 'bug' ? 'developer' : 'operator',
});
const operator = (cause: string, remedy: string): Generic => entry('misconfigured', cause, remedy);
const retry = (cause: string, remedy: string): Generic => entry('retry', cause, remedy);
const bug = (cause: string, remedy: string = REMEDIES.report): Generic => entry('bug', cause, remedy);

export const GENERIC_CODES: CodeTable<GenericClass> = {
  10003: operator('a parameter of the credentials is missing or invalid', CREDENTIALS),
  10012: retry('Feishu could not make a tenant token', WAIT),
  10013: retry('Feishu could not make a tenant token', WAIT),
  10014: operator('wrong app secret, or the app is stopped', `${CREDENTIALS} Check that the app is enabled.`),
  10015: operator('wrong app secret', CREDENTIALS),
  11232: retry('Feishu is busy, as it is around full and half hours', WAIT),
  99991400: retry('rate limit', 'Nothing to do: it is tried again. Do other programs use the same app?'),
  99991401: operator(
    'our IP address is not in the allow-list of the app',
    "Add this machine's outgoing IP address in 安全设置 > IP 白名单 (Security Settings > IP Allowlist), or empty that list.",
  ),
  99991403: operator('the monthly call quota is used up', "Raise the tenant's API call quota in the admin console."),
  99991543: operator('app id or app secret is wrong', CREDENTIALS),
  99991661: retry('no token was sent', TOKEN_REFETCHED),
  99991662: operator('the app is stopped', REMEDIES.enableApp),
  99991663: retry('the tenant token is not valid any more', TOKEN_REFETCHED),
  99991664: retry('the app token is not valid any more', TOKEN_REFETCHED),
  99991665: operator('the tenant code is not valid', CREDENTIALS),
  99991668: retry('the token is not valid for this call', TOKEN_REFETCHED),
  99991671: bug('the token has an unknown format'),
  99991672: operator(
    'the app lacks a permission',
    `Enable the permission under 权限管理 (Permissions & Scopes), then ${PUBLISH}.`,
  ),
  99991673: operator('the app is not available in this tenant', `Install the app in the tenant: ${PUBLISH}.`),
  99991676: operator(
    'the token has no permission for this call',
    `Check 权限管理 (Permissions & Scopes), then ${PUBLISH}.`,
  ),
  99992351: bug('the open_id is not known to Feishu'),
  99992361: bug('the open_id belongs to another app', REMEDIES.otherApp),
  99992402: bug('a field of the request failed validation'),
};

/** For a code no table knows. */
export const UNKNOWN_CODE: CodeEntry = {
  class: 'bug',
  cause: 'a code feishu-authd does not know',
  remedy: "Look the code up in Feishu's list of error codes; its support can look up the log id.",
  for: 'operator',
};
