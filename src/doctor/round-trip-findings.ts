/** What a round trip has shown, as four lines: card, click, consent, refresh token. Pure. */
import { type JsonObject, numberOf, objectOf, textOf } from '../domain/json-fields.js';
import { cleanName } from '../domain/plain-text.js';
import { STEPS } from './console.js';
import { type CheckName, type Facts, type Finding, fail, pass, skip, type Text, text } from './finding.js';
import type { CodeMeaning, Explain } from './meanings.js';
import type { ApiTrouble, RoundTrip } from './round-trip.js';
import type { RoundTripWay } from './round-trip-way.js';

export interface RoundTripView {
  readonly trip: RoundTrip;
  readonly waitSeconds: number;
  readonly way: RoundTripWay;
  readonly explain: Explain;
}

const MAX_DETAIL = 400;
const NOT_SO_FAR = text('Not reached', '没有进行到这一步');

export function roundTripFindings(view: RoundTripView): readonly Finding[] {
  const { session } = view.trip;
  const appId = textOf(session?.['app_id']);
  const [card, cardGoesOn] = cardStep(view, { appId });
  const [click, clickGoesOn] = cardGoesOn ? clickStep(view, { appId }) : [skip('user.click', NOT_SO_FAR), false];
  const [consent, consentGoesOn] = clickGoesOn
    ? consentStep(view, { appId })
    : [skip('user.consent', NOT_SO_FAR), false];
  return [card, click, consent, consentGoesOn ? refreshLine(view.trip, { appId }) : skip('user.refresh', NOT_SO_FAR)];
}

type Step = readonly [finding: Finding, goesOn: boolean];

function cardStep({ explain, trip, waitSeconds }: RoundTripView, facts: Facts): Step {
  const { delivered, how, session, trouble } = trip;
  if (delivered) return [pass('user.card', text('The card is in her chat', '卡片已在她的会话里'), facts), true];
  if (trouble !== null) {
    const said = cleanName(trouble.message, MAX_DETAIL);
    const { blame, feishuCode, logId } = trouble;
    const known = feishuCode === null ? null : explain(String(feishuCode), 'messages');
    const advice = cleanName(trouble.advice, MAX_DETAIL);
    const remedy = known?.remedy ?? text(advice, advice);
    const means = text(`The daemon does not ask her: ${said}`, `守护进程没有发起授权：${said}`);
    return [fail('user.card', blame, means, remedy, { ...facts, feishuCode, logId }), false];
  }
  const detail = detailOf(session);
  if (how === 'ended' && session?.['state'] === 'failed') {
    const meaning = detail.feishuCode === null ? null : explain(String(detail.feishuCode), 'messages');
    const means = text(
      `Feishu does not deliver the card${because(meaning, 'en')}`,
      `飞书没有送达卡片${because(meaning, 'zh')}`,
    );
    return [
      fail('user.card', 'refused', means, meaning?.remedy ?? detail.remedy, { ...facts, ...detail.facts }),
      false,
    ];
  }
  const means = text(
    `The card did not reach her chat within ${Math.min(20, waitSeconds)} s`,
    `卡片在 ${Math.min(20, waitSeconds)} 秒内没有送达`,
  );
  const remedy = text(
    "Look at the lines above and at the daemon's log (event card.update_failed). Does a process with the role worker run?",
    '查看上面的检查和守护进程的日志（event 为 card.update_failed）。是否有角色含 worker 的进程在运行？',
  );
  return [fail('user.card', 'refused', means, remedy, facts), false];
}

/** The daemon went away, or took another decision, while we waited. */
function troubleLine(check: CheckName, { advice, blame, message }: ApiTrouble, facts: Facts): Finding {
  const [said, hint] = [cleanName(message, MAX_DETAIL), cleanName(advice, MAX_DETAIL)];
  const means = text(`The daemon tells no more of it: ${said}`, `守护进程不再告知进展：${said}`);
  return fail(check, blame, means, text(hint, hint), facts);
}

/** After its card was delivered, a session ends by her click, by an operator, or by the time. */
function clickStep({ trip, waitSeconds, way }: RoundTripView, facts: Facts): Step {
  const state = textOf(trip.session?.['state']);
  const answered = trip.clicked || state === 'completed' || state === 'rejected' || state === 'failed';
  if (answered) return [pass('user.click', way.arrived, facts), true];
  if (trip.trouble !== null) return [troubleLine('user.click', trip.trouble, facts), false];
  if (state === 'superseded' || state === 'invalidated') {
    const means = text(`The session was ended by somebody else (${state})`, `会话被别人结束（${state}）`);
    return [skip('user.click', means, null, facts), false];
  }
  const means = text(`${way.notArrived.en} within ${waitSeconds} s`, `${waitSeconds} 秒内${way.notArrived.zh}`);
  return [fail('user.click', 'refused', means, way.whyNotArrived, facts), false];
}

