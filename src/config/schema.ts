/**
 * The convict schema: names, meanings, defaults and formats of all variables.
 *
 * convict is given finished values only. Left to read by itself it takes `600abc` for 600 and `0` for true, names
 * paths instead of variables, quotes values in its errors and reads the process's own environment and arguments
 * (ARCHITECTURE §4); so values are parsed by our formats first, and its own look at environment and arguments is
 * switched off.
 */
import convict from 'convict';
import { VARIABLE_NAMES, VARIABLES, type Values, type VariableName } from './variables.js';

const keyOf = (name: VariableName): string => name.toLowerCase();

function schemaOf(name: VariableName): convict.SchemaObj<unknown> {
  const { doc, format, secret, default: defaultValue } = VARIABLES[name];
  return {
    doc: `${doc}; accepted: ${format.accepts}`,
    default: defaultValue,
    sensitive: secret,
    nullable: defaultValue === null,
    format: (value: unknown): void => {
      const parsed = format.parse(value);
      if (!parsed.ok) throw new TypeError(parsed.problem);
    },
  };
}

/** Fills the gaps of `parsed` with defaults; checks once more that every value and default has its format. */
export function withDefaults(parsed: Partial<Values>): Values {
  const schema = Object.fromEntries(VARIABLE_NAMES.map((name) => [keyOf(name), schemaOf(name)]));
  const config = convict<Record<string, unknown>>(schema, { env: {}, args: [] });
  config.load(Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name.toLowerCase(), value])));
  config.validate({ allowed: 'strict' });
  return Object.fromEntries(VARIABLE_NAMES.map((name) => [name, config.get(keyOf(name))])) as unknown as Values;
}
