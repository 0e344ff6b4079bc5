/** What places, people and headings are called in each language. */
import type { Entry, Language, Place } from './meaning.js';

export interface Words {
  readonly places: Readonly<Record<Place, string>>;
  readonly people: Readonly<Record<Entry['for'], string>>;
  readonly headings: Readonly<Record<'where' | 'cause' | 'remedy' | 'for', string>>;
}

const ENGLISH: Words = {
  places: {
    api: 'API of feishu-authd, `code` of the problem document',
    failure_reason: 'failed session, `failure_reason`',
    start: 'start of feishu-authd',
    token_endpoint: 'token endpoint, device authorization and consent page',
    device_poll: 'token endpoint, while waiting for consent',
    revocation: 'revocation of a token at Feishu',
    user_info: 'user_info, asked who has consented',
    user_token: 'a call to Feishu by your service, with the token of a user',
    any_api: 'any API of Feishu, called by the daemon as the app',
    http: 'HTTP status of an answer of Feishu',
    messages: 'sending or updating a card',
    card: 'a card Feishu refused (230099), ErrCode in its message',
    client: 'the Feishu client, after a click on a card',
    callback_update: 'update of a card by the token of a click',
    ephemeral: 'ephemeral card',
    cardkit: 'CardKit',
    long_connection: 'long connection, when it is made or ends',
    ack: 'answer to an event or click on the long connection',
    websocket: 'long connection, close code of the WebSocket',
    sdk: 'Feishu SDK, on this side of the network',
    apaas: 'aPaaS (飞书应用引擎)',
    log: 'log of feishu-authd, `event` of a line',
  },
  people: { user: 'the user', operator: 'the operator', developer: 'a developer' },
  headings: { where: 'where', cause: 'cause', remedy: 'remedy', for: 'who can act' },
};

const CHINESE: Words = {
  places: {
    api: 'feishu-authd 的 API，错误文档的 `code`',
    failure_reason: '失败的会话，`failure_reason`',
    start: 'feishu-authd 启动时',
    token_endpoint: 'token 接口、设备授权和授权页',
    device_poll: 'token 接口，等待用户同意期间',
    revocation: '在飞书撤销 token',
    user_info: 'user_info，查询是谁同意的',
    user_token: '业务服务以用户身份调用飞书',
    any_api: '守护进程以应用身份调用的任一飞书接口',
    http: '飞书回答的 HTTP 状态码',
    messages: '发送或更新卡片',
    card: '飞书拒绝的卡片（230099），消息里的 ErrCode',
    client: '飞书客户端，点击卡片之后',
    callback_update: '用点击的 token 延时更新卡片',
    ephemeral: '仅特定人可见的临时卡片',
    cardkit: 'CardKit',
    long_connection: '长连接建立或断开时',
    ack: '长连接上对事件或点击的应答',
    websocket: '长连接，WebSocket 关闭码',
    sdk: '飞书 SDK，本机一侧',
    apaas: 'aPaaS（飞书应用引擎）',
    log: 'feishu-authd 的日志，行中的 `event`',
  },
  people: { user: '用户', operator: '运维', developer: '开发者' },
  headings: { where: '出现在', cause: '原因', remedy: '处理', for: '由谁处理' },
};

export const WORDS: Readonly<Record<Language, Words>> = { en: ENGLISH, zh: CHINESE };
