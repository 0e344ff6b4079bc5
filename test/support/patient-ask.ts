/** Asks for a session as CONTRACT tells clients to: again when the daemon says that it cannot right now. */
import type { Answer, Daemon } from './daemon.js';

const TRIES = 10;

/** The answer with a session; any other answer is an error. */
export async function patientAsk(daemon: Pick<Daemon, 'call'>, body: object): Promise<Answer> {
  let answer = await daemon.call('POST', '/v1/sessions', body);
  for (let tries = 1; answer.status === 503 && tries < TRIES; tries += 1) {
    const seconds = Number(answer.headers.get('retry-after') ?? 1);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    answer = await daemon.call('POST', '/v1/sessions', body);
  }
  if (answer.status >= 300) throw new Error(`asking was refused: ${answer.text}`);
  return answer;
}
