/** The configuration of an app of the simulator. */
import type { AppConfig } from '../../src/config/config.js';

export function appConfig(baseUrl: string, app: { readonly appId: string; readonly appSecret: string }): AppConfig {
  return {
    appId: app.appId,
    appSecret: app.appSecret,
    brand: 'feishu',
    openBaseUrl: baseUrl,
    accountsBaseUrl: baseUrl,
    applinkBaseUrl: baseUrl,
    authGrant: 'device_code',
    card: 'card',
    cardCallback: 'long_connection',
    encryptKey: null,
    verificationToken: null,
    authScopes: ['offline_access'],
  };
}
