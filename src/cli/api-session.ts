/** A subcommand that speaks to the API: reads the client's settings, gives it a client, closes that whatever happens. */
import { readClientSettings } from '../config/client-settings.js';
import { readFileFromDisk } from '../config/load.js';
import type { ApiClient } from './api-client.js';
import type { CliContext } from './context.js';
import { createOutput, type Output } from './output.js';

export async function withApi(
  context: CliContext,
  work: (api: ApiClient, output: Output) => Promise<void>,
): Promise<void> {
  const output = createOutput(context);
  const settings = readClientSettings(context.env, readFileFromDisk);
  for (const warning of settings.warnings) output.note(`feishu-authd: ${warning}`);
  // The HTTP client takes longer to load than all the rest, and half of the commands do without.
  const { createApiClient } = await import('./api-client.js');
  const api = createApiClient(settings);
  try {
    await work(api, output);
  } finally {
    await api.close();
  }
}
