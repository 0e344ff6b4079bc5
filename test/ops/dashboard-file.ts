/** The Grafana dashboard as shipped, read as far as tests look at it. */
import { readFile } from 'node:fs/promises';

export interface PanelOfDashboard {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly exprs: readonly string[];
  readonly datasources: readonly unknown[];
  readonly place: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

export interface DashboardFile {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Rows included. */
  readonly panels: readonly PanelOfDashboard[];
  /** The queries of the variables, by name. */
  readonly variables: ReadonlyMap<string, string>;
}

interface RawPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: PanelOfDashboard['place'];
  readonly targets?: readonly { readonly expr: string; readonly datasource: unknown }[];
}

interface RawVariable {
  readonly name: string;
  readonly definition?: string;
  readonly query: unknown;
}

const FILE = new URL('../../ops/grafana/feishu-authd.json', import.meta.url);

export async function readDashboard(): Promise<DashboardFile> {
  const text = await readFile(FILE, 'utf8');
  const json = JSON.parse(text) as Readonly<Record<string, unknown>> & {
    readonly panels: readonly RawPanel[];
    readonly templating: { readonly list: readonly RawVariable[] };
  };
  const panels = json.panels.map(({ datasource, gridPos, id, targets = [], title, type }) => ({
    id,
    type,
    title,
    exprs: targets.map(({ expr }) => expr),
    datasources: type === 'row' ? [] : [datasource, ...targets.map((target) => target.datasource)],
    place: gridPos,
  }));
  const variables = json.templating.list.map(({ definition, name, query }): [string, string] => [
    name,
    definition ?? String(query),
  ]);
  return { text, json, panels, variables: new Map(variables) };
}
