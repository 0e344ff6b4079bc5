/**
 * The baseline: what somebody writes who has only the official SDK. One WSClient and a handler, nothing kept anywhere.
 * Plain JavaScript, so that its memory and start hold nothing but Node and the SDK.
 *
 * A click on `authorize` without a session makes a link and answers with it, polls every 5 s, asks whose token it is and
 * updates the card; every other click gets a constant toast. Options come as one JSON argument: {appId, appSecret, url}.
 */
import { createRequire } from 'node:module';

// `import` of this CommonJS package would cost it memory and time on Node 20 that `require` spares.
const { EventDispatcher, LoggerLevel, WSClient } = createRequire(import.meta.url)('@larksuiteoapi/node-sdk');

const { appId, appSecret, url } = JSON.parse(process.argv[2]);
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const POLL_MS = 5_000;
const NOT_FOR_YOU = {
  toast: {
    type: 'warning',
    content: 'This card was sent to someone else, nothing to do for you',
    i18n: { zh_cn: '这张卡片是发给别人的，你无需处理' },
  },
};

let tenantToken = null;

async function post(path, body, headers = {}) {
  const form = body instanceof URLSearchParams;
  const response = await fetch(url + path, {
    method: 'POST',
    headers: form ? headers : { 'content-type': 'application/json', ...headers },
    body: form ? body : JSON.stringify(body),
  });
  return response.json();
}

function cardOf(title, link) {
  const button = {
    tag: 'button',
    text: { tag: 'plain_text', content: 'Open' },
    behaviors: [{ type: 'open_url', default_url: link }],
  };
  return {
    schema: '2.0',
    config: { update_multi: true },
    header: { title: { tag: 'plain_text', content: title } },
    body: { elements: [{ tag: 'markdown', content: title }, ...(link ? [button] : [])] },
  };
}

async function authorize(messageId) {
  const authorization = `Basic ${Buffer.from(`${appId}:${appSecret}`).toString('base64')}`;
  const scope = 'offline_access';
  const code = await post('/oauth/v1/device_authorization', new URLSearchParams({ client_id: appId, scope }), {
    authorization,
  });
  setTimeout(poll, POLL_MS, messageId, code.device_code);
  return { card: { type: 'raw', data: cardOf('One step left', code.verification_uri_complete) } };
}

async function poll(messageId, deviceCode) {
  const form = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: appId, client_secret: appSecret };
  const answer = await post('/open-apis/authen/v2/oauth/token', new URLSearchParams(form));
  if (!answer.access_token) {
    // Nothing is final to it but the end of the code: it knows no limits, so it meets them.
    if (answer.error !== 'invalid_grant') setTimeout(poll, POLL_MS, messageId, deviceCode);
    return;
  }
  const headers = { authorization: `Bearer ${answer.access_token}` };
  await (await fetch(`${url}/open-apis/authen/v1/user_info`, { headers })).json();
  tenantToken ??= post('/open-apis/auth/v3/tenant_access_token/internal', { app_id: appId, app_secret: appSecret });
  const bot = { authorization: `Bearer ${(await tenantToken).tenant_access_token}` };
  await fetch(`${url}/open-apis/im/v1/messages/${messageId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...bot },
    body: JSON.stringify({ content: JSON.stringify(cardOf('Authorized')) }),
  });
}

const eventDispatcher = new EventDispatcher({ loggerLevel: LoggerLevel.error }).register({
  'card.action.trigger': ({ action, context }) =>
    action?.value?.action === 'authorize' && action.value.session_id === undefined
      ? authorize(context.open_message_id)
      : NOT_FOR_YOU,
});
await new WSClient({ appId, appSecret, domain: url, loggerLevel: LoggerLevel.error }).start({ eventDispatcher });
