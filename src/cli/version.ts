/** Our version and those of the packages we run with, from the package we run from (the folder above src/ or dist/). */
import { readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url);

export function readVersion(): string {
  const { version } = readPackage(new URL('package.json', ROOT)) as { version: string };
  return version;
}

/** Name -> installed version; `missing` where there is none. */
export function readPackages(): Readonly<Record<string, string>> {
  const { dependencies } = readPackage(new URL('package.json', ROOT)) as { dependencies: Record<string, string> };
  const installed = Object.keys(dependencies).map((name) => {
    try {
      const { version } = readPackage(new URL(`node_modules/${name}/package.json`, ROOT)) as { version: string };
      return [name, version];
    } catch {
      return [name, 'missing'];
    }
  });
  return Object.fromEntries(installed);
}

const readPackage = (url: URL): unknown => JSON.parse(readFileSync(url, 'utf8'));
