/** How a client is called on cards: by its `display_name`, a nameless one by the app's name (CONTRACT §4.2). */
import type { ClientConfig, LocalizedText } from '../../config/config.js';

/** A client that is no longer configured counts as nameless: its sessions outlive it. */
export function createClientNames(
  clients: readonly ClientConfig[],
  appName: (appId: string) => string,
): (clientId: string, appId: string) => LocalizedText {
  const names = new Map(clients.map((client) => [client.id, client.displayName]));
  return (clientId, appId) => {
    const app = appName(appId);
    return names.get(clientId) ?? { zh_cn: app, en_us: app };
  };
}
