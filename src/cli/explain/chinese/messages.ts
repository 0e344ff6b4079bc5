/** Chinese for cards and messages: sending and updating them, clicking them, and ways of others to change them. */
import type { Translations } from '../meaning.js';
import { ZH } from './remedies.js';

const IN_CHAT = '把机器人重新加入该群，或不带 chat_id 发起。';
const CHAT_RULES = '请群管理员在群设置里允许机器人发言，或不带 chat_id 发起。';
const NO_CHAT = '请不带 chat_id 发起。';
const TEMPLATE = '改正 cards/ 里的模板后重启。';
const NOTHING = '无需处理：该消息保持原样。';
const CONTENT = '请发起方换一个理由，不要含电话号码、地址之类的内容。';
const REMOVED = ['消息已被删除', NOTHING] as const;

export const MESSAGES_ZH: Translations = {
  230001: ['参数不合法', ZH.report],
  230002: ['机器人不在群里', IN_CHAT],
  230006: ['应用没有机器人能力', `在「添加应用能力」里添加「机器人」，再${ZH.publish}。`],
  230009: ['已超过可撤回的时间', NOTHING],
  230011: ['消息已被撤回', NOTHING],
  230013: ['用户不在应用的可用范围内，或已离职', ZH.availability],
  230017: ['消息不属于该机器人', ZH.report],
  230018: ['群设置不允许', CHAT_RULES],
  230019: ['话题已不存在', NOTHING],
  230020: ['对该消息、群或用户的发送或更新太频繁', ZH.wait],
  230022: ['内容含敏感信息', CONTENT],
  230025: ['内容过长', TEMPLATE],
  230026: ['没有撤回该消息的权限', NOTHING],
  230027: [
    '应用缺少消息权限',
    `在「权限管理」开通 im:message，或 im:message:send_as_bot 和 im:message:update，再${ZH.publish}。`,
  ],
  230028: ['数据防泄漏规则（DLP）拦下了内容', CONTENT],
  230029: ['用户已离职', '不要再向该用户发起授权。'],
  230031: ['消息发出已超过 14 天', NOTHING],
  230034: ['接收者不存在', '核对 open_id 或 chat_id：必须是该应用下的。'],
  230035: ['没有在该会话发言的权限', CHAT_RULES],
  230036: ['企业的加密密钥已删除', '请企业管理员恢复密钥。'],
  230038: ['不允许向其他企业的用户发单聊消息', '只向本企业的用户发起授权。'],
  230049: ['同一条消息正在发送', ZH.wait],
  230050: ['机器人看不到该消息', IN_CHAT],
  230053: ['用户停用了该机器人', '请在飞书里打开与机器人的会话，重新允许它发消息。'],
  230054: ['此处不支持这种消息类型', ZH.report],
  230055: ['文件与消息类型不符', ZH.report],
  230071: ['该群不支持话题回复', ZH.report],
  230072: ['该消息是聚合消息', NOTHING],
  230075: ['该会话已加密，机器人不能发言', NO_CHAT],
  230099: ['飞书无法生成卡片', TEMPLATE],
  230110: REMOVED,
  230111: ['消息已自动销毁', NOTHING],
  231003: REMOVED,
  232009: ['群已解散', NO_CHAT],
  99992351: ['飞书不认识这个 open_id', '核对 open_id：必须是该应用下的。'],
  99992361: ['open_id 属于别的应用', ZH.otherApp],
};

const TABLE = ['表格数据不合法', TEMPLATE] as const;
const AUDIO = ['音频元素不合法', TEMPLATE] as const;

export const CARD_ZH: Translations = {
  11310: ['模板不可见、元素过多，或卡片被锁定', TEMPLATE],
  100290: ['卡片里的用户 id 不合法', TEMPLATE],
  200380: ['模板不存在或没有发布', TEMPLATE],
  200381: ['应用看不到该模板', TEMPLATE],
  200550: ['图表不合法', TEMPLATE],
  200570: ['图片 key 不合法', TEMPLATE],
  200621: ['卡片不是合法的 JSON', TEMPLATE],
  200732: ['模板变量的类型不对', TEMPLATE],
  200737: ['模板变量的格式不对', TEMPLATE],
  200861: ['schema 2.0 不认识的标签', TEMPLATE],
  200914: TABLE,
  200915: TABLE,
  300220: AUDIO,
  300230: AUDIO,
  300240: AUDIO,
};

