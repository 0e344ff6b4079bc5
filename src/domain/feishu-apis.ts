/**
 * The APIs of Feishu that we call, by the dotted names that budget, errors, logs and metrics carry. One list, so that a
 * metric's label stays bounded and a budget can be shown also for an API that this process has not called.
 */

export const FEISHU_APIS = [
  'application.get',
  'auth.tenant_access_token',
  'authen.user_info',
  'im.message.create',
  'im.message.patch',
  'oauth.device_authorization',
  'oauth.revoke',
  'oauth.token',
] as const;
export type FeishuApi = (typeof FEISHU_APIS)[number];
