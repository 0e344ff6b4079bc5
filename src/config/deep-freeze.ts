/** Freezes a tree of plain objects and arrays. Buffers cannot be frozen (their bytes live elsewhere) and are left. */
export function deepFreeze<T>(tree: T): T {
  if (typeof tree !== 'object' || tree === null || ArrayBuffer.isView(tree)) return tree;
  for (const branch of Object.values(tree)) deepFreeze(branch);
  return Object.freeze(tree);
}