const NOT_SUBSCRIBED = [
  '应用没有配置卡片回调，或配置没有发布',
  `先启动守护进程，再把「事件与回调 > 回调配置」设为「使用长连接接收回调」，添加回调「卡片回传交互」（card.action.trigger，不是旧版），最后${ZH.publish}。这样的点击守护进程一无所知。`,
] as const;
const OTHER_PROGRAM =
  '找出使用同一个 App ID 的其他程序：飞书把每次点击随机交给一条连接。feishu-authd 自己总是回答一个对象。';
const WEBHOOK = '把「回调配置」设为「使用长连接接收回调」：feishu-authd 没有回调地址。';

export const CLIENT_ZH: Translations = {
  200080: ['飞书调用应用时失败', '再点一次；若持续出现，请联系飞书客服。'],
  200340: NOT_SUBSCRIBED,
  200341: [
    '3 秒内没有回答',
    '查看 GET /readyz 和指标 lark_service_card_ack_seconds：守护进程是否已连接、机器是否过载、是否有别的程序使用同一个 App ID。',
  ],
  200342: ['回调地址连不上（TCP）', WEBHOOK],
  200343: ['回调地址无法解析（DNS）', WEBHOOK],
  200345: NOT_SUBSCRIBED,
  200346: NOT_SUBSCRIBED,
  200347: NOT_SUBSCRIBED,
  200530: ['表单里有组件的 name 为空', TEMPLATE],
  200671: ['应用的回答是错误，或没有处理点击的程序', OTHER_PROGRAM],
  200672: ['应用的回答格式不对', OTHER_PROGRAM],
  200673: ['应用回答里的卡片不合法', TEMPLATE],
  200830: ['用 schema 1.0 的卡片回答了 schema 2.0 的卡片', OTHER_PROGRAM],
  300000: ['飞书内部错误', '请再点一次。'],
};

const NOT_OURS = 'feishu-authd 从不用这种方式更新卡片：请检查使用同一个 App ID 的其他程序。';

export const CALLBACK_UPDATE_ZH: Translations = {
  10002: ['卡片参数校验失败', NOT_OURS],
  11311: ['卡片结构不合法', NOT_OURS],
  100000: ['卡片过大', NOT_OURS],
  100030: ['请求体不是合法的 JSON', NOT_OURS],
  200000: ['请求体不是合法的 JSON，或消息已被撤回', NOT_OURS],
  200310: ['卡片是别的应用发送的', NOT_OURS],
  200320: ['独享卡片的 open_ids 不正确', NOT_OURS],
  300020: ['更新凭证（token）格式不对', NOT_OURS],
  300030: ['更新凭证（token）已过期：有效期 30 分钟', NOT_OURS],
  300040: ['更新凭证（token）已用完：只能用两次', NOT_OURS],
  300090: ['该卡片需要 open_ids', NOT_OURS],
};

export const EPHEMERAL_ZH: Translations = { 18051: ['该临时卡片已被删除', NOT_OURS] };

export const CARDKIT_ZH: Translations = {
  200220: ['卡片生成失败', NOT_OURS],
  200740: ['卡片实体不存在', NOT_OURS],
  200750: ['卡片实体已过期：有效期 14 天', NOT_OURS],
  200770: ['uuid 已用于另一个请求', NOT_OURS],
  200810: ['用户正在与卡片交互', NOT_OURS],
  200860: ['卡片过大', NOT_OURS],
  300301: ['两个组件的 element_id 相同', NOT_OURS],
  300302: ['update_multi 为 false', NOT_OURS],
  300303: ['卡片不是 schema 2.0', NOT_OURS],
  300305: ['卡片的组件超过 200 个', NOT_OURS],
  300307: ['卡片为空', NOT_OURS],
  300311: ['卡片实体属于别的应用', NOT_OURS],
  300317: ['sequence 没有大于上一次的值', NOT_OURS],
};
