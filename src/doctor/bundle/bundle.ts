/** What goes into the archive for support, each file scrubbed. Collects; where it is written is the command's business. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ConfigView } from '../../config/effective.js';
import type { FetchedText } from '../fetch-text.js';
import { type TarEntry, tar } from './tar.js';

export interface BundleParts {
  readonly versions: Readonly<Record<string, unknown>>;
  /** null: the configuration is not valid; doctor.json says why. */
  readonly config: ConfigView | null;
  readonly doctorJson: unknown;
  readonly doctorText: string;
  readonly readyz: FetchedText;
  readonly metrics: FetchedText;
  /** null: no log file was named. */
  readonly log: string | null;
}

export interface BundleDeps {
  /** Takes known secrets, and what looks like one, out of a text. */
  readonly scrub: (text: string) => string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

const FOLDER = 'feishu-authd-doctor';

/** A tar.gz. */
export async function makeBundle(parts: BundleParts, { nowMs, scrub }: BundleDeps): Promise<Buffer> {
  const files: TarEntry[] = [
    { name: 'versions.json', content: json(parts.versions) },
    ...(parts.config === null ? [] : [{ name: 'config.json', content: json(parts.config) }]),
    { name: 'doctor.json', content: json(parts.doctorJson) },
    { name: 'doctor.txt', content: parts.doctorText },
    ...page('readyz.json', parts.readyz),
    ...page('metrics.txt', parts.metrics),
    ...(parts.log === null ? [] : [{ name: 'log.txt', content: parts.log }]),
  ];
  const clean = [{ name: 'README.txt', content: readme(parts, nowMs) }, ...files].map(({ content, name }) => ({
    name: `${FOLDER}/${name}`,
    content: scrub(content),
  }));
  return await promisify(gzip)(tar(clean, nowMs));
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const page = (name: string, fetched: FetchedText): readonly TarEntry[] =>
  fetched.ok && fetched.status !== 404 ? [{ name, content: fetched.text }] : [];

function readme({ config, log, metrics, readyz }: BundleParts, nowMs: number): string {
  const missing = [
    ...(config === null ? ['config.json: the configuration is not valid, see doctor.json'] : []),
    ...absence('readyz.json', readyz),
    ...absence('metrics.txt', metrics),
    ...(log === null ? ['log.txt: no file was named by --log'] : []),
  ];
  return [
    `Made by feishu-authd doctor --bundle at ${new Date(nowMs).toISOString()}.`,
    'Secrets, tokens, codes and links have been taken out. Ids of apps, users and sessions, host names and scopes are in.',
    ...(missing.length === 0 ? [] : ['', 'Not in it:', ...missing.map((line) => `- ${line}`)]),
    '',
  ].join('\n');
}

function absence(name: string, fetched: FetchedText): readonly string[] {
  if (!fetched.ok) return [`${name}: the daemon did not answer (${fetched.code})`];
  return fetched.status === 404 ? [`${name}: the daemon answered HTTP 404`] : [];
}
