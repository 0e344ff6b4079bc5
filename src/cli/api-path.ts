/** Paths of the API. Ids come from the command line: whatever they hold, they stay one part of the path. */

/** A path with its variable parts encoded: `pathTo('/v1/users/', openId, '/token')`. */
export const pathTo = (prefix: string, id: string, suffix = ''): string =>
  `${prefix}${encodeURIComponent(id)}${suffix}`;
