/** What a round trip depends on by the way its app works: what she is told to do, and where to look when she is stuck. Pure. */
import type { AppConfig, Config } from '../config/config.js';
import { cardCallbackAddress } from './callback-addresses.js';
import { callbackByHttp, redirectUriStep, STEPS } from './console.js';
import { type Text, text } from './finding.js';

export interface RoundTripWay {
  /** What the progress says. */
  readonly notes: { readonly waiting: Text; readonly delivered: Text; readonly arrived: Text };
  /** What has reached us when the session goes on. */
  readonly arrived: Text;
  /** Before the limit, of which it says nothing. */
  readonly notArrived: Text;
  readonly whyNotArrived: Text;
  readonly whyNoConsent: Text;
  /** What an app that is not set up rightly ends in. */
  readonly misconfigured: Text;
}

const WAITING = text('The card is on its way', '卡片正在发送');

/** @param config null: it could not be read here; what most apps do is taken for granted */
export function roundTripWay(config: Config | null, appId: string | null): RoundTripWay {
  const app = config?.apps.find((each) => appId === null || each.appId === appId);
  const callback = callbackStep(config, app);
  return app?.authGrant === 'authorization_code'
    ? byCode(app, callback, redirectUriStep(config?.oauthRedirectUri ?? null))
    : byDevice(callback);
}

function callbackStep(config: Config | null, app: AppConfig | undefined): Text {
  if (config === null || app?.cardCallback !== 'http') return STEPS.callback;
  return callbackByHttp(cardCallbackAddress(config, app.appId).shown);
}

const byDevice = (callback: Text): RoundTripWay => ({
  notes: {
    waiting: WAITING,
    delivered: text(
      'The card is in her chat with the bot: let her click Authorize now',
      '卡片已送达她与机器人的会话：请她现在点击「授权」',
    ),
    arrived: text('Her click has arrived: let her open the page and agree', '点击已到达：请她打开授权页并同意'),
  },
  arrived: text('Her click has reached the daemon', '她的点击已到达守护进程'),
  notArrived: text('No click reached the daemon', '没有点击到达守护进程'),
  whyNotArrived: text(
    `If she clicked and saw 200340 or a code near it: ${lowerFirst(callback.en)} If she saw 200341 or nothing, does another program use this App ID? If she did not click, run it again.`,
    `若她点击后看到 200340 等错误码：${callback.zh}若看到 200341 或没有反应：是否有别的程序使用同一个 App ID？若她没有点击，请重新运行。`,
  ),
  whyNoConsent: text(
    'Did her card show a link? If not, look at the line on device authorization. Did the page show a code? feishu-authd explain it (20027: a scope is not enabled; 20010: availability).',
    '她的卡片上出现链接了吗？若没有，查看「设备授权」一行。授权页显示错误码了吗？用 feishu-authd explain 查询（20027：权限未开通；20010：可用范围）。',
  ),
  misconfigured: text('No link can be made', '无法生成授权链接'),
});

/** Her browser comes back by itself: a click is good to have (it turns the card), but nothing depends on it. */
function byCode({ card }: Pick<AppConfig, 'card'>, callback: Text, redirect: Text): RoundTripWay {
  const page = text(
    `What did Feishu's page show? 20029: ${lowerFirst(redirect.en)} 20027: a scope is not enabled. 20010: availability. If she agreed and her browser could not open the page after it, it does not reach OAUTH_REDIRECT_URI. If that page says the link is invalid, it belongs to another daemon; if it says to try again, the daemon's log has the reason (event redirect.code_useless).`,
    `飞书授权页显示了什么？20029：${redirect.zh}20027：权限未开通。20010：可用范围。若她同意后浏览器打不开后面的页面：浏览器访问不到 OAUTH_REDIRECT_URI。若那个页面说链接无效：它属于另一个守护进程；若说请重试：原因见守护进程日志（event 为 redirect.code_useless）。`,
  );
  const sent = card === 'link' ? text('message with the link', '带链接的消息') : text('card', '卡片');
  const click = text(
    ` The click on the card is not needed for it; if the card did not change and she saw 200340 or a code near it: ${lowerFirst(callback.en)}`,
    `卡片上的点击不是必需的；若卡片没有变化且她看到 200340 等错误码：${callback.zh}`,
  );
  return {
    notes: {
      waiting: text(`The ${sent.en} is on its way`, `${sent.zh}正在发送`),
      delivered: text(
        `The ${sent.en} is in her chat with the bot: let her open the link and agree on Feishu's page`,
        `${sent.zh}已送达她与机器人的会话：请她打开链接，在飞书授权页上同意`,
      ),
      arrived: text(
        "Her click, or her return from Feishu's page, has arrived: let her agree if she has not yet",
        '她的点击或从授权页的返回已到达：若她还没有同意，请她同意',
      ),
    },
    arrived: text(
      "Her click, or her return from Feishu's page, has reached the daemon",
      '她的点击或从飞书授权页的返回已到达守护进程',
    ),
    notArrived: text(
      card === 'link'
        ? "Her browser did not come back from Feishu's page"
        : "Neither a click nor a return from Feishu's page reached the daemon",
      card === 'link' ? '她的浏览器没有从飞书授权页返回' : '没有点击、也没有从飞书授权页的返回到达守护进程',
    ),
    whyNotArrived: card === 'link' ? page : text(page.en + click.en, page.zh + click.zh),
    whyNoConsent: page,
    misconfigured: text('Feishu gives no token for the code', '飞书没有用授权码换发 token'),
  };
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
