//! Panels in Grafana's JSON. Each option that a kind of panel has is written, so that no version fills in another default.

use serde_json::{Value, json};

/// From a value on, this colour. Below the first it is green; where that is minus infinity, there is nothing below it.
pub type Step = (f64, &'static str);

/// A number, the word for it, and its colour.
pub type Word = (u32, &'static str, &'static str);

/// The shortest step of graphs that count what happens seldom.
const EVENT_STEP: &str = "1m";

pub fn data_source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// What is asked of Prometheus, and what its series are called.
pub struct Query {
    expr: String,
    legend: &'static str,
    /// Shown by the right axis, in this unit.
    other_unit: Option<&'static str>,
}

/// A column of a table, by the labels `instance` and `profile`.
pub struct Column {
    pub title: &'static str,
    pub expr: String,
    pub unit: &'static str,
    pub steps: Vec<Step>,
    pub words: Vec<Word>,
}

enum Kind {
    /// Lines over time, or bars of what happened in each step.
    Graph { stacked: bool, bars: bool },
    /// The value now, large.
    Stat,
    /// The value of each series now as a bar, up to a maximum.
    Bars { max: f64 },
    /// States over time.
    Timeline,
    /// The values of several queries now, a line for each profile of each appliance.
    Table(Vec<Column>),
}

pub struct Panel {
    kind: Kind,
    title: &'static str,
    description: String,
    unit: &'static str,
    pub width: u32,
    pub height: u32,
    queries: Vec<Query>,
    steps: Vec<Step>,
    words: Vec<Word>,
    decimals: Option<u32>,
    /// A stat shows the names of its series in place of their values.
    named: bool,
    /// A graph's values go below 0.
    below_zero: bool,
    /// Series whose names match have another maximum and other steps.
    otherwise: Option<(&'static str, f64, Vec<Step>)>,
}

impl Panel {
    fn new(kind: Kind, title: &'static str, description: &str, unit: &'static str, size: (u32, u32)) -> Self {
        Self {
            kind,
            title,
            description: description.to_owned(),
            unit,
            width: size.0,
            height: size.1,
            queries: Vec::new(),
            steps: Vec::new(),
            words: Vec::new(),
            decimals: None,
            named: false,
            below_zero: false,
            otherwise: None,
        }
    }

    pub fn graph(title: &'static str, description: &str, unit: &'static str) -> Self {
        let kind = Kind::Graph {
            stacked: false,
            bars: false,
        };
        Self::new(kind, title, description, unit, (8, 8))
    }

    /// Counts of what happens seldom: a bar for each step, which is `EVENT_STEP` at least.
    pub fn events(title: &'static str, description: &str) -> Self {
        let kind = Kind::Graph {
            stacked: true,
            bars: true,
        };
        let description = format!("{description} A bar is a minute, or a step of the graph where that is longer.");
        Self::new(kind, title, &description, "short", (8, 8)).decimals(0)
    }

    pub fn stat(title: &'static str, description: &str, unit: &'static str) -> Self {
        Self::new(Kind::Stat, title, description, unit, (4, 4))
    }

    pub fn bars(title: &'static str, description: &str, unit: &'static str, max: f64) -> Self {
        Self::new(Kind::Bars { max }, title, description, unit, (8, 8))
    }

    pub fn timeline(title: &'static str, description: &str) -> Self {
        Self::new(Kind::Timeline, title, description, "short", (24, 6))
    }

    pub fn table(title: &'static str, description: &str, columns: Vec<Column>) -> Self {
        Self::new(Kind::Table(columns), title, description, "short", (24, 8))
    }

    pub fn query(mut self, expr: impl Into<String>, legend: &'static str) -> Self {
        self.queries.push(Query {
            expr: expr.into(),
            legend,
            other_unit: None,
        });
        self
    }

    /// A query whose values have another unit.
    pub fn query_in(mut self, unit: &'static str, expr: impl Into<String>, legend: &'static str) -> Self {
        self.queries.push(Query {
            expr: expr.into(),
            legend,
            other_unit: Some(unit),
        });
        self
    }

    pub fn width(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    pub fn height(mut self, height: u32) -> Self {
        self.height = height;
        self
    }

    pub fn steps(mut self, steps: &[Step]) -> Self {
        self.steps = steps.to_vec();
        self
    }

    pub fn words(mut self, words: &[Word]) -> Self {
        self.words = words.to_vec();
        self
    }

    pub fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// Shows what the series are called, and not the numbers.
    pub fn named(mut self) -> Self {
        self.named = true;
        self
    }

    /// The series of a graph one upon the other.
    pub fn stacked(mut self) -> Self {
        self.kind = Kind::Graph {
            stacked: true,
            bars: false,
        };
        self
    }

    /// A graph whose values may be negative.
    pub fn below_zero(mut self) -> Self {
        self.below_zero = true;
        self
    }

    /// Of what should be 1, and else is 0.
    pub fn yes_or_no(self) -> Self {
        self.steps(&[(f64::NEG_INFINITY, "red"), (1.0, "green")])
            .words(&[(0, "no", "red"), (1, "yes", "green")])
    }

    /// Another maximum and other steps for series whose names match a regular expression.
    pub fn otherwise(mut self, names: &'static str, max: f64, steps: &[Step]) -> Self {
        self.otherwise = Some((names, max, steps.to_vec()));
        self
    }

    pub fn json(&self, id: usize, place: Value) -> Value {
        let mut panel = json!({
            "datasource": data_source(),
            "description": self.description,
            "fieldConfig": { "defaults": self.defaults(), "overrides": self.overrides() },
            "gridPos": place,
            "id": id,
            "options": self.options(),
            "targets": self.targets(),
            "title": self.title,
            "type": match self.kind {
                Kind::Graph { .. } => "timeseries",
                Kind::Stat => "stat",
                Kind::Bars { .. } => "bargauge",
                Kind::Timeline => "state-timeline",
                Kind::Table(_) => "table",
            },
        });
        match &self.kind {
            Kind::Table(columns) => panel["transformations"] = one_line_each(columns),
            Kind::Graph { bars: true, .. } => panel["interval"] = EVENT_STEP.into(),
            _ => {}
        }
        panel
    }

    fn defaults(&self) -> Value {
        let mut defaults = json!({
            "color": { "mode": if self.steps.is_empty() { "palette-classic" } else { "thresholds" } },
            "mappings": mappings(&self.words),
            "thresholds": thresholds(&self.steps),
            "unit": self.unit,
        });
        if let Some(decimals) = self.decimals {
            defaults["decimals"] = decimals.into();
        }
        match &self.kind {
            Kind::Graph { stacked, bars } => {
                // Lines differ by their colours; a threshold is a line of its own.
                defaults["color"] = json!({ "mode": "palette-classic" });
                if !self.below_zero {
                    defaults["min"] = 0.into();
                }
                defaults["custom"] = graph(*stacked, *bars, !self.steps.is_empty());
            }
            Kind::Stat => {
                if self.steps.is_empty() {
                    defaults["color"] = json!({ "fixedColor": "text", "mode": "fixed" });
                }
            }
            Kind::Bars { max } => {
                defaults["min"] = 0.into();
                defaults["max"] = (*max).into();
            }
            Kind::Timeline => {
                defaults["custom"] = json!({ "fillOpacity": 80, "lineWidth": 0 });
            }
            Kind::Table(_) => {
                defaults["custom"] = json!({ "align": "auto", "cellOptions": { "type": "auto" }, "inspect": false });
                defaults["noValue"] = "–".into();
            }
        }
        defaults
    }

    fn overrides(&self) -> Vec<Value> {
        let of = |by: &str, what: &str, properties: Vec<Value>| {
            json!({
                "matcher": { "id": by, "options": what },
                "properties": properties,
            })
        };
        let property = |id: &str, value: Value| json!({ "id": id, "value": value });
        let mut overrides: Vec<Value> = self
            .queries
            .iter()
            .enumerate()
            .filter_map(|(number, query)| {
                let unit = query.other_unit?;
                let properties = vec![
                    property("unit", unit.into()),
                    property("custom.axisPlacement", "right".into()),
                ];
                Some(of("byFrameRefID", &name_of(number), properties))
            })
            .collect();
        if let Kind::Table(columns) = &self.kind {
            overrides.extend(columns.iter().map(|column| {
                let mut properties = vec![property("unit", column.unit.into())];
                if !column.words.is_empty() {
                    properties.push(property("mappings", mappings(&column.words)));
                }
                if !column.steps.is_empty() || !column.words.is_empty() {
                    properties.push(property("thresholds", thresholds(&column.steps)));
                    properties.push(property("color", json!({ "mode": "thresholds" })));
                    properties.push(property("custom.cellOptions", json!({ "type": "color-text" })));
                }
                of("byName", column.title, properties)
            }));
        }
        if let Some((names, max, steps)) = &self.otherwise {
            let properties = vec![
                property("max", (*max).into()),
                property("thresholds", thresholds(steps)),
            ];
            overrides.push(of("byRegexp", names, properties));
        }
        overrides
    }

    fn options(&self) -> Value {
        let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
        let legend = json!({ "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true });
        match &self.kind {
            Kind::Graph { .. } => json!({
                "legend": legend,
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Kind::Stat => json!({
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "reduceOptions": last,
                "showPercentChange": false,
                "textMode": if self.named { "name" } else { "auto" },
                "wideLayout": true,
            }),
            Kind::Bars { .. } => json!({
                "displayMode": "basic",
                "maxVizHeight": 300,
                "minVizHeight": 16,
                "minVizWidth": 8,
                "namePlacement": "auto",
                "orientation": "horizontal",
                "reduceOptions": last,
                "showUnfilled": true,
                "sizing": "auto",
                "valueMode": "color",
            }),
            Kind::Timeline => json!({
                "alignValue": "left",
                "legend": legend,
                "mergeValues": true,
                "rowHeight": 0.8,
                "showValue": "auto",
                "tooltip": { "mode": "single", "sort": "none" },
            }),
            Kind::Table(_) => json!({
                "cellHeight": "sm",
                "footer": { "countRows": false, "fields": [], "reducer": ["sum"], "show": false },
                "frameIndex": 0,
                "showHeader": true,
            }),
        }
    }

    fn targets(&self) -> Vec<Value> {
        // What is shown as it is now is asked for now: the last value of a time would be shown as the present one where
        // nothing has answered since.
        let instant = matches!(self.kind, Kind::Stat | Kind::Bars { .. } | Kind::Table(_));
        let target = |(number, expr, legend, table): (usize, &str, &str, bool)| {
            json!({
                "datasource": data_source(),
                "editorMode": "code",
                "expr": expr,
                "format": if table { "table" } else { "time_series" },
                "instant": instant,
                "legendFormat": legend,
                "range": !instant,
                "refId": name_of(number),
            })
        };
        match &self.kind {
            Kind::Table(columns) => {
                let columns = columns.iter().enumerate();
                columns
                    .map(|(number, column)| target((number, &column.expr, "", true)))
                    .collect()
            }
            _ => {
                let queries = self.queries.iter().enumerate();
                queries
                    .map(|(number, query)| target((number, &query.expr, query.legend, false)))
                    .collect()
            }
        }
    }
}

/// Grafana names queries by letters.
fn name_of(number: usize) -> String {
    char::from(b'A' + u8::try_from(number).unwrap_or(25).min(25)).to_string()
}

fn graph(stacked: bool, bars: bool, limits: bool) -> Value {
    json!({
        "axisBorderShow": false,
        "axisCenteredZero": false,
        "axisColorMode": "text",
        "axisLabel": "",
        "axisPlacement": "auto",
        "barAlignment": 0,
        "drawStyle": if bars { "bars" } else { "line" },
        "fillOpacity": match (bars, stacked) {
            (true, _) => 80,
            (false, true) => 40,
            (false, false) => 8,
        },
        "gradientMode": "none",
        "hideFrom": { "legend": false, "tooltip": false, "viz": false },
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "pointSize": 4,
        "scaleDistribution": { "type": "linear" },
        "showPoints": "auto",
        "spanNulls": false,
        "stacking": { "group": "A", "mode": if stacked { "normal" } else { "none" } },
        "thresholdsStyle": { "mode": if limits { "dashed" } else { "off" } },
    })
}

/// The first step of Grafana holds from minus infinity on, for which JSON has no number.
fn thresholds(steps: &[Step]) -> Value {
    let mut all = Vec::new();
    if steps.first().is_none_or(|(from, _)| from.is_finite()) {
        all.push(json!({ "color": "green", "value": null }));
    }
    all.extend(steps.iter().map(|(from, color)| {
        let from = from.is_finite().then_some(from);
        json!({ "color": color, "value": from })
    }));
    json!({ "mode": "absolute", "steps": all })
}

fn mappings(words: &[Word]) -> Value {
    if words.is_empty() {
        return json!([]);
    }
    let options: serde_json::Map<String, Value> = words
        .iter()
        .enumerate()
        .map(|(index, (value, text, color))| {
            let result = json!({ "color": color, "index": index, "text": text });
            (value.to_string(), result)
        })
        .collect();
    json!([{ "options": options, "type": "value" }])
}

/// Puts the answers to a table's queries into one line for each profile of each appliance, under the columns' titles.
fn one_line_each(columns: &[Column]) -> Value {
    let mut titles = serde_json::Map::new();
    let mut order = serde_json::Map::new();
    for (number, (label, title)) in [("profile", "Profile"), ("instance", "Instance")]
        .into_iter()
        .enumerate()
    {
        titles.insert(label.into(), title.into());
        order.insert(label.into(), number.into());
    }
    for (number, column) in columns.iter().enumerate() {
        let value = format!("Value #{}", name_of(number));
        titles.insert(value.clone(), column.title.into());
        order.insert(value, (number + 2).into());
    }
    json!([
        { "id": "merge", "options": {} },
        {
            "id": "organize",
            "options": {
                "excludeByName": { "Time": true },
                "includeByName": {},
                "indexByName": order,
                "renameByName": titles,
            },
        },
    ])
}
