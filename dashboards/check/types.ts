// What a dashboard file of ours must be, by the types that Grafana publishes (@grafana/schema). `run.sh` checks the
// files against `Checked`, as object literals, so that an option that a panel does not have is refused like a wrong one.

import * as schema from '@grafana/schema';
import * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import * as prometheus from '@grafana/schema/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen';
import * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** A type as JSON writes it: enumerations of words are their words. */
type Json<T> = T extends string
  ? string extends T ? T : `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Json<Item>[]
  : T extends object ? { [Key in keyof T]: Json<T[Key]> }
  : T;

/** Not any data source: the one that the variable names. */
type Source = { type: 'prometheus'; uid: '${datasource}' };

type Target = Omit<prometheus.PrometheusDataQuery, 'datasource'> & { datasource: Source };

/** The published override has any name and any value. These are the names that there are. */
type Property<Custom> =
  | { id: 'unit'; value: string }
  | { id: 'max'; value: number }
  | { id: 'mappings'; value: schema.ValueMapping[] }
  | { id: 'thresholds'; value: schema.ThresholdsConfig }
  | { id: 'color'; value: schema.FieldColor }
  | { [Key in keyof Custom & string]: { id: `custom.${Key}`; value: Custom[Key] } }[keyof Custom & string];

/** The published field configuration takes any key in `custom`. */
type Fields<Custom> = {
  defaults: Omit<schema.FieldConfig, 'custom'> & { custom?: Partial<Custom>; unit: string };
  overrides: { matcher: { id: 'byName' | 'byRegexp' | 'byFrameRefID'; options: string }; properties: Property<Custom>[] }[];
};

type Transformation =
  | { id: 'merge'; options: {} }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, boolean>;
        includeByName: Record<string, boolean>;
        indexByName: Record<string, number>;
        renameByName: Record<string, string>;
      };
    };

/** A panel with what every panel of ours has, and the options of its kind. */
type Panel<Kind extends string, Options, Custom> = Omit<
  schema.Panel,
  'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource' | 'transformations' | 'description' | 'gridPos' | 'id' | 'title'
> & {
  type: Kind;
  id: number;
  title: string;
  description: string;
  gridPos: schema.GridPos;
  datasource: Source;
  options: Options;
  fieldConfig: Fields<Custom>;
  targets: Target[];
  transformations?: Transformation[];
};

/** Of kinds without a field configuration of their own. */
type Nothing = Record<string, never>;

type Panels =
  | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Panel<'stat', stat.Options, Nothing>
  | Panel<'bargauge', bargauge.Options, Nothing>
  | Panel<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Panel<'table', table.Options, table.FieldConfig>
  | schema.RowPanel;

type Variable = Omit<schema.VariableModel, 'datasource' | 'current'> & {
  datasource?: Source;
  // The published type wants a choice where there is none yet.
  current: schema.VariableOption | {};
};

export type Checked = Json<
  Omit<schema.Dashboard, 'panels' | 'templating' | 'uid' | 'id'> & {
    // The published type knows no null here, which is how Grafana writes what has none of its own yet.
    uid: null;
    id: null;
    panels: Panels[];
    templating: { list: Variable[] };
  }
>;
