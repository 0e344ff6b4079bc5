/** The files of a page, read once: what is served later is in memory, and no path of a request ever reaches the disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthdError } from '../errors.js';

export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
}

/** By name; `index.html` is the page. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** @throws AuthdError `config_invalid` when the folder is not what was installed */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  try {
    const names = (await readdir(folder)).filter((name) => typeOf(name) !== undefined);
    const files = names.map(async (name) => {
      const contentType = typeOf(name) ?? 'application/octet-stream';
      return [name, { contentType, body: await readFile(join(folder, name)) }] as const;
    });
    return new Map(await Promise.all(files));
  } catch (error) {
    throw new AuthdError('config_invalid', `The files of the status page cannot be read: ${folder}`, {
      remedy: 'Install feishu-authd again: the folder is part of it.',
      cause: error,
    });
  }
}

const typeOf = (name: string): string | undefined => TYPES[name.slice(name.lastIndexOf('.') + 1)];