function consentStep({ explain, trip, waitSeconds, way }: RoundTripView, facts: Facts): Step {
  const { session } = trip;
  const state = textOf(session?.['state']);
  if (state === 'completed') {
    const scopes = namesOf(session?.['granted_scopes']);
    return [pass('user.consent', text(`She has granted ${scopes}`, `她已授予 ${scopes}`), facts), true];
  }
  if (state === 'rejected') {
    return [
      skip(
        'user.consent',
        text('She declined: the way works as far as that', '她拒绝了：到这一步为止是通的'),
        null,
        facts,
      ),
      false,
    ];
  }
  if (state === 'failed') return [failedConsent(session, { explain, way }, facts), false];
  if (trip.trouble !== null) return [troubleLine('user.consent', trip.trouble, facts), false];
  const means = text(`She has not consented within ${waitSeconds} s`, `她没有在 ${waitSeconds} 秒内同意`);
  return [fail('user.consent', 'refused', means, way.whyNoConsent, facts), false];
}

function failedConsent(
  session: JsonObject | null,
  { explain, way }: Pick<RoundTripView, 'explain' | 'way'>,
  facts: Facts,
): Finding {
  const reason = textOf(session?.['failure_reason']) ?? 'unknown';
  const detail = detailOf(session);
  const code = detail.feishuCode === null ? null : explain(String(detail.feishuCode), 'token_endpoint');
  const meaning = code ?? explain(reason, 'failure_reason');
  const what =
    reason === 'app_misconfigured'
      ? way.misconfigured
      : text(`The session failed (${reason})`, `会话失败（${reason}）`);
  const missing = reason === 'insufficient_scope' ? `: ${namesOf(session?.['missing_scopes'])}` : '';
  const means = text(`${what.en}${because(meaning, 'en')}${missing}`, `${what.zh}${because(meaning, 'zh')}${missing}`);
  return fail('user.consent', 'refused', means, code?.remedy ?? meaning?.remedy ?? detail.remedy, {
    ...facts,
    ...detail.facts,
  });
}

function refreshLine({ renewable, trouble }: RoundTrip, facts: Facts): Finding {
  if (renewable === true) {
    const means = text('Feishu gave a refresh token (it was not spent)', '飞书给了 refresh_token（没有使用它）');
    return pass('user.refresh', means, facts);
  }
  if (renewable === null) {
    const why = trouble === null ? '' : cleanName(trouble.message, MAX_DETAIL);
    return skip('user.refresh', text(`Not known: ${why}`, `无法得知：${why}`), null, facts);
  }
  return fail(
    'user.refresh',
    'refused',
    text(
      'Feishu gave no refresh token: she would have to consent again every two hours',
      '飞书没有给 refresh_token：她每两小时就要重新同意',
    ),
    text(
      `Enable offline_access in 权限管理 (Permissions & Scopes) as a USER permission. ${STEPS.refresh.en}`,
      `在「权限管理」以用户身份开通 offline_access。${STEPS.refresh.zh}`,
    ),
    facts,
  );
}

interface Detail {
  readonly feishuCode: number | null;
  readonly remedy: Text;
  readonly facts: Facts;
}

/** `failure_detail` as the daemon gives it: its remedy is English. */
function detailOf(session: JsonObject | null): Detail {
  const detail = objectOf(session?.['failure_detail']);
  const feishuCode = numberOf(detail['feishu_code']);
  const remedy = cleanName(textOf(detail['remedy']) ?? 'feishu-authd sessions show', MAX_DETAIL);
  return { feishuCode, remedy: text(remedy, remedy), facts: { feishuCode, logId: textOf(detail['log_id']) } };
}

const because = (meaning: CodeMeaning | null, language: keyof Text): string => {
  if (meaning === null) return '';
  return language === 'en' ? `: ${lowerFirst(meaning.cause.en)}` : `：${meaning.cause.zh}`;
};

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);

const namesOf = (list: unknown): string =>
  cleanName((Array.isArray(list) ? list : []).map(String).join(' '), MAX_DETAIL);
