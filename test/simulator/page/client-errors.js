/**
 * What the Feishu client says when a click goes wrong (FEISHU.md §3.3), and for the people at the simulator why.
 */

const REASONS = {
  zh_cn: {
    200340: '应用没有配置卡片回调，或机器人没有在线的长连接',
    200341: '机器人没有在 3 秒内应答',
    200342: '无法连接到应用的回调地址',
    200343: '无法解析应用的回调地址',
    200345: '应用没有配置长连接接收回调',
    200346: '应用没有订阅卡片回传交互',
    200347: '应用的回调配置没有发布',
    200080: '飞书调用应用失败',
    200530: '表单里的组件没有名字',
    200671: '机器人的应答不是成功（应答码不是 200，或按钮的值不是对象）',
    200672: '机器人的应答格式不对',
    200673: '机器人返回的卡片不合规则',
    200830: '2.0 卡片不能换成 1.0 卡片',
    300000: '飞书内部错误',
  },
  en_us: {
    200340: 'the app has no card callback configured, or the bot has no live long connection',
    200341: 'the bot did not answer within 3 seconds',
    200342: 'the callback address could not be reached',
    200343: 'the callback address could not be resolved',
    200345: 'the app does not take callbacks over the long connection',
    200346: 'the app is not subscribed to card callbacks',
    200347: 'the callback settings of the app are not published',
    200080: 'Feishu failed to call the app',
    200530: 'a component in a form has no name',
    200671: 'the bot answered with a failure (code not 200, or a value that is no object)',
    200672: 'the bot answered in a wrong format',
    200673: 'the card the bot answered with breaks the rules',
    200830: 'a 2.0 card cannot become a 1.0 card',
    300000: 'internal error of Feishu',
  },
};

const SAYS = {
  zh_cn: (code) => `出错了，请稍后重试 code: ${code}`,
  en_us: (code) => `Something went wrong. Please try again later. code: ${code}`,
};

/** @returns {{says: string, because: string}} says: the client's words; because: the simulator's explanation */
export function clientError(code, locale) {
  const language = locale in SAYS ? locale : 'en_us';
  return { says: SAYS[language](code), because: REASONS[language][code] ?? '' };
}
