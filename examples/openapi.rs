//! Prints the OpenAPI document of the API: `cargo run --example openapi > docs/openapi.json`.

fn main() -> serde_json::Result<()> {
    println!("{}", dropkeep::web::document().to_pretty_json()?);
    Ok(())
}
