/** `doctor --user`: the round trip by the running daemon, and Ctrl-C, which ends the waiting and the session with it. */
import { randomBytes } from 'node:crypto';
import type { ClientSettings } from '../config/client-settings.js';
import type { Finding, Language } from '../doctor/finding.js';
import { runRoundTrip } from '../doctor/round-trip.js';
import { roundTripFindings } from '../doctor/round-trip-findings.js';
import type { RoundTripWay } from '../doctor/round-trip-way.js';
import { createApiClient } from './api-client.js';
import { CommandFailure } from './command-failure.js';
import type { CliContext } from './context.js';
import { createRoundTripApi } from './doctor-api.js';
import { EXIT } from './exit-codes.js';
import { explainBoth } from './explain.js';
import type { Output } from './output.js';

export interface Asking {
  readonly client: ClientSettings;
  readonly openId: string;
  /** null: there is but one. */
  readonly appId: string | null;
  readonly waitSeconds: number;
  readonly way: RoundTripWay;
  readonly language: Language;
  readonly output: Output;
  readonly context: CliContext;
}

export async function askUser(asking: Asking): Promise<readonly Finding[]> {
  const { appId, client, context, language, openId, output, waitSeconds, way } = asking;
  const { interrupts, now } = context;
  for (const warning of client.warnings) output.note(`feishu-authd: ${warning}`);
  const api = createApiClient(client);
  const interrupted = new AbortController();
  const letGo = interrupts.on(() => interrupted.abort());
  try {
    const trip = await runRoundTrip({
      api: createRoundTripApi({ api, note: output.note, now }),
      openId,
      appId,
      waitSeconds,
      way,
      note: output.note,
      language,
      mark: randomBytes(8).toString('hex'),
      interrupted: interrupted.signal,
    });
    if (!interrupted.signal.aborted) return roundTripFindings({ trip, waitSeconds, way, explain: explainBoth });
    letGo();
    interrupts.raise();
    throw new CommandFailure(EXIT.refused, 'Stopped waiting');
  } finally {
    letGo();
    await api.close();
  }
}
