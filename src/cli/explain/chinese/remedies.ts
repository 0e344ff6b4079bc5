/** Remedies that several Chinese tables share. */
const PUBLISH = '在「版本管理与发布」创建版本并通过审核';

export const ZH = {
  publish: PUBLISH,
  credentials:
    '对照开发者后台「凭证与基础信息」核对 FEISHU_APP_ID 和 FEISHU_APP_SECRET，并按后台所在域名核对 FEISHU_BRAND。',
  enableApp: '在企业管理后台（企业应用管理）启用该应用。',
  otherApp: '改用该应用下的 open_id：同一个人在每个应用里的 open_id 都不同。',
  report: '请把错误码和日志号反馈给 feishu-authd 的开发者。',
  wait: '无需处理：会自动重试。',
  askAgain: '请重新向用户发起授权。',
  newLink: '请重新获取授权链接。',
  newToken: '无需处理：会重新获取 tenant_access_token。若持续出现，请确认 App Secret 是否被重置。',
  availability: `把该用户加入应用的「可用范围」，再${PUBLISH}。`,
  account: '在企业管理后台确认该用户的账号状态。',
  docs: '请对照该接口的文档检查请求。',
} as const;
