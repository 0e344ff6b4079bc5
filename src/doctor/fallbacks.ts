/** The other way round, where an app or a network does not allow the first: named in remedies, with all it needs. */
import type { Config } from '../config/config.js';
import { cardCallbackAddress } from './callback-addresses.js';
import { callbackByHttp, redirectUriStep } from './console.js';
import { type Text, text } from './finding.js';

/** Instead of device codes. */
export function byAuthorizationCode({ oauthRedirectUri }: Pick<Config, 'oauthRedirectUri'>): Text {
  const step = redirectUriStep(oauthRedirectUri);
  return text(
    `Or do without the device grant: AUTH_GRANT=authorization_code (\`auth_grant\` of the app in CONFIG_FILE), with CALLBACK_SERVER_ENABLED=true and an OAUTH_REDIRECT_URI that the users' browsers reach. ${step.en}`,
    `也可以不用设备授权：设置 AUTH_GRANT=authorization_code（CONFIG_FILE 里该应用的 auth_grant）、CALLBACK_SERVER_ENABLED=true，以及用户浏览器能访问的 OAUTH_REDIRECT_URI。${step.zh}`,
  );
}

/** Instead of the long connection. */
export function byHttpCallbacks(config: Pick<Config, 'oauthRedirectUri'>, appId: string): Text {
  const step = callbackByHttp(cardCallbackAddress(config, appId).shown);
  return text(
    `Or do without the long connection: CARD_CALLBACK=http (\`card_callback\` of the app in CONFIG_FILE), with CALLBACK_SERVER_ENABLED=true and FEISHU_ENCRYPT_KEY. ${step.en}`,
    `也可以不用长连接：设置 CARD_CALLBACK=http（CONFIG_FILE 里该应用的 card_callback）、CALLBACK_SERVER_ENABLED=true 和 FEISHU_ENCRYPT_KEY。${step.zh}`,
  );
}

export const either = (one: Text, other: Text): Text => text(`${one.en} ${other.en}`, `${one.zh}${other.zh}`);
