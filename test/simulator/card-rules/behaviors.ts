/**
 * What a pressed component does: at most one open_url and one callback, a callback carries an object, an open_url
 * an address. Source: FEISHU.md §3.3 (action.value), §5.2 (button).
 */
import { isObject } from './rule.js';
import { SUB_CODES, type Violation } from './violation.js';

const MAX_OF_A_TYPE = 1;
const URL_ATTRIBUTES = ['default_url', 'pc_url', 'ios_url', 'android_url'];

export function behaviorViolations(component: Record<string, unknown>, path: string): Violation[] {
  const violations: Violation[] = [];
  const broken = (subCode: number, detail: string): void => {
    violations.push({ subCode, detail: `${detail}, path: ${path}` });
  };
  const behaviors = Array.isArray(component['behaviors']) ? component['behaviors'].filter(isObject) : [];
  for (const type of ['open_url', 'callback']) {
    const count = behaviors.filter((behavior) => behavior['type'] === type).length;
    if (count > MAX_OF_A_TYPE) broken(SUB_CODES.badJson, `more than one behavior of type ${type}`);
  }
  for (const behavior of behaviors) {
    if (behavior['type'] === 'callback' && !isObject(behavior['value'])) {
      broken(SUB_CODES.badCallbackValue, 'callback value is not an object');
    }
    if (behavior['type'] === 'open_url' && !URL_ATTRIBUTES.some((name) => behavior[name] !== undefined)) {
      broken(SUB_CODES.badJson, 'open_url without an address');
    }
  }
  if (component['tag'] === 'button' && component['value'] !== undefined && !isObject(component['value'])) {
    broken(SUB_CODES.badCallbackValue, 'button value is not an object');
  }
  return violations;
}
