//! `make dashboards`: writes `dashboards/grafana/*.json`. What they show is written down here, because a panel is a few
//! lines so, and a page of JSON there. A test demands that the files are what this makes.

mod made;

use std::{fs, path::Path};

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana");
    for (name, dashboard) in made::all() {
        let file = folder.join(name);
        fs::write(&file, made::text(&dashboard))?;
        println!("{}", file.display());
    }
    Ok(())
}
