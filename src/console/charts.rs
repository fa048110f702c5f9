//! Small charts: bars as SVG, and a table of the same for whoever cannot see them.

use maud::{Markup, html};

/// A bar: what it is of, how high it is, and how much that is in words.
pub struct Bar {
    pub of: String,
    pub height: u64,
    pub words: String,
}

/// How wide a bar stands, and how high the highest is.
const WIDTH: usize = 10;
const HEIGHT: u64 = 60;

/// A chart below its title, which has this id. `means` is what it says in a line, and `columns` head the table.
pub fn bars(id: &str, title: &str, means: &str, columns: [&str; 2], as_table: &str, bars: &[Bar]) -> Markup {
    let highest = bars.iter().map(|bar| bar.height).max().unwrap_or(0).max(1);
    html! {
        figure.chart aria-labelledby=(id) {
            figcaption { h3 id=(id) { (title) } p { (means) } }
            svg role="img" aria-label={ (title) ": " (means) } viewBox={ "0 0 " (bars.len() * WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
                @for (at, bar) in bars.iter().enumerate() {
                    @let high = high(bar.height, highest);
                    rect.ground x=(at * WIDTH) y="0" width=(WIDTH) height=(HEIGHT) { title { (bar.of) ": " (bar.words) } }
                    rect.bar x=(at * WIDTH + 1) y=(HEIGHT - high) width=(WIDTH - 2) height=(high) { title { (bar.of) ": " (bar.words) } }
                }
            }
            details {
                summary { (as_table) span.unseen { ": " (title) } }
                table.few {
                    thead { tr { th scope="col" { (columns[0]) } th.number scope="col" { (columns[1]) } } }
                    tbody { @for bar in bars { tr { th scope="row" { (bar.of) } td.number { (bar.words) } } } }
                }
            }
        }
    }
}

/// How high a bar is drawn: what there is at all can be seen.
fn high(value: u64, highest: u64) -> u64 {
    let high = u128::from(value) * u128::from(HEIGHT) / u128::from(highest);
    let high = u64::try_from(high).unwrap_or(HEIGHT);
    high.max(u64::from(value > 0) * 2)
}

#[test]
fn the_highest_bar_fills_the_chart_and_the_least_is_seen() {
    assert_eq!([0, 1, 500, 1000].map(|value| high(value, 1000)), [0, 2, 30, 60]);
    assert_eq!(high(u64::MAX, u64::MAX), HEIGHT);
    let bar = |height| Bar {
        of: "<b>".into(),
        height,
        words: "x".into(),
    };
    let chart = bars("c", "t", "m", ["a", "b"], "table", &[bar(1), bar(0)]).into_string();
    assert!(
        chart.contains("viewBox=\"0 0 20 60\"") && !chart.contains("<b>"),
        "{chart}"
    );
    assert!(
        !bars("c", "t", "m", ["a", "b"], "table", &[])
            .into_string()
            .contains("NaN")
    );
}
