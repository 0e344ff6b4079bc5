/** The words of the consent page, and of the scopes it lists. */

const TEXTS = {
  zh_cn: {
    title: '授权确认',
    simulated: '模拟的飞书授权页，不是真正的飞书',
    enterCode: '请输入设备上显示的授权码',
    continue: '继续',
    asks: '申请获得以下权限',
    asUser: '当前登录账号',
    code: '核对码',
    codeHint: '请确认与聊天中显示的一致',
    scopes: '将以你的身份：',
    agree: '同意授权',
    refuse: '拒绝',
    working: '正在提交…',
    agreed: '授权成功',
    agreedHint: '可以关闭此页面，回到聊天中继续',
    refused: '已拒绝授权',
    refusedHint: '应用不会得到任何权限',
    expired: '授权链接已过期',
    expiredHint: '请回到聊天中重新获取链接',
    unknown: '授权链接无效',
    unknownHint: '请检查核对码，或回到聊天中重新获取链接',
    used: '此授权链接已经使用过',
    usedHint: '不需要再做什么，可以关闭此页面',
    failed: '没有成功，请重试',
    notAvailable: '此账号不在应用的可用范围内（20010），请联系管理员',
    left: '{minutes} 分 {seconds} 秒后过期',
    none: '至少选择一项权限',
    blocked: '无法授权',
    blockedHint: '请把错误码告诉应用的开发者或管理员',
    otherAccount: '换一个账号',
  },
  en_us: {
    title: 'Authorize',
    simulated: 'A simulated consent page, not the real Feishu',
    enterCode: 'Enter the code shown on your device',
    continue: 'Continue',
    asks: 'asks for these permissions',
    asUser: 'Logged in as',
    code: 'Code',
    codeHint: 'Make sure it is the one shown in the chat',
    scopes: 'Acting as you, it will be able to:',
    agree: 'Authorize',
    refuse: 'Refuse',
    working: 'Sending…',
    agreed: 'Authorized',
    agreedHint: 'You can close this page and go back to the chat',
    refused: 'Authorization refused',
    refusedHint: 'The app gets no permission',
    expired: 'This link has expired',
    expiredHint: 'Go back to the chat and get a new link',
    unknown: 'This link is not valid',
    unknownHint: 'Check the code, or go back to the chat and get a new link',
    used: 'This link has been used already',
    usedHint: 'Nothing more to do here, you can close this page',
    failed: 'That did not work, please try again',
    notAvailable: 'This account may not use the app (20010). Ask your administrator.',
    left: 'Expires in {minutes} min {seconds} s',
    none: 'Choose at least one permission',
    blocked: 'Authorization is not possible',
    blockedHint: 'Tell the developer or the administrator of the app this code',
    otherAccount: 'Choose another account',
  },
};

/** Error pages of the authorize link (FEISHU.md §6.1); others show their code and Feishu's own words. */
const ERRORS = {
  20001: ['链接缺少必要的参数', 'The link lacks a parameter'],
  20009: ['应用未安装', 'The app is not installed'],
  20010: ['此账号没有使用该应用的权限', 'This account may not use the app'],
  20027: ['应用没有开通这些权限', 'These permissions are not enabled for the app'],
  20029: ['重定向 URL 有误：不在应用的安全设置里', 'The redirect URL is not in the security settings of the app'],
  20048: ['应用不存在', 'The app does not exist'],
  20066: ['此账号已被冻结或已离职', 'This account is frozen or has left the company'],
  20069: ['应用已停用', 'The app has been stopped'],
};

/** Scope names as the console words them; others are shown by name. */
const SCOPES = {
  offline_access: ['在你离线时保持授权', 'Keep access while you are offline'],
  'calendar:calendar:readonly': ['查看日历、日程及忙闲信息', 'View calendars, events and availability'],
  'calendar:calendar': ['更新日历及日程信息', 'Update calendars and events'],
  'contact:user.base:readonly': ['获取用户基本信息', 'View basic user information'],
  'contact:contact:readonly': ['查看通讯录', 'View contacts'],
  'docx:document:readonly': ['查看新版文档', 'View docs'],
  'docx:document': ['创建及编辑新版文档', 'Create and edit docs'],
  'drive:drive:readonly': ['查看云空间中的文件', 'View files in My Space'],
  'drive:drive': ['查看、评论、编辑和管理云空间中的文件', 'View, comment, edit and manage files in My Space'],
  'im:message': ['获取与发送单聊、群组消息', 'Read and send messages'],
  'im:message:readonly': ['获取单聊、群组消息', 'Read messages'],
  'task:task:read': ['查看任务信息', 'View tasks'],
  'task:task:write': ['查看、创建和编辑任务', 'View, create and edit tasks'],
  'sheets:spreadsheet:readonly': ['查看电子表格', 'View sheets'],
  'bitable:app:readonly': ['查看多维表格', 'View Base'],
  'wiki:wiki:readonly': ['查看知识库', 'View Wiki'],
  'app_engine:apps:read': ['查看应用引擎应用', 'View app engine apps'],
};

export function consentWords(locale, key, values = {}) {
  const text = (TEXTS[locale] ?? TEXTS.en_us)[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** @returns {string} what the scope means, or its name */
export const scopeWords = (scope, locale) => SCOPES[scope]?.[locale === 'zh_cn' ? 0 : 1] ?? scope;

/** @returns {string} what an error code means, or `otherwise` */
export const errorWords = (code, locale, otherwise) => ERRORS[code]?.[locale === 'zh_cn' ? 0 : 1] ?? otherwise;
