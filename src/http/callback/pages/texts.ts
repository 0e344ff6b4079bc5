/**
 * The words of the pages about a session, in the tone of `cards/*.json`: what happened, then what to do. Where a
 * session is shown in the chat may be a card or a message with a link, so pages speak of the chat.
 */
import type { RedirectOutcome } from '../../../domain/redirect.js';
import { type Content, contentOf, type PageText } from './content.js';

type Kind = RedirectOutcome['kind'];
/** Kinds that need nothing but words; the others are completed in outcome-content.ts. */
export type Words = Pick<Content, 'tone' | 'title' | 'happened' | 'next' | 'refreshSeconds'>;

const REOPEN_ZH = '请回到你与机器人的聊天，再打开一次授权链接';
const REOPEN_EN = 'Go back to your chat with the bot and open the authorization link once more';

export const TEXTS: Readonly<Record<Kind, Words>> = {
  completed: contentOf({
    tone: 'good',
    title: { zh_cn: '已授权 {{client}}', en_us: 'Authorized: {{client}}' },
    happened: [
      {
        zh_cn: '{{client}} 现在可以在你同意的范围内，以你的身份访问飞书。',
        en_us: '{{client}} can now act as you in Feishu, within what you agreed to.',
      },
    ],
    next: [
      {
        zh_cn: '你可以关闭此页。你与机器人的聊天里马上会显示「已授权」。',
        en_us: 'You can close this page. Your chat with the bot shows "Authorized" in a moment.',
      },
    ],
  }),
  working: contentOf({
    tone: 'busy',
    title: { zh_cn: '正在核对你的授权', en_us: 'Checking your authorization' },
    happened: [
      {
        zh_cn: '飞书已收到同意，我们正在核对是不是你本人的账号，通常只要几秒。',
        en_us:
          'Feishu has received the consent. We are checking that it came from your own account, usually a few seconds.',
      },
    ],
    next: [
      { zh_cn: '你无需操作，此页会自动刷新。', en_us: 'Nothing to do: this page updates by itself.' },
      {
        zh_cn: '也可以关闭它，结果会显示在你与机器人的聊天里。',
        en_us: 'You may also close it; your chat with the bot shows the result.',
      },
    ],
    refreshSeconds: 2,
  }),
  missing_scopes: contentOf({
    tone: 'attention',
    title: { zh_cn: '授权还缺几项权限', en_us: 'Some permissions are missing' },
    happened: [
      {
        zh_cn: '你已在飞书同意，但下面这些没有授予，{{client}} 因此还不能开始：',
        en_us: 'You agreed in Feishu, but these were not granted, so {{client}} cannot start:',
      },
    ],
    next: [
      {
        zh_cn: '请回到你与机器人的聊天，再授权一次，并在飞书页面保留全部选项。',
        en_us: "Go back to your chat with the bot, authorize again and keep every option on Feishu's page.",
      },
      {
        zh_cn: '页面上没有这些选项时，请联系管理员开通。',
        en_us: 'If they are not on the page, ask your administrator to enable them.',
      },
    ],
  }),
  wrong_account: contentOf({
    tone: 'attention',
    title: { zh_cn: '点同意的不是你的账号', en_us: 'That was not your account' },
    happened: [
      {
        zh_cn:
          '{{client}} 的申请只发给了一个人，但刚才在授权页点同意的是另一个飞书账号。我们没有保存那个账号的任何凭证。',
        en_us:
          'The request of {{client}} is for one person alone, but another Feishu account agreed on the page. We have kept nothing of that account.',
      },
    ],
    next: [
      {
        zh_cn: '请先在飞书页面退出，或切换到收到申请的账号；再回到你与机器人的聊天，重新打开授权链接。',
        en_us:
          "Sign out on Feishu's page, or switch to the account that was asked. Then go back to your chat with the bot and open the authorization link again.",
      },
      { zh_cn: '还可以试 {{tries_left}} 次。', en_us: 'Tries left: {{tries_left}}.' },
    ],
  }),
  failed: contentOf({
    tone: 'bad',
    title: { zh_cn: '{{client}} 的授权没有完成', en_us: 'The authorization of {{client}} did not finish' },
  }),
  try_again: contentOf({
    tone: 'attention',
    title: { zh_cn: '还没有完成，请再打开一次链接', en_us: 'Not finished: open the link once more' },
    happened: [
      {
        zh_cn: '飞书这次给的一次性凭据没能使用，可能已过期或已用过。没有新增任何授权。',
        en_us:
          'The one-time code Feishu gave could not be used; it may have expired or been used before. Nothing new was authorized.',
      },
    ],
    next: [{ zh_cn: `${REOPEN_ZH}。原来的链接仍然有效。`, en_us: `${REOPEN_EN}. It still works.` }],
  }),
  refused: contentOf({
    tone: 'bad',
    title: { zh_cn: '飞书没有让授权继续', en_us: 'Feishu did not let the authorization go on' },
    happened: [
      {
        zh_cn: '飞书的授权页报告了一个错误。没有新增任何授权，{{client}} 的申请仍然有效。',
        en_us:
          "Feishu's page reported an error. Nothing new was authorized, and the request of {{client}} is still open.",
      },
    ],
    next: [{ zh_cn: `${REOPEN_ZH}。`, en_us: `${REOPEN_EN}.` }],
  }),
  declined: contentOf({
    tone: 'plain',
    title: { zh_cn: '你已拒绝 {{client}} 的申请', en_us: 'You declined {{client}}' },
    happened: [
      {
        zh_cn: '没有新增任何授权，你无需再做什么。',
        en_us: 'Nothing new was authorized. There is nothing left to do.',
      },
    ],
    next: [
      {
        zh_cn: '点错了，或改变了主意？可以在你与机器人的聊天里重新申请。',
        en_us: 'Pressed by mistake, or changed your mind? You can start again in your chat with the bot.',
      },
    ],
  }),
  expired: contentOf({
    tone: 'plain',
    title: { zh_cn: '申请已过期，没有新增任何授权', en_us: 'Request expired, nothing new was authorized' },
    happened: [
      { zh_cn: '{{client}} 的申请没有按时完成。', en_us: 'The request of {{client}} was not completed in time.' },
    ],
    next: [
      {
        zh_cn: '还需要它？请在你与机器人的聊天里重新申请。',
        en_us: 'Still needed? Start again in your chat with the bot.',
      },
    ],
  }),
  superseded: contentOf({
    tone: 'plain',
    title: { zh_cn: '已被新的申请取代', en_us: 'Replaced by a newer request' },
    happened: [
      {
        zh_cn: '{{client}} 发来了新的申请，这个链接不再有效。没有新增任何授权。',
        en_us: '{{client}} has sent a newer request. This link is no longer in use, and nothing new was authorized.',
      },
    ],
    next: [
      {
        zh_cn: '请在你与机器人的聊天里处理最新的申请。',
        en_us: 'Please answer the newest request in your chat with the bot.',
      },
    ],
  }),
  invalidated: contentOf({
    tone: 'plain',
    title: { zh_cn: '申请已取消', en_us: 'Request cancelled' },
    happened: [
      {
        zh_cn: '{{client}} 的这份申请已由申请方或管理员取消，没有新增任何授权。',
        en_us:
          'This request of {{client}} was cancelled by the requester or an administrator. Nothing new was authorized.',
      },
    ],
    next: [{ zh_cn: '你无需操作，可以关闭此页。', en_us: 'There is nothing to do. You can close this page.' }],
  }),
  used: contentOf({
    tone: 'plain',
    title: { zh_cn: '这个链接已经用过', en_us: 'This link has been used' },
    happened: [
      {
        zh_cn: '{{client}} 的这个链接已经处理过，或者已换成了新链接。这一次没有改变任何东西。',
        en_us:
          'This link of {{client}} has done its work, or a newer one has replaced it. Nothing has changed this time.',
      },
    ],
    next: [
      {
        zh_cn: '结果和最新的链接都在你与机器人的聊天里。',
        en_us: 'The result and the newest link are in your chat with the bot.',
      },
    ],
  }),
  invalid: contentOf({
    tone: 'bad',
    title: { zh_cn: '链接无效', en_us: 'This link is not valid' },
    happened: [
      {
        zh_cn: '它可能不完整、被改动过，或者早已失效。没有改变任何东西。',
        en_us: 'It may be incomplete, altered or too old. Nothing has changed.',
      },
    ],
    next: [
      {
        zh_cn: '请回到你与机器人的聊天，在最新的申请上点「授权」。',
        en_us: 'Go back to your chat with the bot and press "Authorize" on the newest request.',
      },
    ],
  }),
  incomplete: contentOf({
    tone: 'plain',
    title: { zh_cn: '这里没有要处理的授权', en_us: 'There is nothing to authorize here' },
    happened: [
      {
        zh_cn: '飞书的授权页会把结果送到这个地址，但这次打开时没有带上结果。',
        en_us: "Feishu's page brings its result to this address, but this time no result came with it.",
      },
    ],
    next: [
      {
        zh_cn: '要授权，请回到你与机器人的聊天，在最新的申请上点「授权」。',
        en_us: 'To authorize, go back to your chat with the bot and press "Authorize" on the newest request.',
      },
    ],
  }),
  unavailable: contentOf({
    tone: 'attention',
    title: { zh_cn: '暂时处理不了', en_us: 'Not possible right now' },
    happened: [
      {
        zh_cn: '我们这边暂时没有响应，与你的操作无关。',
        en_us: 'Our side does not answer at the moment. You did nothing wrong.',
      },
    ],
    next: [
      {
        zh_cn: '请让此页开着，它每 10 秒自动再试一次。',
        en_us: 'Leave this page open: it tries again every 10 seconds.',
      },
      { zh_cn: `几分钟后还是这样？${REOPEN_ZH}。`, en_us: `Still the same after a few minutes? ${REOPEN_EN}.` },
    ],
    refreshSeconds: 10,
  }),
};

/** For pages on which Feishu's answer is one for somebody else to mend first. */
export const REOPEN_AFTERWARDS: PageText = {
  zh_cn: '处理好以后，再从你与机器人的聊天里打开一次授权链接。',
  en_us: 'Once that is done, open the authorization link in your chat with the bot once more.',
};

/** The words of `cards/failures.json` speak of a button that is not on the page. */
export const START_AGAIN_IN_CHAT: PageText = {
  zh_cn: '这些内容在你与机器人的聊天里也能看到，「重新申请」也在那里。',
  en_us: 'Your chat with the bot shows this too, and that is where you can start again.',
};
