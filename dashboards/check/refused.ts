// Mistakes that the check must see: each of these lines is refused, or it is an error that it is not.

import type { Checked } from './types';

type Panel = Checked['panels'][number];

const place = { h: 8, w: 8, x: 0, y: 0 };
const datasource = { type: 'prometheus', uid: '${datasource}' } as const;
const common = { id: 1, title: 'a', description: 'b', gridPos: place, datasource, targets: [] };
const last = { calcs: ['lastNotNull'], fields: '', values: false };
const stat = {
  colorMode: 'value',
  graphMode: 'none',
  justifyMode: 'auto',
  orientation: 'auto',
  reduceOptions: last,
  showPercentChange: false,
  textMode: 'auto',
  wideLayout: true,
} as const;
const legend = { calcs: ['mean'], displayMode: 'list' as const, placement: 'bottom' as const, showLegend: true };
const tooltip = { mode: 'multi', sort: 'desc' } as const;
const fields = { defaults: { unit: 's' }, overrides: [] };

export const right: Panel[] = [
  { ...common, type: 'stat', options: stat, fieldConfig: fields },
  { ...common, type: 'timeseries', options: { legend, tooltip }, fieldConfig: fields },
];

export const wrong: Panel[] = [
  // A word that is not one of the enumeration's.
  // @ts-expect-error
  { ...common, type: 'stat', options: { ...stat, colorMode: 'colour' }, fieldConfig: fields },
  // An option that this kind of panel does not have.
  // @ts-expect-error
  { ...common, type: 'stat', options: { ...stat, legend }, fieldConfig: fields },
  // One that it must have.
  // @ts-expect-error
  { ...common, type: 'timeseries', options: { legend }, fieldConfig: fields },
  // The options of another kind.
  // @ts-expect-error
  { ...common, type: 'timeseries', options: stat, fieldConfig: fields },
  // A kind that there is not.
  // @ts-expect-error
  { ...common, type: 'graph', options: { legend, tooltip }, fieldConfig: fields },
  // No unit.
  // @ts-expect-error
  { ...common, type: 'stat', options: stat, fieldConfig: { defaults: {}, overrides: [] } },
  // A field configuration of no panel, and of another.
  // @ts-expect-error
  { ...common, type: 'timeseries', options: { legend, tooltip }, fieldConfig: { defaults: { unit: 's', custom: { lines: 1 } }, overrides: [] } },
  // @ts-expect-error
  { ...common, type: 'stat', options: stat, fieldConfig: { defaults: { unit: 's', custom: { lineWidth: 1 } }, overrides: [] } },
  // An override of something that there is not.
  // @ts-expect-error
  { ...common, type: 'stat', options: stat, fieldConfig: { defaults: { unit: 's' }, overrides: [{ matcher: { id: 'byName', options: 'a' }, properties: [{ id: 'units', value: 's' }] }] } },
  // A key of no panel at all.
  // @ts-expect-error
  { ...common, type: 'stat', options: stat, fieldConfig: fields, size: 3 },
  // A data source of one's own.
  // @ts-expect-error
  { ...common, datasource: { type: 'prometheus', uid: 'P1' }, type: 'stat', options: stat, fieldConfig: fields },
  // A query without an expression, and one with more than there is.
  // @ts-expect-error
  { ...common, targets: [{ refId: 'A', datasource }], type: 'stat', options: stat, fieldConfig: fields },
  // @ts-expect-error
  { ...common, targets: [{ refId: 'A', datasource, expr: 'up', expression: 'up' }], type: 'stat', options: stat, fieldConfig: fields },
];
