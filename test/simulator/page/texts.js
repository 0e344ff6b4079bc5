/** The words of the pages themselves, in the two languages, and which one is chosen. Card texts are not here. */

const TEXTS = {
  zh_cn: {
    simulated: '飞书模拟器 · 不是真正的飞书',
    youAre: '当前身份',
    messages: '消息',
    yourChats: '我的会话',
    otherChats: '别人的会话（仅模拟器可见）',
    noChats: '还没有消息',
    noMessages: '选一个会话',
    noMessagesHint: '机器人发来的卡片会出现在这里；演示时，先在右侧发送一张授权卡片',
    bot: '机器人',
    group: '群',
    recalled: '消息已撤回',
    longConnection: '长连接',
    offline: '机器人离线',
    composer: '发送给 {name}',
    cancel: '取消',
    ok: '确定',
    close: '关闭',
    openInBrowser: '在浏览器打开',
    unsupported: '暂不支持的内容（{tag}）',
    errorCode: '错误码',
    justNow: '刚刚',
    card: '[卡片]',
    lost: '与模拟器的连接断开，正在重连…',
    company: '贵公司的一个服务',
    companyHint: '演示专用：相当于你们自己的后台，通过 feishu-authd 的接口请求授权。',
    service: '服务',
    askWhom: '请谁授权',
    askScopes: '需要的权限',
    askReason: '用途（会显示在卡片上）',
    askReasonDefault: '每周一汇总你的日程，生成周报',
    send: '发送授权卡片',
    sending: '正在发送…',
    session: '会话状态',
    token: '访问凭证',
    tokenReadable: '服务可以读到它：{length} 个字符，{seconds} 秒后过期',
    tokenAlready: '已有授权，不用再问',
    state_pending: '等待处理',
    state_authorizing: '已要链接，等待同意',
    state_completed: '已授权',
    state_rejected: '已拒绝',
    state_expired: '已过期',
    state_failed: '失败',
    state_superseded: '已被新申请替代',
    state_invalidated: '已作废',
    failed: '没有成功：{detail}',
  },
  en_us: {
    simulated: 'Simulated Feishu · not the real product',
    youAre: 'You are',
    messages: 'Messages',
    yourChats: 'Your chats',
    otherChats: 'Chats of other people (visible in the simulator only)',
    noChats: 'No messages yet',
    noMessages: 'Choose a chat',
    noMessagesHint: 'Cards of the bot appear here; in the demo, send one from the panel at the right first',
    bot: 'BOT',
    group: 'Group',
    recalled: 'This message was recalled',
    longConnection: 'Long connection',
    offline: 'Bot is offline',
    composer: 'Message {name}',
    cancel: 'Cancel',
    ok: 'Confirm',
    close: 'Close',
    openInBrowser: 'Open in browser',
    unsupported: 'Content not supported here ({tag})',
    errorCode: 'Error code',
    justNow: 'Just now',
    card: '[Card]',
    lost: 'The connection to the simulator is lost, trying again…',
    company: 'A service of your company',
    companyHint: 'Demo only: stands for a backend of yours that asks for consent through the API of feishu-authd.',
    service: 'Service',
    askWhom: 'Who is asked',
    askScopes: 'Scopes it needs',
    askReason: 'Purpose (shown on the card)',
    askReasonDefault: 'Sums up your calendar for the weekly report',
    send: 'Send authorization card',
    sending: 'Sending…',
    session: 'State of the session',
    token: 'Access token',
    tokenReadable: 'The service can read it: {length} characters, expires in {seconds} s',
    tokenAlready: 'Already authorized: nobody needs to be asked',
    state_pending: 'Waiting for an answer',
    state_authorizing: 'Link asked for, waiting for consent',
    state_completed: 'Authorized',
    state_rejected: 'Declined',
    state_expired: 'Expired',
    state_failed: 'Failed',
    state_superseded: 'Replaced by a newer request',
    state_invalidated: 'Withdrawn',
    failed: 'That did not work: {detail}',
  },
};

/** The text for a key; `{name}` is replaced from `values`. */
export function words(locale, key, values = {}) {
  const text = (TEXTS[locale] ?? TEXTS.en_us)[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

const LOCALE_KEY = 'simulator.locale';
const USER_KEY = 'simulator.user_id';

/** The chosen interface language: asked for in the address, chosen before, or the browser's. */
export function chosenLocale() {
  const asked = new URLSearchParams(location.search).get('locale') ?? localStorage.getItem(LOCALE_KEY);
  if (asked === 'zh_cn' || asked === 'en_us') return asked;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh_cn' : 'en_us';
}

export function chooseLocale(locale) {
  localStorage.setItem(LOCALE_KEY, locale);
}

/** Who sits at this screen; the chat and the consent page share it. */
export function chosenUser(users) {
  const asked = new URLSearchParams(location.search).get('as') ?? localStorage.getItem(USER_KEY);
  return users.find((user) => user.user_id === asked) ?? users[0] ?? null;
}

export function chooseUser(userId) {
  localStorage.setItem(USER_KEY, userId);
}
