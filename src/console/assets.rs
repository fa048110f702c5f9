//! The stylesheets, the script and the icon, which are in the binary. Their addresses have their digest, so browsers keep them.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderName},
    },
};

use crate::http::{self, Asked};

/// A page that is shut in is of no site, and loads them all the same.
const FOR_ALL: (HeaderName, &str) = (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");

/// A file: its address, what it is, and what is in it.
pub struct Asset {
    pub path: String,
    kind: &'static str,
    content: &'static str,
}

pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "css",
        "text/css; charset=utf-8",
        include_str!("static/console.css"),
    )
});
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("static/console.js"),
    )
});
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("static/icon.svg")));
/// Of pages of mail.
pub static MAIL: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "mail",
        "css",
        "text/css; charset=utf-8",
        include_str!("static/mail.css"),
    )
});

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, content: &'static str) -> Self {
        let digest = blake3::hash(content.as_bytes()).to_hex();
        Self {
            path: format!("/console/static/{name}-{}.{ending}", &digest[..16]),
            kind,
            content,
        }
    }
}

pub async fn asset(asked: Asked) -> HttpResponse {
    let path = asked.request.path();
    let known = [&*STYLE, &*SCRIPT, &*ICON, &*MAIL]
        .into_iter()
        .find(|asset| asset.path == path);
    match known {
        Some(asset) => HttpResponse::Ok()
            .content_type(asset.kind)
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header(FOR_ALL)
            .body(asset.content),
        None => http::refusal(StatusCode::NOT_FOUND),
    }
}
