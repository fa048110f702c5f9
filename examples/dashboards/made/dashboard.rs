//! A dashboard of rows, laid out in Grafana's 24 columns.

use serde_json::{Value, json};

use super::panel::{Panel, data_source};

/// What Grafana's grid has.
const COLUMNS: u32 = 24;
/// Grafana 10.4 writes this version, and later ones read it.
const SCHEMA: u32 = 39;

/// Panels under a title.
pub struct Row {
    title: &'static str,
    panels: Vec<Panel>,
}

impl Row {
    pub fn new(title: &'static str, panels: impl IntoIterator<Item = Panel>) -> Self {
        Self {
            title,
            panels: panels.into_iter().collect(),
        }
    }
}

pub struct Dashboard {
    pub title: &'static str,
    pub description: &'static str,
    /// Whether it can be narrowed down to some profiles.
    pub by_profile: bool,
    pub rows: Vec<Row>,
}

impl Dashboard {
    pub fn json(&self) -> Value {
        json!({
            "annotations": { "list": [] },
            "description": self.description,
            "editable": true,
            "graphTooltip": 1,
            "id": null,
            "links": [{
                "asDropdown": false,
                "icon": "external link",
                "includeVars": false,
                "keepTime": true,
                "tags": ["dropkeep"],
                "targetBlank": false,
                "title": "dropkeep",
                "tooltip": "The other dashboards of dropkeep",
                "type": "dashboards",
                "url": "",
            }],
            "panels": self.panels(),
            "refresh": "5s",
            "schemaVersion": SCHEMA,
            "tags": ["dropkeep"],
            "templating": { "list": self.variables() },
            "time": { "from": "now-1h", "to": "now" },
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            // Grafana gives it one of its own.
            "uid": null,
            "version": 1,
            "weekStart": "",
        })
    }

    /// The panels flow from left to right; the next line begins below the highest of the last.
    fn panels(&self) -> Vec<Value> {
        let mut made = Vec::new();
        let mut y = 0;
        for row in &self.rows {
            made.push(json!({
                "collapsed": false,
                "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": y },
                "id": made.len() + 1,
                "panels": [],
                "title": row.title,
                "type": "row",
            }));
            y += 1;
            let (mut x, mut height) = (0, 0);
            for panel in &row.panels {
                if x + panel.width > COLUMNS {
                    (x, y, height) = (0, y + height, 0);
                }
                let place = json!({ "h": panel.height, "w": panel.width, "x": x, "y": y });
                made.push(panel.json(made.len() + 1, place));
                x += panel.width;
                height = height.max(panel.height);
            }
            y += height;
        }
        made
    }

    fn variables(&self) -> Vec<Value> {
        let mut variables = vec![json!({
            "current": {},
            "description": "The Prometheus that scrapes dropkeep",
            "hide": 0,
            "includeAll": false,
            "label": "Data source",
            "multi": false,
            "name": "datasource",
            "options": [],
            "query": "prometheus",
            "refresh": 1,
            "regex": "",
            "skipUrlSync": false,
            "type": "datasource",
        })];
        variables.push(chosen(
            "instance",
            "Instance",
            "The appliances that are shown",
            "label_values(dropkeep_build_info, instance)",
        ));
        if self.by_profile {
            variables.push(chosen(
                "profile",
                "Profile",
                "The profiles that are shown",
                r#"label_values(dropkeep_profile_state{instance=~"$instance"}, profile)"#,
            ));
        }
        variables
    }
}

/// A variable of which all values are shown, until some are chosen.
fn chosen(name: &str, label: &str, description: &str, query: &str) -> Value {
    json!({
        // Without it, "All" would be nothing where none is known yet.
        "allValue": ".+",
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        "datasource": data_source(),
        "description": description,
        "hide": 0,
        "includeAll": true,
        "label": label,
        "multi": true,
        "name": name,
        "options": [],
        "query": { "qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
        "refresh": 2,
        "regex": "",
        "skipUrlSync": false,
        "sort": 5,
        "type": "query",
    })
}
